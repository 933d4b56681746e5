"""The layers that are not files: environment variables, ``--set``, and Python arguments."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

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


def variable(path: KeyPath) -> str:
    """The environment variable of a setting."""
    return PREFIX + "__".join(str(key) for key in path).upper()


class _Variables(EnvSettingsSource):
    """Nests variables by ``__``, from any mapping, and leaves it to the models what to make of the texts."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = variables

    def decode_complex_value(self, _field_name: str, _field: FieldInfo, value: Any) -> Any:
        return value  # nothing is known of providers' tables here: a key of digits must not become a number


def environment_layer(environ: Mapping[str, str]) -> tuple[Layer, list[ConfigProblem]]:
    """The settings among environment variables, and those variables that look like one but are none."""
    names = {
        name.lower(): name
        for name, text in environ.items()
        if name.upper().startswith(PREFIX) and name.upper() not in RESERVED and text
    }
    data = _Variables({name: environ[spelt] for name, spelt in names.items()})()
    sources = {}
    for path, _ in leaves(data):
        spelt = names.get(variable(path).lower(), variable(path))
        sources[path] = Source(f"environment variable {spelt}")
    strange = [spelt for name, spelt in names.items() if not _is_setting(name)]
    return Layer(data, sources, Source("environment")), [_unknown_variable(spelt) for spelt in strange]


def _is_setting(name: str) -> bool:
    return name.removeprefix(PREFIX.lower()).split("__")[0] in Settings.model_fields


def _unknown_variable(name: str) -> ConfigProblem:
    known = [variable((table, key)) for table in ("stt", "stream") for key in _keys(table)]
    known += [*RESERVED, *(variable((field,)) for field in ("insecure", "profile")), variable(("plugins", "disable"))]
    nearest = get_close_matches(name.upper().removeprefix(PREFIX), [it.removeprefix(PREFIX) for it in known], n=1)
    hint = f"Did you mean {PREFIX}{nearest[0]}?" if nearest else f"Its form is {variable(('table', 'key'))}."
    return ConfigProblem("is not a setting.", source=f"environment variable {name}", hint=hint)


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
