"""Where a recording says that it ends: what tells a whole one from one that was cut off."""

from __future__ import annotations

import struct
from typing import Final

from debabelizer.audio.inputs import FileInput, Input

__all__ = ["has_mp4_index", "has_ogg_end", "is_mp4", "mp3_samples"]

_MP4_BOXES: Final = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_MOST_TAGS: Final = 4 * 1024 * 1024


def is_mp4(head: bytes) -> bool:
    """Whether a file is of the MP4 and QuickTime family, whose index may stand at its end."""
    return head[4:8] in _MP4_BOXES


def has_mp4_index(source: FileInput) -> bool:
    """Whether a file of the MP4 family has its index, the ``moov`` box."""
    place = 0
    while True:
        source.seek(place)
        head = source.peek(16)
        if len(head) < 8:
            return False
        size, box = struct.unpack_from(">I4s", head)
        if box == b"moov":
            return True
        if size == 1 and len(head) == 16:
            size = struct.unpack_from(">Q", head, 8)[0]
        if size < 8:  # 0 is "up to the end"; less than its own head cannot be
            return False
        place += size


def has_ogg_end(tail: bytes) -> bool:
    """Whether an Ogg file ends with a whole page that is marked as the last of its stream (RFC 3533, section 6)."""
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return False
    count = tail[page + 26]
    body = page + 27 + count
    return bool(tail[page + 5] & 4) and len(tail) >= body + sum(tail[body - count : body])


def mp3_samples(source: Input) -> int | None:
    """How many samples an MP3 file has by its own account, padding included; None if it gives none.

    Encoders write the count of frames into a first frame that is silent (``Xing``, ``Info``). Without it a decoder
    can only guess the duration from size and bit rate, which tells nothing about an end that is missing.
    """
    head = source.peek(10)
    skip = 0
    if head[:3] == b"ID3" and len(head) == 10:
        a, b, c, d = head[6:]
        skip = 10 + (a << 21 | b << 14 | c << 7 | d)
    if skip > _MOST_TAGS:
        return None
    frame = source.peek(skip + 64)[skip:]
    for tag in (b"Xing", b"Info"):
        place = frame.find(tag)
        if place > 0 and len(frame) >= place + 12:
            flags, count = struct.unpack_from(">II", frame, place + 4)
            is_mpeg_1 = frame[1] & 0x18 == 0x18
            return count * (1152 if is_mpeg_1 else 576) if flags & 1 else None
    return None
