"""`load_settings`: from files, variables and arguments to `Settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from debabelizer.config.environment import CONFIG_VARIABLE, argument_layer, environment_layer, set_layer
from debabelizer.config.files import file_layer, find_layers
from debabelizer.config.layers import Layer
from debabelizer.config.models import Settings
from debabelizer.config.places import expanded
from debabelizer.config.problems import in_order, validated
from debabelizer.config.stack import Stack
from debabelizer.errors import ConfigError, ConfigProblem

__all__ = ["load_settings", "with_profile"]


def load_settings(
    config: str | os.PathLike[str] | Mapping[str, Any] | Settings | None = None,
    *,
    profile: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Load the configuration.

    From weak to strong: defaults, the user's file, the project's file, the profile, environment variables, `sets`,
    `overrides`. No secret is read and no command is run.

    Args:
        config: A file to read instead of those that would be found; or a mapping that stands for them; or
            `Settings`, which are taken with all their layers: the environment is not read again.
        profile: Name of a profile; stronger than ``DEBABELIZER_PROFILE`` and the key ``profile``.
        overrides: Settings as nested mappings.
        sets: ``key=value`` lines, as on the command line.
        environ: Instead of the process's environment.
        cwd: The folder to search from, instead of the current one.

    Raises:
        ConfigError: If anything is wrong with it; it has every problem.
    """
    problems: list[ConfigProblem] = []
    if isinstance(config, Settings):
        stack = config.stack
    else:
        variables = os.environ if environ is None else environ
        found = _base(config, variables, cwd)
        layer, strange = environment_layer(variables)
        stack = Stack(tuple(each for each in found if isinstance(each, Layer)), (layer,), environ=environ)
        problems += [*strange, *(each for each in found if isinstance(each, ConfigProblem))]
    settings, faults = set_layer(sets)
    over = (*stack.over, settings, argument_layer(overrides or {}))
    return _resolve(replace(stack, over=over, profile=profile or stack.profile), [*problems, *faults])


def with_profile(settings: Settings, name: str) -> Settings:
    """The same configuration with another profile.

    Raises:
        ConfigError: If there is none of that name, or something is wrong with it.
    """
    return _resolve(settings.stack.with_profile(name), [])


def _base(
    config: str | os.PathLike[str] | Mapping[str, Any] | None, environ: Mapping[str, str], cwd: Path | None
) -> list[Layer | ConfigProblem]:
    """The layers that stand below the profile."""
    if isinstance(config, Mapping):
        return [argument_layer(config)]
    if config is not None:
        return [_named_file(Path(config), cwd)]
    if named := environ.get(CONFIG_VARIABLE):
        layer = _named_file(Path(named), cwd)
        return [replace(layer, hint=f"{CONFIG_VARIABLE} names it.") if isinstance(layer, ConfigProblem) else layer]
    return find_layers(environ, cwd)


def _named_file(path: Path, cwd: Path | None) -> Layer | ConfigProblem:
    return file_layer((cwd or Path()) / expanded(path))


def _resolve(stack: Stack, problems: list[ConfigProblem]) -> Settings:
    layer, more = stack.merge()
    found = validated(Settings, layer.data, layer)
    if isinstance(found, Settings) and not problems and not more:
        return found.of(stack, layer)
    problems = [*problems, *more, *(found if isinstance(found, list) else ())]
    # What is wrong in the chosen profile was found twice: there, and where it is laid over the rest.
    raise ConfigError(in_order(problems), settings=_salvaged(stack, layer))


def _salvaged(stack: Stack, layer: Layer) -> Settings | None:
    """The providers' tables of a configuration that is broken elsewhere, so that they can be checked with it."""
    found = validated(Settings, {"providers": layer.data.get("providers", {})}, layer)
    return found.of(stack, layer) if isinstance(found, Settings) else None
