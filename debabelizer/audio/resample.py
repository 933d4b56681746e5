"""Resampling as a stream, on soxr."""

from __future__ import annotations

import numpy as np
import soxr

from debabelizer.audio.pcm import Samples

__all__ = ["Resampler"]


class Resampler:
    """Changes the sample rate of a stream of samples; its whole output has round(frames x target / source) frames.

    soxr's "high quality" is a linear-phase filter that removes what lies above the lower of the two Nyquist
    frequencies by 100 dB and more. Its output comes 20 to 70 ms late, and `finish` gives what is then missing.
    """

    def __init__(self, source: int, target: int, channels: int) -> None:
        self._channels = channels
        self._stream = soxr.ResampleStream(source, target, channels, dtype="float32", quality="HQ")

    def feed(self, samples: Samples) -> Samples:
        """Take samples, and give those that are ready."""
        return self._run(samples, last=False)

    def finish(self) -> Samples:
        """Give the last samples."""
        return self._run(np.empty((0, self._channels), np.float32), last=True)

    def _run(self, samples: Samples, *, last: bool) -> Samples:
        resampled: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples), last=last)
        return resampled.reshape(-1, self._channels)
