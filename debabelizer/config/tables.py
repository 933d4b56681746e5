"""Providers' own tables: validated by the provider's model, with secrets bound to where they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast, get_args

from pydantic import BaseModel

from debabelizer.config.environment import argument_layer
from debabelizer.config.layers import Layer, dotted, merge
from debabelizer.config.load import with_profile
from debabelizer.config.models import Settings
from debabelizer.config.positions import KeyPath
from debabelizer.config.problems import in_order, validated
from debabelizer.config.secrets import Secret
from debabelizer.config.source import DEFAULT
from debabelizer.errors import ConfigError, ConfigProblem, ProviderLookupError
from debabelizer.spec import ProviderSpec
from debabelizer.spec import Secret as SecretSpec

__all__ = [
    "CheckReport",
    "Providers",
    "check",
    "holds_secret",
    "missing_secret",
    "missing_secrets",
    "reveal_all",
    "validate_provider",
]

ModelT = TypeVar("ModelT", bound=BaseModel)


class Providers(Protocol):
    """What is to be known of the installed providers; a `PluginRegistry` knows it."""

    def spec(self, name: str) -> ProviderSpec:
        """The spec of a provider. Raises `ProviderLookupError` if it cannot be used."""

    def settings_model(self, spec: ProviderSpec) -> type[BaseModel]:
        """The model of its table. Raises `ProviderLookupError` if it cannot be used."""


def validate_provider(
    settings: Settings, spec: ProviderSpec, model: type[ModelT], options: Mapping[str, Any] | None = None
) -> ModelT:
    """Validate a provider's table.

    A secret that is not configured refers to the environment variable that the spec names. ``insecure = true`` in
    the configuration holds for every provider that has a setting of that name.

    Args:
        settings: The configuration.
        spec: The provider.
        model: Its model.
        options: Laid over the table for this one call.

    Raises:
        ConfigError: If anything in it is wrong; it has every problem.
    """
    found = _validated(settings, spec, model, options or {})
    if isinstance(found, list):
        raise ConfigError(in_order(found))
    return found


def _validated(
    settings: Settings, spec: ProviderSpec, model: type[ModelT], options: Mapping[str, Any]
) -> ModelT | list[ConfigProblem]:
    root = ("providers", spec.name)
    layer = merge((settings.layer, argument_layer({"providers": {spec.name: options}})))
    data: dict[str, Any] = layer.data["providers"][spec.name]
    if settings.insecure and "insecure" in model.model_fields:
        data.setdefault("insecure", True)
    variables = {_path(secret): secret for secret in spec.secrets}
    for path in dict.fromkeys((*variables, *_secret_fields(model))):
        table = _table(data, path[:-1])
        if table is None:
            continue  # something else stands in its way, for validation to tell
        try:
            secret = _secret(table.get(path[-1]), (*root, *path), layer, settings, variables.get(path))
        except ValueError:
            continue  # left as it is, likewise
        if secret is not None:
            table[path[-1]] = settings.same(secret)
    return cast("ModelT | list[ConfigProblem]", validated(model, data, layer, root))


def _path(secret: SecretSpec) -> tuple[str, ...]:
    return tuple(secret.key.split("."))


def _secret_fields(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """Fields of a model that hold a secret, whether or not the spec names them."""
    for name, field in model.model_fields.items():
        if holds_secret(field.annotation):
            yield (field.alias or name,)


def holds_secret(annotation: Any) -> bool:
    """Whether a field of this type holds a secret."""
    return annotation is Secret or Secret in get_args(annotation)


def _table(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    """The table at `path`, made if there is nothing."""
    current: Any = data
    for part in path:
        current = current.setdefault(part, {})
        if not isinstance(current, dict):
            return None
    return cast("dict[str, Any]", current)


def _secret(value: Any, key: KeyPath, layer: Layer, settings: Settings, spec: SecretSpec | None) -> Secret | None:
    """The secret that was written as `value`, or else the default that the spec names.

    Raises:
        ValueError: If it is none.
    """
    source, environ = layer.source_of(key), settings.stack.environ
    if value is not None:
        return Secret.parse(value, key=dotted(key), source=source, environ=environ)
    if spec is None:
        return None
    secret = Secret.parse({"env": spec.env}, key=dotted(key), source=DEFAULT, environ=environ)
    return secret if spec.required or secret.missing() is None else None


def missing_secret(settings: Settings, spec: ProviderSpec, secret: SecretSpec) -> ConfigProblem | None:
    """Why a secret of a provider cannot be had, or None. Nothing is read, run or imported to tell."""
    path = _path(secret)
    value: Any = settings.provider_table(spec.name)
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    key = ("providers", spec.name, *path)
    try:
        found = _secret(value, key, settings.layer, settings, secret)
    except ValueError as error:
        return settings.layer.source_of(key).problem(f"{error}.", key=dotted(key))
    return None if found is None else found.missing()


async def reveal_all(table: BaseModel) -> None:
    """Read every secret of a provider's settings, so that revealing them later does not wait.

    A command may take seconds and ask the user, so what takes time runs in a thread.

    Raises:
        ConfigError: If one of them cannot be had.
    """
    for secret in _secrets(table):
        if secret.at_hand:
            secret.reveal()
        else:
            await asyncio.to_thread(secret.reveal)


def missing_secrets(table: BaseModel) -> tuple[ConfigProblem, ...]:
    """Why secrets of a provider's settings cannot be had. Reads no file's content, and runs no command."""
    found = [secret.missing() for secret in _secrets(table)]
    return tuple(problem for problem in found if problem is not None)


def _secrets(table: BaseModel) -> Iterator[Secret]:
    for _, value in table:
        if isinstance(value, Secret):
            yield value
        elif isinstance(value, BaseModel):
            yield from _secrets(value)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found.

    Attributes:
        problems: What makes the configuration fail.
        notes: What is worth knowing, and does no harm as things are.
    """

    problems: tuple[ConfigProblem, ...]
    notes: tuple[ConfigProblem, ...]


def check(settings: Settings, providers: Providers) -> CheckReport:
    """Validate the table of every provider, in every profile, and look for the secrets.

    A provider that is not there, or a secret, is a problem only if the configuration as it stands uses it.
    """
    problems: list[ConfigProblem] = []
    notes: list[ConfigProblem] = []
    for variant in (settings, *(with_profile(settings, name) for name in settings.profiles)):
        for name in dict.fromkeys((*variant.stt.provider, *variant.providers)):
            found, missing = _check_provider(variant, name, providers)
            problems += found
            is_used = variant is settings and name in settings.stt.provider
            (problems if is_used else notes).extend(missing)
    return CheckReport(in_order(problems), in_order(note for note in notes if note not in problems))


def _check_provider(
    settings: Settings, name: str, providers: Providers
) -> tuple[list[ConfigProblem], list[ConfigProblem]]:
    """What is wrong with a provider's table, and what it lacks."""
    try:
        spec = providers.spec(name)
        model = providers.settings_model(spec)
    except ProviderLookupError as error:
        key = ("stt", "provider") if name in settings.stt.provider else ("providers", name)
        return [], [settings.layer.source_of(key).problem(error.message, key=dotted(key), hint=error.hint)]
    found = _validated(settings, spec, model, {})
    missing = [missing_secret(settings, spec, secret) for secret in spec.secrets if secret.required]
    return found if isinstance(found, list) else [], [problem for problem in missing if problem is not None]
