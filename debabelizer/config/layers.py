"""Layers of settings, laid one over another, each setting knowing where it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from debabelizer.config.places import is_reference
from debabelizer.config.positions import KeyPath
from debabelizer.config.source import DEFAULT, Source

__all__ = ["Layer", "dotted", "leaves", "merge"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: KeyPath) -> str:
    """A path as it is written in TOML: ``stt.provider``, ``providers.soniox."odd key"``, ``list[0]``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)}"
    return text.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings of one origin, or several merged.

    Attributes:
        data: The tables.
        sources: Where each key was written.
        source: Where everything else was.
    """

    data: Mapping[str, Any] = field(repr=False)  # holds secrets
    sources: Mapping[KeyPath, Source] = field(default_factory=dict, repr=False)
    source: Source = DEFAULT

    def source_of(self, path: KeyPath) -> Source:
        """Where `path` was written, or else the nearest table or array around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.sources:
                return self.sources[path[:length]]
        return self.source

    def below(self, root: KeyPath) -> Layer:
        """The table at `root` as a layer of its own; its sources remember the whole key."""
        data: Any = self.data
        for key in root:
            data = data[key]
        sources = {
            path[len(root) :]: Source(source.name, source.line, source.column, source.key or dotted(path))
            for path, source in self.sources.items()
            if len(path) > len(root) and path[: len(root)] == root
        }
        return Layer(data, sources, self.source_of(root))


def merge(layers: Iterable[Layer]) -> Layer:
    """Lay each layer over those before it.

    Tables are merged key by key, anything else is replaced; so are references to secrets, of which a table of
    both ``env`` and ``file`` would make nonsense.
    """
    data: dict[str, Any] = {}
    sources: dict[KeyPath, Source] = {}
    for layer in layers:
        _lay(layer.data, data, (), layer, sources)
    return Layer(data, sources)


def _lay(
    table: Mapping[str, Any], base: dict[str, Any], path: KeyPath, layer: Layer, sources: dict[KeyPath, Source]
) -> None:
    for key, value in table.items():
        here = (*path, key)
        if _is_table(value) and _is_table(base.get(key)):
            _lay(value, base[key], here, layer, sources)
        else:
            for old in [known for known in sources if known[: len(here)] == here]:
                del sources[old]
            base[key] = _copied(value, here, layer, sources)


def _copied(value: Any, path: KeyPath, layer: Layer, sources: dict[KeyPath, Source]) -> Any:
    """The value with tables and lists of its own, and the sources of all that it holds."""
    sources[path] = layer.source_of(path)
    if isinstance(value, Mapping):
        return {key: _copied(inner, (*path, key), layer, sources) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(inner, (*path, index), layer, sources) for index, inner in enumerate(value)]
    return value


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) and not is_reference(value)


def leaves(table: Mapping[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every setting in a table that is not itself a table, in order; references and empty tables count as such."""
    for key, value in table.items():
        if _is_table(value) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value
