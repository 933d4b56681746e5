"""Reading a TOML file: every way it can fail is a `ConfigProblem` with its place."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from debabelizer.config.positions import KeyPath, Position, scan
from debabelizer.errors import ConfigProblem

__all__ = ["Document", "read"]

_LARGEST = 4 * 1024 * 1024  # no configuration is larger; a recording taken for one is
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file.

    Attributes:
        path: The file.
        data: Its tables.
        positions: Where each key stands.
    """

    path: Path
    data: dict[str, Any] = field(repr=False)
    positions: dict[KeyPath, Position] = field(repr=False)


def read(path: Path) -> Document | ConfigProblem:
    """Read a file; a problem is returned, not raised, so that it can be told together with others."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return ConfigProblem("there is no such file.", source=path)
    except IsADirectoryError:
        return ConfigProblem("is a folder, not a file.", source=path)
    except OSError as error:
        return ConfigProblem(f"cannot be read: {error.strerror}.", source=path)
    if len(content) > _LARGEST:
        return ConfigProblem(f"is larger than {_LARGEST // 1024**2} MiB: that is no configuration.", source=path)
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return _not_utf8(path, error)
    return _parse(path, text)


def _not_utf8(path: Path, error: UnicodeDecodeError) -> ConfigProblem:
    content, before = error.object, error.object[: error.start].decode()
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    hint = "Save it as UTF-8."
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "It seems to be UTF-16; save it as UTF-8."
    return ConfigProblem("is not UTF-8 text.", source=path, line=line, column=column, hint=hint)


def _parse(path: Path, text: str) -> Document | ConfigProblem:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _malformed(path, text, str(error))
    except RecursionError:
        return ConfigProblem("is nested too deeply.", source=path)
    return Document(path, data, scan(text))


def _malformed(path: Path, text: str, message: str) -> ConfigProblem:
    """`tomllib` tells the place in its message only (its attributes are new in Python 3.14)."""
    place = _PLACE.search(message)
    if place is not None and place[1]:
        line, column = int(place[1]), int(place[2])
    else:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    reason = _PLACE.sub("", message)
    return ConfigProblem(f"is not valid TOML: {reason}.", source=path, line=line, column=column)
