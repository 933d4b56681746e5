"""From candidates to rows and plugins: who may load, and what becomes of those who fail."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Final

from debabelizer.errors import PluginLoadError
from debabelizer.plugins.discovery import Candidate, Plugin, find, load
from debabelizer.plugins.rows import ProviderRow, Status
from debabelizer.plugins.validation import faults
from debabelizer.spec import ProviderSpec

__all__ = ["ALLOW_VARIABLE", "Gate", "Loader", "any_foreign"]

ALLOW_VARIABLE: Final = "DEBABELIZER_PLUGINS"
"""Environment variable: names of the only plugins to load, with commas between; empty means none."""

logger = logging.getLogger("debabelizer.plugins")


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides which plugins may load.

    Attributes:
        allow: The only ones, or None for all.
        disable: Those that may not; stronger than `allow`.
        source: Where `allow` is from, as users know it.
    """

    allow: tuple[str, ...] | None
    disable: tuple[str, ...]
    source: str = ALLOW_VARIABLE

    @classmethod
    def of(cls, allow: Sequence[str] | None, disable: Sequence[str]) -> Gate:
        """The gate for the arguments of `PluginRegistry.discover`; without `allow` the environment decides."""
        if allow is not None:
            return cls(tuple(allow), tuple(disable), "the list of allowed plugins")
        listed = os.environ.get(ALLOW_VARIABLE)
        if listed is None:
            return cls(None, tuple(disable))
        return cls(tuple(name for part in listed.split(",") if (name := part.strip())), tuple(disable))

    def closed_to(self, candidate: Candidate) -> tuple[str, str] | None:
        """Reason and hint when the plugin may not load, else None."""
        if candidate.is_named_in(self.disable):
            return "It is disabled in the configuration.", "Take it out of `disable` in [plugins]."
        if self.allow is not None and not candidate.is_named_in(self.allow):
            return f"It is not in {self.source}.", f"Add {candidate.name} to {self.source}."
        return None


@dataclass(slots=True)
class Loader:
    """Loads candidates one after the other; a failure ends up as a row.

    What a plugin of ours has is known without it: it waits until somebody asks for its provider, or wants its name.

    Attributes:
        rows: What is known of each provider, and of each plugin that has none to show; without those that wait.
        plugins: Those that loaded, by name.
    """

    rows: list[ProviderRow] = field(default_factory=list)
    plugins: dict[str, Plugin] = field(default_factory=dict)
    _waiting: dict[str, Candidate] = field(default_factory=dict)
    _bearers: dict[str, str] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def add(self, candidate: Candidate) -> None:
        """Load a plugin and take up its providers, now or when they are asked for."""
        if candidate.is_ours:
            self._waiting[candidate.name] = candidate
        else:
            self._load(candidate)

    def pass_over(self, candidate: Candidate, reason: str, hint: str) -> None:
        """Note a plugin that may not load."""
        self.rows.append(_row(candidate, candidate.name, "disabled", reason, hint))

    def fetch(self, name: str) -> None:
        """Load the plugin of ours that has the provider `name`, if it waits; for any thread."""
        with self._lock:
            if candidate := self._waiting.pop(name, None):
                self._load(candidate)

    def fetch_all(self) -> None:
        """Load all that wait; for any thread."""
        with self._lock:
            for name in tuple(self._waiting):
                self.fetch(name)

    def _load(self, candidate: Candidate) -> None:
        self.fetch(candidate.name)  # the one of ours comes first
        if candidate.name in self.plugins:
            self._reject(candidate, f"Another distribution has a plugin {candidate.name!r} too, which came first.")
            return
        try:
            plugin = load(candidate)
            offered = _offered(plugin)
        except PluginLoadError as failure:
            logger.debug("%s", failure, exc_info=failure.__cause__)
            self._reject(candidate, failure.message, hint=failure.hint, cause=failure.__cause__)
            return
        self.plugins[candidate.name] = plugin
        for spec in offered:
            self._take_up(candidate, spec)

    def _take_up(self, candidate: Candidate, spec: ProviderSpec) -> None:
        if found := faults(spec):
            name = getattr(spec, "name", None)
            reason = f"Plugin {candidate.name!r} registered a provider that cannot be used: {'; '.join(found)}."
            self._reject(candidate, reason, name=name if isinstance(name, str) else None)
            return
        self.fetch(spec.name)  # likewise
        if bearer := self._bearers.get(spec.name):
            reason = f"Plugin {candidate.name!r} registered a provider whose name plugin {bearer!r} had taken."
            self._reject(candidate, reason, name=spec.name)
        else:
            self._bearers[spec.name] = candidate.name
            self.rows.append(replace(_row(candidate, spec.name, "ready"), spec=spec))

    def _reject(
        self,
        candidate: Candidate,
        reason: str,
        *,
        name: str | None = None,
        hint: str | None = None,
        cause: BaseException | None = None,
    ) -> None:
        hint = " ".join(filter(None, (hint, candidate.remedy)))
        self.rows.append(replace(_row(candidate, name or candidate.name, "broken", reason, hint), cause=cause))


def any_foreign() -> bool:
    """Whether any plugin that is not ours may load, unless the configuration disables it.

    If there is none, no hook has anything to say, and no configuration is needed to know that.
    """
    gate = Gate.of(None, ())
    return any(not candidate.is_ours and not gate.closed_to(candidate) for candidate in find())


def _offered(plugin: Plugin) -> list[ProviderSpec]:
    """What the plugin registers; if its hook raises, nothing of it counts."""
    offered: list[ProviderSpec] = []
    plugin.call("debabelizer_register_providers", register=offered.append)
    return offered


def _row(
    candidate: Candidate, name: str, status: Status, reason: str | None = None, hint: str | None = None
) -> ProviderRow:
    return ProviderRow(
        name=name,
        status=status,
        plugin=candidate.name,
        distribution=candidate.distribution,
        version=candidate.version,
        reason=reason,
        hint=hint,
    )
