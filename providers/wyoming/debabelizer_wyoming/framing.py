"""Wyoming's frames: a line of JSON, more JSON if the line says so, and bytes if it says so (documentation).

Our own, because the ``wyoming`` package takes a broken frame for the end of the connection, and frames of any length.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from debabelizer.errors import ProtocolError
from debabelizer_wyoming import NAME

__all__ = ["LONGEST_LINE", "Event", "encode", "read_event"]

LONGEST_LINE: Final = 64 * 1024
"""Longest first line of a frame, in bytes; also what the reader of the ``wyoming`` package takes."""

_MOST_DATA: Final = 4 * 1024 * 1024  # `info` of a server with hundreds of voices has some hundred thousand bytes
_MOST_PAYLOAD: Final = 4 * 1024 * 1024  # seconds of audio, of which one frame holds a tenth


@dataclass(frozen=True, slots=True)
class Event:
    """One frame.

    Attributes:
        type: What it is, e.g. ``transcript``.
        data: Its members.
        payload: Audio, in those that carry some.
    """

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = field(default=b"", repr=False)


def encode(event: Event) -> bytes:
    """An event as bytes. Its data goes into a block of its own, as the ``wyoming`` package writes it."""
    data = json.dumps(event.data, ensure_ascii=False).encode() if event.data else b""
    line: dict[str, Any] = {"type": event.type}
    if data:
        line["data_length"] = len(data)
    if event.payload:
        line["payload_length"] = len(event.payload)
    return json.dumps(line).encode() + b"\n" + data + event.payload


async def read_event(reader: asyncio.StreamReader) -> Event | None:
    """The next event, or None if the connection ended between two. The limit of `reader` bounds the first line.

    Raises:
        ProtocolError: If it is none, or too long.
        asyncio.IncompleteReadError: If the connection ends within it.
        OSError: If the connection breaks.
    """
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise _broken(f"begins with more than {LONGEST_LINE:,} bytes without an end of line") from error
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    head = _object(line)
    kind, data = head.get("type"), head.get("data")
    data = {} if data is None else data
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise _broken("has no type, or data that is no object")
    # Data may stand in the line, in the block, or in both; then the block is the newer one (documentation).
    if size := _length(head, "data_length", _MOST_DATA):
        data = {**data, **_object(await reader.readexactly(size))}
    size = _length(head, "payload_length", _MOST_PAYLOAD)
    return Event(kind, data, await reader.readexactly(size) if size else b"")


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested without end
        raise _broken("is not JSON") from error
    if not isinstance(value, dict):
        raise _broken("is not a JSON object")
    return value


def _length(head: Mapping[str, Any], name: str, most: int) -> int:
    size = head.get(name) or 0
    if not isinstance(size, int) or not 0 <= size <= most:
        raise _broken(f"has a {name} that is no number up to {most:,}")
    return size


def _broken(what: str) -> ProtocolError:
    return ProtocolError(f"A frame of the Wyoming server {what}.", provider=NAME)
