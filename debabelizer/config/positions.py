"""Where each key of a TOML document stands. `tomllib` gives values without places; this gives places without values.

Only documents that `tomllib` has accepted are scanned, so the scanner may trust the grammar and merely has to find
its way: https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final, TypeAlias

__all__ = ["KeyPath", "Position", "scan"]

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys that lead to a value, with an index for each array on the way."""

Position: TypeAlias = tuple[int, int]
"""Line and column, both 1-based."""

_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})|' + r"'''.*?'''(?:'{0,2})|" + r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'", re.DOTALL
)
_PLAIN: Final = re.compile(r"[^,\]}#\n]+")  # numbers, booleans, dates: up to whatever may follow a value
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def scan(text: str) -> dict[KeyPath, Position]:
    """The position of every key, header and element of an array in a valid document.

    A table's is that of its own header or key, else of the first key that leads into it.

    Args:
        text: The document, with line feeds alone as line ends.
    """
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._found: dict[KeyPath, Position] = {}
        self._lengths: dict[KeyPath, int] = {}  # of arrays of tables

    def document(self) -> dict[KeyPath, Position]:
        table: KeyPath = ()
        while self._skip_blank() < len(self._text):
            if self._take("[["):
                start, keys = self._at - 2, self._keys()
                table = self._next_element(self._resolve(keys))
                self._mark_all(table, start)
                self._take_after_blank("]]")
            elif self._take("["):
                start, keys = self._at - 1, self._keys()
                table = self._resolve(keys)
                self._mark_all(table, start)
                self._take_after_blank("]")
            else:
                self._pair(table)
        return self._found

    def _pair(self, table: KeyPath) -> None:
        """``key = value``, within a table or an inline table."""
        start = self._at
        path = (*table, *self._keys())
        self._mark_all(path, start)
        self._take_after_blank("=")
        self._skip_blank()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._take("["):
            index = 0
            while not self._take_after_blank("]"):
                self._mark((*path, index), self._at)
                self._value((*path, index))
                index += 1
                self._take_after_blank(",")
        elif self._take("{"):
            while not self._take_after_blank("}"):
                self._pair(path)
                self._take_after_blank(",")
        else:
            self._match(_STRING, _PLAIN)

    def _keys(self) -> tuple[str, ...]:
        """A dotted key, after which the scanner stands at what follows it."""
        keys: list[str] = []
        while True:
            self._skip_blank()
            raw = self._match(_STRING, _BARE_KEY)
            keys.append(_unquoted(raw) if raw[0] in "\"'" else raw)
            if not self._take_after_blank("."):
                return tuple(keys)

    def _resolve(self, keys: tuple[str, ...]) -> KeyPath:
        """The path of a header. What stands behind an array of tables belongs to its last element."""
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return (*path, keys[-1])

    def _next_element(self, array: KeyPath) -> KeyPath:
        index = self._lengths.get(array, 0)
        self._lengths[array] = index + 1
        return (*array, index)

    def _mark_all(self, path: KeyPath, start: int) -> None:
        """Note the position of a path and of the tables on the way to it that have none yet."""
        for length in range(1, len(path)):
            self._mark(path[:length], start)
        self._mark(path, start, anew=True)

    def _mark(self, path: KeyPath, start: int, *, anew: bool = False) -> None:
        line = bisect_right(self._lines, start)
        position = (line, start - self._lines[line - 1] + 1)
        if anew:
            self._found[path] = position
        else:
            self._found.setdefault(path, position)

    def _skip_blank(self) -> int:
        self._match(_BLANK)
        return self._at

    def _match(self, *patterns: re.Pattern[str]) -> str:
        """Move behind the first pattern that matches here."""
        match = next(match for pattern in patterns if (match := pattern.match(self._text, self._at)))
        self._at = match.end()
        return match[0]

    def _take(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _take_after_blank(self, token: str) -> bool:
        self._skip_blank()
        return self._take(token)


def _unquoted(key: str) -> str:
    (value,) = tomllib.loads(f"key = {key}").values()
    return str(value)
