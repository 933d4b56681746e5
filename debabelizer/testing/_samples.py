"""Symbols in samples: how coded speech survives every raw audio encoding.

A symbol is one of ten digits, two brackets, or silence. Each has its own loudness level, so far from the next
that 8-bit, G.711 and floating point samples carry it as safely as 16-bit ones. In memory a symbol is one ASCII
byte, so that a stretch of coded speech can be read on the screen and compared at the speed of `bytes`.
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = ["RAW_ENCODINGS", "SILENCE", "SampleCodec", "sample_codec"]

RAW_ENCODINGS: Final = (
    *(f"pcm_{sign}8" for sign in "su"),
    *(f"pcm_{sign}{bits}{end}" for sign in "su" for bits in (16, 24, 32) for end in ("le", "be")),
    *(f"pcm_f{bits}{end}" for bits in (32, 64) for end in ("le", "be")),
    "mulaw",
    "alaw",
)
"""Every headerless encoding that a simulator can listen to."""

SILENCE: Final = b" "

_LEVELS: Final = "012345 6789<>"
"""Symbols from the most negative level to the most positive; silence is zero."""

_STEP: Final = 18 * 256
"""Distance of two levels on the 16-bit scale. A multiple of 512, so that the highest byte alone tells them apart."""

_FILL: Final = 0x55
"""The lower bytes of a sample. Audio that lost half a sample then reads as noise and not, by chance, as silence."""


@dataclass(frozen=True, slots=True)
class SampleCodec:
    """Writes and reads the symbols of one encoding.

    Attributes:
        width: Bytes of one sample.
        write: Symbols to the samples of one channel.
        read: Whole samples of so many interleaved channels to the symbols of the first channel.
    """

    width: int
    write: Callable[[bytes], bytes]
    read: Callable[[bytes, int], bytes]


@lru_cache
def sample_codec(encoding: str) -> SampleCodec:
    """The codec of one of `RAW_ENCODINGS`.

    Raises:
        ValueError: If the encoding is unknown.
    """
    if encoding in _G711:
        values = _G711[encoding]
        table = bytes(_symbol(value >> 8) for value in values)
        samples = {symbol: bytes([_nearest(values, level)]) for symbol, level in _levels()}
        return SampleCodec(1, _writer(samples), lambda data, channels: data[::channels].translate(table))
    match = re.fullmatch(r"pcm_([suf])(8|16|24|32|64)(le|be)?", encoding)
    if match is None or encoding not in RAW_ENCODINGS:
        raise ValueError(f"unknown raw audio encoding {encoding!r}; known are {', '.join(RAW_ENCODINGS)}")
    kind, bits, endian = match[1], int(match[2]), match[3] or "le"
    if kind == "f":
        return _float_codec("f" if bits == 32 else "d", endian)
    return _integer_codec(bits // 8, signed=kind == "s", little=endian == "le")


def _nearest(values: list[int], level: int) -> int:
    """The code whose value is nearest to a level."""
    return min(range(256), key=lambda code: abs(values[code] - level))


def _levels() -> list[tuple[int, int]]:
    """Each symbol, as its ASCII byte, with its level on the 16-bit scale."""
    return [(ord(symbol), (index - 6) * _STEP) for index, symbol in enumerate(_LEVELS)]


def _symbol(top: int) -> int:
    """The symbol of a sample whose highest byte is `top`, signed."""
    return ord(_LEVELS[min(max((top * 256 + _STEP // 2) // _STEP, -6), 6) + 6])


def _writer(samples: dict[int, bytes]) -> Callable[[bytes], bytes]:
    """Writes each symbol as its sample: one table, and one pass, for each byte of the sample."""
    width = len(next(iter(samples.values())))
    planes = [bytes(samples[code][byte] if code in samples else 0 for code in range(256)) for byte in range(width)]

    def write(symbols: bytes) -> bytes:
        audio = bytearray(len(symbols) * width)
        for byte, plane in enumerate(planes):
            audio[byte::width] = symbols.translate(plane)
        return bytes(audio)

    return write


def _integer_codec(width: int, *, signed: bool, little: bool) -> SampleCodec:
    flip = 0 if signed else 0x80

    def sample(level: int) -> bytes:
        fill = _FILL if level else 0
        high_first = bytes([(level >> 8) % 256 ^ flip] + [fill] * (width - 1))
        return high_first[::-1] if little else high_first

    table = bytes(_symbol(((code ^ flip) + 128) % 256 - 128) for code in range(256))
    top = width - 1 if little else 0
    return SampleCodec(
        width,
        _writer({symbol: sample(level) for symbol, level in _levels()}),
        lambda data, channels: data[top :: width * channels].translate(table),
    )


def _float_codec(code: str, endian: str) -> SampleCodec:
    layout = ("<" if endian == "le" else ">") + code
    table = bytes(_symbol(top) for top in range(-128, 128))

    def read(data: bytes, channels: int) -> bytes:
        values = array(code, data)
        if (sys.byteorder == "little") != (endian == "le"):
            values.byteswap()
        # A NaN compares false with everything: it reads as the loudest symbol, which is noise.
        return bytes([table[int(v * 128 + 128)] if -1 <= v < 1 else table[-1] for v in values[::channels]])

    samples = {symbol: struct.pack(layout, (level + _FILL if level else 0) / 32768) for symbol, level in _levels()}
    return SampleCodec(struct.calcsize(layout), _writer(samples), read)


def _mulaw(code: int) -> int:
    """ITU-T G.711, table 2."""
    code ^= 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _alaw(code: int) -> int:
    """ITU-T G.711, table 1."""
    code ^= 0x55
    exponent = code >> 4 & 7
    magnitude = (code & 0x0F) << 4 | 8
    if exponent:
        magnitude = (magnitude + 0x100) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


_G711: Final = {"mulaw": [_mulaw(code) for code in range(256)], "alaw": [_alaw(code) for code in range(256)]}
