"""`Engine`: one Moonshine model in memory, and the only module that talks to the C library."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.utterances import Decoded
from debabelizer.errors import PluginLoadError, ProviderError
from debabelizer_moonshine import LANGUAGE, PLATFORMS

if TYPE_CHECKING:
    from moonshine_voice.transcriber import Transcriber

__all__ = ["Engine"]

_SAMPLE_RATE: Final = 16000

# Below about 1,100 samples its convolutions have nothing to work on, and it fails. No word is as short as this.
_SHORTEST: Final = _SAMPLE_RATE // 10

# All values are strings, and an unknown name makes the load fail.
_OPTIONS: Final = {
    # Without this each call hands the audio back, as Python floats.
    "return_audio_data": "false",
    # 0.0 switches its own voice activity detector off: that is one recurrent state for the whole process, so
    # recordings transcribed at the same time would cut each other differently. We cut before.
    "vad_threshold": "0.0",
    "vad_max_segment_duration": "60",
}

# The package makes its handle of the library on first use and without a lock: a second thread gets a half-made one.
_loading: Final = threading.Lock()


class Engine:
    """The tiny English model, about 100 MB. Loading and decoding block: call them in a thread.

    Raises:
        PluginLoadError: If the library cannot be loaded here.
        ProviderError: If it cannot load its model.
    """

    def __init__(self) -> None:
        with _loading:
            self._transcriber = _load()
        self._lock = threading.Lock()

    def decode(self, samples: NDArray[np.float32]) -> Decoded:
        """Decode one utterance of 16 kHz mono samples, best not longer than 30 s.

        Raises:
            ProviderError: If the library reports an error.
        """
        from moonshine_voice.moonshine_api import TranscriptC

        if len(samples) < _SHORTEST:
            return Decoded("", language=LANGUAGE)
        samples = np.ascontiguousarray(samples, np.float32)
        # The Python wrapper would turn the audio into a list of floats and back; the C function takes the array.
        address = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        result = ctypes.POINTER(TranscriptC)()
        with self._lock:  # The result belongs to the library, and lives until its next call.
            code = self._transcriber._lib.moonshine_transcribe_without_streaming(
                self._transcriber._handle, address, len(samples), _SAMPLE_RATE, 0, ctypes.byref(result)
            )
            if code < 0:
                reason = self._transcriber._lib.moonshine_error_to_string(code).decode("utf-8", "replace")
                message = f"The speech engine failed on {len(samples) / _SAMPLE_RATE:.2f} s of audio: {reason}."
                raise ProviderError(message, provider="moonshine", code=str(code))
            return Decoded(_text(result), language=LANGUAGE)

    def close(self) -> None:
        """Free the model's memory; the engine cannot be used any more. Idempotent."""
        with self._lock:
            self._transcriber.close()


def _load() -> Transcriber:
    # Read by the library when it makes a session. On one core it decodes faster than on two: the threads it would
    # start otherwise mostly spin. Who sets the variable to 0 has it the other way.
    os.environ.setdefault("MOONSHINE_ORT_SINGLE_THREAD", "1")
    try:
        from moonshine_voice.errors import MoonshineError
        from moonshine_voice.moonshine_api import ModelArch, _MoonshineLib
        from moonshine_voice.transcriber import Transcriber
        from moonshine_voice.utils import get_model_path
    except (ImportError, OSError) as error:
        raise _cannot_load(error) from error
    try:
        _MoonshineLib()
    except (MoonshineError, OSError) as error:
        _MoonshineLib._instance = None  # Else the next try would be given the half-made one.
        raise _cannot_load(error) from error
    try:
        return Transcriber(get_model_path("tiny-en"), ModelArch.TINY, options=_OPTIONS)
    except MoonshineError as error:
        raise ProviderError(f"The speech model cannot be loaded: {error}.", provider="moonshine") from error


def _cannot_load(error: Exception) -> PluginLoadError:
    message = f"The speech engine of provider 'moonshine' cannot be loaded on this machine: {error}."
    return PluginLoadError(message, name="moonshine", hint=PLATFORMS)


def _text(result: Any) -> str:
    """Copy the text out of the library's memory."""
    if not result:
        return ""
    lines = (result.contents.lines[index].text for index in range(result.contents.line_count))
    return " ".join(ctypes.string_at(line).decode("utf-8", "replace").strip() for line in lines if line).strip()
