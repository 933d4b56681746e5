"""Samples as numpy arrays: the four encodings, and channels.

Everywhere an array is float32 of shape (frames, channels), full scale being -1.0 to 1.0.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.format import AudioFormat, Encoding

__all__ = ["Samples", "decode", "encode", "mix", "scaled"]

Samples: TypeAlias = NDArray[np.float32]

_FULL_SCALE = 32768


def decode(data: bytes, audio_format: AudioFormat) -> Samples:
    """Read whole frames of raw audio."""
    encoding = audio_format.encoding
    if encoding == "pcm_f32le":
        # What is no number would poison the filters behind it for good.
        samples = np.nan_to_num(np.frombuffer(data, np.dtype("<f4")), posinf=1.0, neginf=-1.0)
    elif encoding == "pcm_s16le":
        samples = scaled(np.frombuffer(data, np.dtype("<i2")))
    else:
        samples = _expansion(encoding)[np.frombuffer(data, np.uint8)]
    return samples.reshape(-1, audio_format.channels).astype(np.float32, copy=False)


def encode(samples: Samples, encoding: Encoding) -> bytes:
    """Write raw audio; what is louder than full scale is clipped, in every encoding but ``pcm_f32le``."""
    if encoding == "pcm_f32le":
        plain: Samples = samples.astype(np.dtype("<f4"), copy=False)
        return plain.tobytes()
    loud = np.rint(samples * np.float32(_FULL_SCALE))
    linear: NDArray[np.int16] = np.clip(loud, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.dtype("<i2"))
    if encoding == "pcm_s16le":
        return linear.tobytes()
    return _compression(encoding)[linear.view(np.dtype("<u2"))].tobytes()


def mix(samples: Samples, channels: int) -> Samples:
    """Bring samples to `channels`: the mean of all for mono, copies of mono for many."""
    have = samples.shape[1]
    if channels == have:
        return samples
    if channels == 1:
        # A product with constant weights is several times faster than a mean over so short an axis.
        return (samples @ np.full(have, 1.0 / have, np.float32)).reshape(-1, 1)
    return np.repeat(samples, channels, axis=1)


def scaled(samples: NDArray[Any]) -> Samples:
    """Bring integer or float samples of any width to full scale."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    offset = half if samples.dtype.kind == "u" else 0.0
    exact: NDArray[np.floating[Any]] = samples.astype(np.float64 if samples.dtype.itemsize > 2 else np.float32)
    return ((exact - offset) / half).astype(np.float32, copy=False)


@cache
def _expansion(encoding: Encoding) -> Samples:
    """The 256 values of a G.711 law."""
    codes = np.arange(256)
    if encoding == "mulaw":
        codes = ~codes & 0xFF
        magnitude = (((codes & 0x0F) * 8 + 132) << (codes >> 4 & 7)) - 132
        linear = np.where(codes & 0x80, -magnitude, magnitude)
    else:
        codes = codes ^ 0x55
        exponent = codes >> 4 & 7
        magnitude = ((codes & 0x0F) * 16 + 8 + np.where(exponent > 0, 256, 0)) << np.maximum(exponent - 1, 0)
        linear = np.where(codes & 0x80, magnitude, -magnitude)
    return scaled(linear.astype(np.int16))


@cache
def _compression(encoding: Encoding) -> NDArray[np.uint8]:
    """The G.711 code of each 16-bit sample, addressed by the sample read as unsigned."""
    linear = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int64)
    negative = linear < 0
    if encoding == "mulaw":
        biased = np.minimum(np.abs(linear), 32635) + 132
        exponent = np.log2(biased).astype(np.int64) - 7
        codes = ~(np.where(negative, 0x80, 0) | exponent << 4 | biased >> exponent + 3 & 0x0F)
    else:
        magnitude = np.where(negative, ~linear, linear) >> 4
        exponent = np.maximum(np.log2(np.maximum(magnitude, 1)).astype(np.int64) - 3, 0)
        codes = np.where(negative, 0, 0x80) | exponent << 4 | magnitude >> np.maximum(exponent - 1, 0) & 0x0F
        codes ^= 0x55
    return np.asarray(codes & 0xFF, np.uint8)
