"""`PluginRegistry`: the installed plugins, their providers, and their other hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from debabelizer.errors import PluginLoadError, ProviderNotInstalledError, UnknownProviderError
from debabelizer.plugins.discovery import FIRST_PARTY, Plugin, find
from debabelizer.plugins.loading import Gate, Loader
from debabelizer.plugins.references import load_factory, load_settings_model
from debabelizer.plugins.relay import HookRelay, Observers
from debabelizer.plugins.rows import ProviderRow, SecretCheck, assess, in_environment, wrong_api
from debabelizer.plugins.validation import faults
from debabelizer.provider import Provider
from debabelizer.spec import ProviderSpec

if TYPE_CHECKING:
    from pydantic import BaseModel

    from debabelizer.streaming.stream import TranscriptionStream

__all__ = ["PluginRegistry"]


class PluginRegistry:
    """What is installed. Made by `discover`; for any thread, and what it says never changes.

    Of this project's own plugins only those are imported whose providers are asked for. All others are, since they
    may have more to say than that.

    Attributes:
        hook: Calls a hook of every plugin, e.g. ``registry.hook.debabelizer_register_commands(cli=app)``, and
            returns what the implementations returned, without None. A plugin that raises is logged and passed over.
    """

    def __init__(
        self, rows: Iterable[ProviderRow] = (), plugins: Iterable[Plugin] = (), *, loader: Loader | None = None
    ) -> None:
        self._loader = loader or Loader(list(rows))
        self._plugins = tuple(plugins)
        self.hook: Final = HookRelay(self._plugins)

    @classmethod
    def discover(cls, *, allow: Sequence[str] | None = None, disable: Sequence[str] = ()) -> PluginRegistry:
        """Find the installed plugins and load them, one by one. A plugin that fails becomes a row, never an exception.

        Args:
            allow: The only plugins to load, by plugin or distribution name. None: those of the environment variable
                ``DEBABELIZER_PLUGINS`` if it is set (empty means none), else all.
            disable: Plugins not to load; stronger than `allow`.
        """
        loader = Loader()
        gate = Gate.of(allow, disable)
        for candidate in find():
            if closed := gate.closed_to(candidate):
                loader.pass_over(candidate, *closed)
            else:
                loader.add(candidate)
        return cls(plugins=loader.plugins.values(), loader=loader)

    @classmethod
    def of(cls, *specs: ProviderSpec) -> PluginRegistry:
        """A registry of just these providers, for tests and for programs that bring their own.

        Raises:
            PluginLoadError: If a spec cannot be used.
        """
        for spec in specs:
            if found := faults(spec):
                name = str(getattr(spec, "name", spec))
                raise PluginLoadError(f"The spec of provider {name!r} cannot be used: {'; '.join(found)}.", name=name)
        return cls(ProviderRow(name=spec.name, status="ready", plugin=spec.name, spec=spec) for spec in specs)

    @property
    def rows(self) -> tuple[ProviderRow, ...]:
        """One row for each provider, and for each plugin that could not be asked, sorted by name."""
        return self.assess()

    def assess(self, secret_available: SecretCheck = in_environment) -> tuple[ProviderRow, ...]:
        """`rows`, with the caller's word on which secrets can be had; by default those in the environment."""
        return tuple(assess(row, secret_available) for row in self._rows)

    @property
    def _rows(self) -> list[ProviderRow]:
        self._loader.fetch_all()
        return self._loaded()

    def _loaded(self) -> list[ProviderRow]:
        """The rows so far by name, the bearer of a name before those that were refused it."""
        return sorted(self._loader.rows, key=lambda row: (row.name, row.spec is None))

    @property
    def specs(self) -> tuple[ProviderSpec, ...]:
        """The providers that `spec` gives out, sorted by name."""
        return tuple(row.spec for row in self._rows if row.spec is not None and not wrong_api(row.spec))

    def spec(self, name: str) -> ProviderSpec:
        """The spec of a provider. It may still lack a module or a secret here.

        Raises:
            UnknownProviderError: If there is none of that name.
            ProviderNotInstalledError: If it is one of this project's, but not installed.
            PluginLoadError: If it is disabled, broken, or written for another version of the contract.
        """
        self._loader.fetch(name)
        row = next((row for row in self._loaded() if row.name == name), None)
        if row is None:
            raise self._not_found(name)
        if row.spec is None:
            reason, hint = row.reason, row.hint
        elif fault := wrong_api(row.spec):
            reason, hint = fault
        else:
            return row.spec
        raise PluginLoadError(f"Provider {name!r} cannot be used. {reason}", name=name, hint=hint) from row.cause

    def _not_found(self, name: str) -> UnknownProviderError | ProviderNotInstalledError:
        if name in FIRST_PARTY:
            folder = f"providers/{FIRST_PARTY[name].removeprefix('debabelizer-')}"
            hint = f'Type: pip install "debabelizer[{name}]>=0.3" (in a clone: pip install -e {folder})'
            return ProviderNotInstalledError(f"Provider {name!r} is not installed.", name=name, hint=hint)
        installed = [spec.name for spec in self.specs]
        nearest = get_close_matches(name.lower(), {*installed, *FIRST_PARTY}, n=1)
        suggestion = nearest[0] if nearest else None
        if suggestion:
            hint = f"Did you mean {suggestion!r}?"
        elif installed:
            hint = f"Installed are: {', '.join(installed)}."
        else:
            hint = f'None is installed. Type: pip install "debabelizer[{next(iter(FIRST_PARTY))}]>=0.3"'
        if idle := [f"{row.plugin} ({row.status})" for row in self._rows if row.spec is None]:
            hint += f" Plugins that are not loaded: {', '.join(idle)}."
        return UnknownProviderError(f"There is no provider {name!r}.", name=name, suggestion=suggestion, hint=hint)

    def factory(self, spec: ProviderSpec) -> Callable[[ProviderSpec], Provider[Any]]:
        """What makes the provider of `spec`; imports its code.

        Raises:
            PluginLoadError: If it cannot be imported or is no factory of providers; so does the factory itself.
        """
        return load_factory(spec)

    def settings_model(self, spec: ProviderSpec) -> type[BaseModel]:
        """The pydantic model of the provider's table; imports its settings module.

        Raises:
            PluginLoadError: If it cannot be imported or is not such a model.
        """
        return load_settings_model(spec)

    def observe(self, stream: TranscriptionStream) -> Observers:
        """Ask every plugin whether it wants to watch `stream`; call the answer with each event."""
        return Observers(self.hook.by_plugin("debabelizer_stream_opened", stream=stream))
