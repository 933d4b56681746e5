"""The header of WAV files: read to spare plain PCM the decoder, and written in front of headerless audio."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from debabelizer.audio.format import AudioFormat, Encoding
from debabelizer.errors import AudioFormatError

__all__ = ["HEAD_BYTES", "WavHeader", "header", "parse"]

HEAD_BYTES: Final = 4096
"""How much of a file to look at; a header that is longer (pictures, transcripts) is left to the decoder."""

_TAGS: Final[dict[Encoding, int]] = {"pcm_s16le": 1, "pcm_f32le": 3, "alaw": 6, "mulaw": 7}
_ENCODINGS: Final[dict[tuple[int, int], Encoding]] = {
    (1, 16): "pcm_s16le",
    (3, 32): "pcm_f32le",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}
_EXTENSIBLE: Final = 0xFFFE
_UNKNOWN: Final = 0xFFFFFFFF
_NEVER_FILLED_IN: Final = 0x10000


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What the header of a WAV file says.

    Attributes:
        audio_format: The format of the audio data, or None if `AudioFormat` has no name for it (24 bit, ADPCM).
        offset: Where the audio data begins, in bytes.
        size: Bytes of audio data, or None if the header was written before anybody knew.
        seconds: Duration of them, or None.
    """

    audio_format: AudioFormat | None
    offset: int
    size: int | None
    seconds: float | None


def parse(head: bytes) -> WavHeader | None:
    """Read a header; None if `head` does not hold a whole one, up to where the audio data begins."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    fmt = b""
    for tag, offset, size in _chunks(head):
        if tag == b"fmt ":
            fmt = head[offset : offset + size]
        elif tag == b"data" and len(fmt) >= 16:
            known = None if _is_placeholder(size) else size
            byte_rate = struct.unpack_from("<I", fmt, 8)[0]
            return WavHeader(_format(fmt), offset, known, known / byte_rate if known and byte_rate else None)
    return None


def header(audio_format: AudioFormat, size: int | None = None) -> bytes:
    """Make the header for `size` bytes of audio; for an unknown size, the one that programs write into pipes."""
    if size is not None and size > _UNKNOWN - _NEVER_FILLED_IN:
        size = None
    f = audio_format
    tag = _TAGS[f.encoding]
    fmt = struct.pack(
        "<HHIIHH", tag, f.channels, f.sample_rate, f.bytes_per_second, f.frame_bytes, 8 * f.frame_bytes // f.channels
    )
    if tag != 1:
        fmt += struct.pack("<H", 0)
    body = b"WAVE" + _chunk(b"fmt ", fmt)
    if tag != 1:
        body += _chunk(b"fact", struct.pack("<I", _UNKNOWN if size is None else size // f.frame_bytes))
    total = _UNKNOWN if size is None else len(body) + 8 + size
    return b"RIFF" + struct.pack("<I", total) + body + b"data" + struct.pack("<I", _UNKNOWN if size is None else size)


def _chunk(tag: bytes, content: bytes) -> bytes:
    return tag + struct.pack("<I", len(content)) + content


def _chunks(head: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The chunks whose beginnings lie in `head`: tag, where the content begins, and its size."""
    place = 12
    while place + 8 <= len(head):
        tag, size = struct.unpack_from("<4sI", head, place)
        yield tag, place + 8, size
        place += 8 + size + size % 2


def _is_placeholder(size: int) -> bool:
    """Whether a size was never filled in: programs that write into a pipe put 0, or about 2 or 4 GiB."""
    return size == 0 or any(abs(size - bound) < _NEVER_FILLED_IN for bound in (2**31, 2**32))


def _format(fmt: bytes) -> AudioFormat | None:
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = struct.unpack_from("<H", fmt, 24)[0]
    encoding = _ENCODINGS.get((tag, bits))
    if encoding is None:
        return None
    try:
        audio_format = AudioFormat(encoding, rate, channels)
    except AudioFormatError:
        return None
    return audio_format if audio_format.frame_bytes == frame_bytes else None
