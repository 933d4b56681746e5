"""Finding configuration files, and reading them as layers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from debabelizer.config.layers import Layer, dotted
from debabelizer.config.positions import KeyPath
from debabelizer.config.source import Source
from debabelizer.config.toml import Document, read
from debabelizer.errors import ConfigProblem

__all__ = ["FILE", "file_layer", "find_layers", "user_file"]

FILE: Final = "debabelizer.toml"
_PYPROJECT: Final = "pyproject.toml"
_SECTION: Final[KeyPath] = ("tool", "debabelizer")


def find_layers(environ: Mapping[str, str], cwd: Path | None) -> list[Layer | ConfigProblem]:
    """The user's file and the project's, those that there are."""
    project = _project_layer(cwd)
    user = user_file(environ)
    if user is None or not _is_there(user) or (isinstance(project, Layer) and project.source.name == user):
        return [project] if project is not None else []
    return [file_layer(user), *([project] if project is not None else [])]


def user_file(environ: Mapping[str, str]) -> Path | None:
    """Where the user's own configuration is kept, whether or not there is one; None without a home folder."""
    if folder := environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME"):
        return Path(folder, "debabelizer", FILE)
    home = environ.get("USERPROFILE" if os.name == "nt" else "HOME")
    return Path(home, ".config", "debabelizer", FILE) if home else None


def _project_layer(cwd: Path | None) -> Layer | ConfigProblem | None:
    """The nearest configuration in the current folder or those above."""
    try:
        start = (cwd or Path.cwd()).absolute()
    except FileNotFoundError:  # the current folder was deleted
        return None
    for folder in (start, *start.parents):
        pyproject = _pyproject_layer(folder / _PYPROJECT)
        if not _is_there(folder / FILE):
            if pyproject is not None:
                return pyproject
        elif isinstance(pyproject, Layer):
            message = f"there are two configurations in this folder: {FILE} and [{dotted(_SECTION)}] in {_PYPROJECT}."
            return ConfigProblem(message, source=folder, hint="Keep one of them.")
        else:
            return file_layer(folder / FILE)
    return None


def _pyproject_layer(path: Path) -> Layer | ConfigProblem | None:
    """A project's table in its ``pyproject.toml``. A file that does not name us is none of our business."""
    try:
        if not path.is_file() or b"debabelizer" not in path.read_bytes():
            return None
    except OSError:
        return None
    document = read(path)
    if isinstance(document, ConfigProblem):
        return document
    tool = document.data.get("tool")
    return _section_layer(document, _SECTION) if isinstance(tool, dict) and _SECTION[1] in tool else None


def file_layer(path: Path) -> Layer | ConfigProblem:
    """Read a configuration file; in a ``pyproject.toml`` it is the table ``[tool.debabelizer]``."""
    document = read(path)
    if isinstance(document, ConfigProblem):
        return document
    return _section_layer(document, _SECTION if path.name == _PYPROJECT else ())


def _section_layer(document: Document, section: KeyPath) -> Layer | ConfigProblem:
    data: Any = document.data
    for part in section:
        data = data.get(part) if isinstance(data, dict) else None
    if not isinstance(data, dict):
        return Source(document.path).problem(f"has no table [{dotted(section)}].")
    sources = {}
    for path, (line, column) in document.positions.items():
        if path[: len(section)] == section:
            key = dotted(path) if section else None
            sources[path[len(section) :]] = Source(document.path, line, column, key)
    return Layer(data, sources, Source(document.path))


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True
