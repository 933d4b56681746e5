"""The layers that are not files: environment variables, ``--set``, and Python arguments."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from debabelizer.config.layers import Layer, leaves, merge
from debabelizer.config.models import Settings, SttSettings
from debabelizer.config.positions import KeyPath
from debabelizer.config.provider import Table
from debabelizer.config.sections import StreamTable
from debabelizer.config.source import ARGUMENT, Source
from debabelizer.errors import ConfigProblem

__all__ = ["CONFIG_VARIABLE", "PREFIX", "RESERVED", "argument_layer", "environment_layer", "set_layer", "variable"]

PREFIX: Final = "DEBABELIZER_"
CONFIG_VARIABLE: Final = "DEBABELIZER_CONFIG"
RESERVED: Final = frozenset({CONFIG_VARIABLE, "DEBABELIZER_PLUGINS"})
"""Variables of that prefix that mean something else than a setting."""

_NO_TABLES: Final = ("insecure", "profile")


def variable(path: KeyPath) -> str:
    """The environment variable of a setting."""
    return PREFIX + "__".join(str(key) for key in path).upper()


def environment_layer(environ: Mapping[str, str]) -> tuple[Layer, list[ConfigProblem]]:
    """The settings among environment variables, and those variables that look like one but are none.

    A name is split at ``__``, whatever its case. Texts stay texts: what they become is up to the models, and those
    of providers are not known here.
    """
    names: dict[KeyPath, str] = {
        tuple(name.lower().removeprefix(PREFIX.lower()).split("__")): name
        for name, text in environ.items()
        if name.upper().startswith(PREFIX) and name.upper() not in RESERVED and text
    }
    data: dict[str, Any] = {}
    problems: list[ConfigProblem] = []
    for path, name in names.items():
        if not _is_setting(path):
            problems.append(_unknown_variable(name))
        elif around := next((names[path[:end]] for end in range(1, len(path)) if path[:end] in names), None):
            problems.append(_problem(name, f"lies within {around}, which is set too.", "Unset one of them."))
        else:
            _put(data, path, environ[name])
    sources = {path: Source(f"environment variable {names.get(path) or variable(path)}") for path, _ in leaves(data)}
    return Layer(data, sources, Source("environment")), problems


def _is_setting(path: KeyPath) -> bool:
    return path[0] in Settings.model_fields and (len(path) == 1 or path[0] not in _NO_TABLES)


def _put(table: dict[Any, Any], path: KeyPath, text: str) -> None:
    """Set a key within nested tables, none of which is a text."""
    *tables, key = path
    for name in tables:
        table = table.setdefault(name, {})
    table[key] = text


def _unknown_variable(name: str) -> ConfigProblem:
    known = [variable((table, key)) for table in ("stt", "stream") for key in _keys(table)]
    known += [*RESERVED, *(variable((field,)) for field in _NO_TABLES), variable(("plugins", "disable"))]
    nearest = get_close_matches(name.upper().removeprefix(PREFIX), [it.removeprefix(PREFIX) for it in known], n=1)
    hint = f"Did you mean {PREFIX}{nearest[0]}?" if nearest else f"Its form is {variable(('table', 'key'))}."
    return _problem(name, "is not a setting.", hint)


def _problem(name: str, message: str, hint: str) -> ConfigProblem:
    return ConfigProblem(message, source=f"environment variable {name}", hint=hint)


def _keys(table: str) -> tuple[str, ...]:
    models: dict[str, type[Table]] = {"stt": SttSettings, "stream": StreamTable}
    return tuple(models[table].model_fields)


def set_layer(sets: Sequence[str]) -> tuple[Layer, list[ConfigProblem]]:
    """The settings of ``--set key=value``: a dotted key and a TOML value, or else text."""
    layers: list[Layer] = []
    problems: list[ConfigProblem] = []
    source = Source("--set")
    for text in sets:
        key, _, value = text.partition("=")
        path = _path(key) if "=" in text else ()
        if path:
            data: Any = _value(value)
            for part in reversed(path):
                data = {part: data}
            layers.append(Layer(data, source=source))
        else:  # the text is not shown: it may hold a secret
            problems.append(source.problem("needs key=value, like stt.provider=moonshine."))
    return Layer(merge(layers).data, source=source), problems


def _path(key: str) -> tuple[str, ...]:
    """The parts of a dotted key, or nothing."""
    try:
        table: Any = tomllib.loads(f"{key.strip()} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts: list[str] = []
    while isinstance(table, dict) and len(table) == 1:
        [(part, table)] = table.items()
        parts.append(part)
    return () if table else tuple(parts)


def _value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text.strip()
    return table["value"] if len(table) == 1 else text


def argument_layer(settings: Mapping[str, Any]) -> Layer:
    """The settings of a Python argument."""
    return Layer(settings, source=ARGUMENT)
