"""`Node`: a JSON object whose members are checked as they are read, so that nothing behind is surprised.

Every member may be missing or null, and unknown ones are ignored; one of the wrong type is a broken protocol.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from debabelizer.errors import ProtocolError

__all__ = ["Node"]

MemberT = TypeVar("MemberT")


class Node:
    """A JSON object from Deepgram.

    Args:
        members: Its members.
    """

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    @classmethod
    def of_frame(cls, frame: str | bytes) -> Node:
        """Read a frame of a WebSocket.

        Raises:
            ProtocolError: If it is no JSON object. It is not repeated: it may be long, and may hold anything.
        """
        if not isinstance(frame, str):
            raise ProtocolError(f"Deepgram sent a binary frame of {len(frame)} bytes; it speaks text only.")
        try:
            body = json.loads(frame)
        except (ValueError, RecursionError):
            raise ProtocolError(f"Deepgram sent a frame of {len(frame)} characters that is not JSON.") from None
        return cls._checked(body, "a frame")

    def text(self, name: str) -> str | None:
        """A text."""
        return self._member(name, str)

    def flag(self, name: str) -> bool:
        """A boolean; false if it is not there."""
        return self._member(name, bool) or False

    def count(self, name: str) -> int | None:
        """A whole number; a speaker or a channel."""
        value = self._members.get(name)
        if value is None:
            return None
        if type(value) is not int:
            raise self._wrong(name, value)
        return value

    def number(self, name: str) -> float | None:
        """A finite number."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self._wrong(name, value)
        return float(value)

    def seconds(self, name: str) -> float | None:
        """A time, which is never negative."""
        value = self.number(name)
        if value is not None and value < 0:
            raise ProtocolError(f"Deepgram sent a negative {name!r}.")
        return value

    def node(self, name: str) -> Node:
        """An object; one without members if it is not there."""
        return Node(self._member(name, dict) or {})

    def nodes(self, name: str) -> list[Node]:
        """A list of objects; empty if it is not there."""
        return [self._checked(item, f"a member of {name!r}") for item in self._member(name, list) or ()]

    def texts(self, name: str) -> list[str]:
        """A list of texts; empty if it is not there."""
        items = self._member(name, list) or []
        for item in items:
            if not isinstance(item, str):
                raise self._wrong(name, item)
        return items

    def _member(self, name: str, kind: type[MemberT]) -> MemberT | None:
        value = self._members.get(name)
        if value is None or isinstance(value, kind):
            return value
        raise self._wrong(name, value)

    @staticmethod
    def _checked(value: Any, what: str) -> Node:
        if not isinstance(value, dict):
            raise ProtocolError(f"Deepgram sent {what} with a JSON {type(value).__name__} where an object belongs.")
        return Node(value)

    @staticmethod
    def _wrong(name: str, value: Any) -> ProtocolError:
        return ProtocolError(f"Deepgram sent a {type(value).__name__} as {name!r}, which cannot be used.")
