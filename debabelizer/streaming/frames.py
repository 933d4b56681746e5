"""WebSocket frames as they nearly always are (RFC 6455, section 5.2): a whole message each, without extensions.

Audio goes out and messages come in many times a second, and a general implementation spends more on what might be in
a frame than on what is. So these are made and read here; `transport` leaves all others to its library.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import urandom
from struct import Struct
from typing import Final

from debabelizer.streaming.dialect import Frame

try:
    from websockets.speedups import apply_mask
except ImportError:  # where it was installed without a compiler
    from websockets.utils import apply_mask

__all__ = ["FOREIGN", "end_of", "masked", "masks", "message_of"]

FOREIGN: Final = -1
"""What `end_of` says of a frame that is not of this kind."""

_TEXT: Final = 0x81  # the last, and so the only, frame of its message
_BINARY: Final = 0x82
_POOL: Final = 512  # bytes
_SHORT: Final = Struct("!BBH")
_LONG: Final = Struct("!BBQ")


def masks() -> Iterator[bytes]:
    """Masks that nobody can foresee, for one connection: asking the system for each would cost more than the frame."""
    while True:
        pool = urandom(_POOL)
        for begin in range(0, _POOL, 4):
            yield pool[begin : begin + 4]


def masked(message: Frame, mask: bytes) -> bytes:
    """The frame of a client for a message."""
    first, payload = (_BINARY, message) if isinstance(message, bytes) else (_TEXT, message.encode())
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = _SHORT.pack(first, 0x80 | 126, size)
    else:
        head = _LONG.pack(first, 0x80 | 127, size)
    return b"".join((head, mask, apply_mask(payload, mask)))


def end_of(data: bytes, begin: int, limit: int) -> int:
    """Where the frame of a server ends that begins there; 0 if that is not in `data`.

    `FOREIGN` if it is masked or longer than `limit` bytes, which is not allowed.
    """
    left = len(data) - begin
    if left < 2:
        return 0
    size, head = data[begin + 1], 2
    if size == 126:
        head = 4
        size = int.from_bytes(data[begin + 2 : begin + 4], "big") if left >= 4 else 0
    elif size == 127:
        head = 10
        size = int.from_bytes(data[begin + 2 : begin + 10], "big") if left >= 10 else 0
    elif size > 127:
        return FOREIGN
    if size > limit:
        return FOREIGN
    return begin + head + size if left >= head + size else 0


def message_of(frame: bytes) -> Frame | None:
    """The message of a whole frame of a server; None if it is none, not all of one, or not sound."""
    head = {126: 4, 127: 10}.get(frame[1], 2)
    if frame[0] == _BINARY:
        return frame[head:]
    if frame[0] != _TEXT:
        return None
    try:
        return str(frame[head:], "utf-8")
    except UnicodeDecodeError:
        return None
