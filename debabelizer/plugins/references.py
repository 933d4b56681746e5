"""The ``"package.module:Name"`` references of a spec, imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from debabelizer.errors import PluginLoadError
from debabelizer.plugins.isolation import isolate
from debabelizer.plugins.rows import missing_need
from debabelizer.provider import Provider
from debabelizer.spec import ProviderSpec

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["load_factory", "load_settings_model"]


def load_factory(spec: ProviderSpec) -> Callable[[ProviderSpec], Provider[Any]]:
    """Import what makes the provider.

    Returns:
        A function from the spec to the provider, which raises `PluginLoadError` like this one.

    Raises:
        PluginLoadError: If a module it needs is missing, its import fails, or it is no factory of providers.
    """
    if need := missing_need(spec):
        reason, hint = need
        raise PluginLoadError(f"Provider {spec.name!r} cannot be used here. {reason}", name=spec.name, hint=hint)
    factory = _resolve(spec, "factory")
    if not callable(factory) or (isinstance(factory, type) and not issubclass(factory, Provider)):
        raise _misfit(spec, "factory", "is not a subclass of debabelizer.provider.Provider")

    def make(spec: ProviderSpec) -> Provider[Any]:
        provider = isolate(spec.name, "cannot be opened", factory, spec)
        if not isinstance(provider, Provider):
            raise _misfit(spec, "factory", f"returned a {type(provider).__name__} where a Provider belongs")
        return provider

    return make


def load_settings_model(spec: ProviderSpec) -> type[BaseModel]:
    """Import the pydantic model of the provider's table.

    Raises:
        PluginLoadError: If its import fails or it is no such model.
    """
    from pydantic import BaseModel

    model = _resolve(spec, "settings")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise _misfit(spec, "settings", "is not a pydantic model")
    return model


def _resolve(spec: ProviderSpec, field: str) -> object:
    reference: str = getattr(spec, field)
    try:
        return isolate(spec.name, f"cannot import its {field}, {reference!r}", resolve_name, reference)
    except PluginLoadError as failure:
        cause = failure.__cause__
        if isinstance(cause, ImportError):
            failure.hint = _remedy(spec, cause.name)
        raise


def _remedy(spec: ProviderSpec, module: str | None) -> str | None:
    """What the spec says to do when `module`, or the package it is in, cannot be imported."""
    parts = (module or "").split(".")
    parents = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((spec.needs[parent] for parent in parents if parent in spec.needs), None)


def _misfit(spec: ProviderSpec, field: str, what: str) -> PluginLoadError:
    hint = f"Correct `{field}` in the provider's spec, or report it to its authors{_at(spec)}."
    return PluginLoadError(f"Provider {spec.name!r}: {getattr(spec, field)} {what}.", name=spec.name, hint=hint)


def _at(spec: ProviderSpec) -> str:
    return f" ({spec.homepage})" if spec.homepage else ""
