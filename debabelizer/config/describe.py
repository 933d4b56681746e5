"""`describe`: every setting with its value and where that was written, fit to be shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from debabelizer.config.layers import dotted, leaves
from debabelizer.config.models import Settings
from debabelizer.config.places import is_reference
from debabelizer.config.positions import KeyPath
from debabelizer.config.redaction import MASK, redact
from debabelizer.config.secrets import Secret
from debabelizer.config.source import DEFAULT, Source
from debabelizer.config.tables import Providers, holds_secret, validate_provider
from debabelizer.errors import ConfigError, ProviderLookupError
from debabelizer.streaming.policy import StreamPolicy

__all__ = ["Row", "describe"]


@dataclass(frozen=True, slots=True)
class Row:
    """One setting.

    Attributes:
        key: Dotted key.
        value: As it is written in TOML; a secret is hidden, a reference to one is shown; empty is none.
        source: Where it was written.
    """

    key: str
    value: str
    source: Source


def describe(settings: Settings, providers: Providers | None = None) -> list[Row]:
    """Every setting, in the order of the reference, then the profiles.

    Args:
        settings: The configuration.
        providers: The installed providers. Of a table whose provider is not among them every text is hidden,
            since it may be a secret.
    """
    rows: list[Row] = []
    for name in ("stt", "stream", "plugins", "insecure", "profile"):
        rows += _rows(settings, (name,), getattr(settings, name))
    for name in dict.fromkeys((*settings.stt.provider, *settings.providers)):
        rows += _provider_rows(settings, name, providers)
    for path, value in leaves(settings.layer.data.get("profiles", {}), ("profiles",)):
        shown = _safe(value, path[3:], providers) if path[2:3] == ("providers",) else value
        rows += _rows(settings, path, shown)
    return rows


def _provider_rows(settings: Settings, name: str, providers: Providers | None) -> Iterator[Row]:
    root = ("providers", name)
    try:
        if providers is not None:
            spec = providers.spec(name)
            table = validate_provider(settings, spec, providers.settings_model(spec))
            yield from _rows(settings, root, table)
            return
    except (ProviderLookupError, ConfigError):
        pass  # shown as it was written, as far as that is safe; `check` tells what is wrong
    for path, value in leaves(settings.provider_table(name), root):
        yield from _rows(settings, path, _safe(value, path[1:], providers))


def _safe(value: Any, path: KeyPath, providers: Providers | None) -> Any:
    """What may be shown of a value at ``provider.key``: known settings; anything else may be a secret, mistyped."""
    if providers is not None and len(path) > 1:
        try:
            field = providers.settings_model(providers.spec(str(path[0]))).model_fields.get(str(path[1]))
        except ProviderLookupError:
            field = None
        if field is not None and not holds_secret(field.annotation):
            return value
    return _masked(value)


def _rows(settings: Settings, path: KeyPath, value: Any) -> Iterator[Row]:
    """One row for each value within."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    elif isinstance(value, StreamPolicy):
        value = asdict(value)
    if isinstance(value, Mapping) and value and not is_reference(value):
        for key, inner in value.items():
            yield from _rows(settings, (*path, key), inner)
    else:
        layer = settings.layer
        source = layer.source_of(path) if _is_written(layer.data, path) else DEFAULT
        yield Row(dotted(path), redact(toml(value)), source)


def _is_written(data: Any, path: KeyPath) -> bool:
    for part in path:
        if not isinstance(data, Mapping) or part not in data:
            return False
        data = data[part]
    return True


def _masked(value: Any) -> Any:
    """The value with every text in it hidden, unless it is a reference to a secret."""
    if is_reference(value):
        return value
    if isinstance(value, Mapping):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(inner) for inner in value]
    return value if isinstance(value, (bool, int, float)) else MASK


def toml(value: object) -> str:
    """A value in TOML; nothing for None, which TOML does not have."""
    if value is None:
        return ""
    if isinstance(value, Secret):
        return value.reference
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{dotted((key,))} = {toml(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(str(value), ensure_ascii=False)
