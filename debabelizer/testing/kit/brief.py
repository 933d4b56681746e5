"""Events in few words: only what differs from the default."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

__all__ = ["brief", "members"]


def members(value: Any) -> dict[str, Any]:
    """The fields of a value that differ from their defaults, as JSON types."""
    found = {}
    for part in fields(value):
        own = getattr(value, part.name)
        if own != part.default or part.default is MISSING:
            found[part.name] = _plain(own)
    return found


def brief(value: Any) -> str:
    """A value as its constructor would be called."""
    parts = []
    for part in fields(value):
        own = getattr(value, part.name)
        if own != part.default or part.default is MISSING:
            parts.append(f"{part.name}={_short(own)}")
    return f"{type(value).__name__}({', '.join(parts)})"


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))})"
    return brief(value) if is_dataclass(value) else repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return members(value) if is_dataclass(value) else value
