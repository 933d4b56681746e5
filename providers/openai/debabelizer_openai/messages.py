"""Frames of Realtime sessions, read and written."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from debabelizer.errors import ProtocolError

__all__ = ["COMMIT", "append", "frame", "longer", "parse", "seconds", "text"]

_LONGEST_TEXT: Final = 1_000_000  # characters of one utterance


def frame(kind: str, **members: Any) -> str:
    """A client event."""
    return json.dumps({"type": kind, **members}, ensure_ascii=False)


def append(audio: bytes) -> str:
    """The client event that carries audio."""
    return f'{{"type": "input_audio_buffer.append", "audio": "{b64encode(audio).decode()}"}}'


COMMIT: Final = frame("input_audio_buffer.commit")


def parse(received: str | bytes) -> Mapping[str, Any]:
    """Read a server event.

    Raises:
        ProtocolError: If it is none. Its text is not repeated: it may be long, and may hold anything.
    """
    try:
        body = json.loads(received)
    except (ValueError, RecursionError):
        raise ProtocolError(f"The service sent a frame of {len(received)} characters that is not JSON.") from None
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        raise ProtocolError("The service sent a frame that is no event.")
    return body


def text(body: Mapping[str, Any], name: str) -> str:
    """A text, empty if it is not there.

    Raises:
        ProtocolError: If it is something else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ProtocolError(f"The service sent a {type(value).__name__} as {name!r}, which is a text.")
    return value or ""


def longer(so_far: str, delta: str) -> str:
    """What was written so far, with what was added.

    Raises:
        ProtocolError: If there is no end to it: a service that repeats itself for ever must not fill the memory.
    """
    if len(so_far) + len(delta) > _LONGEST_TEXT:
        raise ProtocolError("The service writes without an end.")
    return so_far + delta


def seconds(body: Mapping[str, Any], name: str) -> float:
    """Milliseconds as seconds.

    Raises:
        ProtocolError: If they are not there.
    """
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ProtocolError(f"The service sent no usable {name!r}.")
    return value / 1000
