"""Finding plugins among the installed distributions, and loading one."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import Distribution, EntryPoint, distributions
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Any, Final

from pluggy import HookCaller, PluginManager

from debabelizer.errors import PluginLoadError
from debabelizer.plugins import hookspecs
from debabelizer.plugins.isolation import isolate

__all__ = ["ENTRY_POINT_GROUP", "FIRST_PARTY", "Candidate", "Plugin", "find", "load"]

ENTRY_POINT_GROUP: Final = "debabelizer"

FIRST_PARTY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "moonshine": "debabelizer-moonshine",  # first, since it is the one to install when there is none
        "deepgram": "debabelizer-deepgram",
        "deepgram_flux": "debabelizer-deepgram",
        "groq": "debabelizer-openai",
        "localai": "debabelizer-openai",
        "openai": "debabelizer-openai",
        "openai_compatible": "debabelizer-openai",
        "soniox": "debabelizer-soniox",
        "speaches": "debabelizer-openai",
        "vllm": "debabelizer-openai",
        "vllm_realtime": "debabelizer-openai",
        "whisper": "debabelizer-whisper",
        "whisper_cpp": "debabelizer-openai",
        "wyoming": "debabelizer-wyoming",
    }
)
"""Providers of this project, each with its distribution; the name is also that of the extra that installs it."""

logger = logging.getLogger("debabelizer.plugins")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry point that claims to be a plugin; nothing of it is imported yet.

    Attributes:
        name: Name of the entry point.
        entry_point: What to load.
        distribution: Normalised name of the distribution that declares it.
        version: Version of that distribution.
    """

    name: str
    entry_point: EntryPoint
    distribution: str
    version: str

    @property
    def remedy(self) -> str:
        """What to do when this plugin misbehaves."""
        return (
            f'Update or uninstall {self.distribution}, or leave it out with [plugins] disable = ["{self.name}"] '
            "in the configuration."
        )

    def is_named_in(self, names: Iterable[str]) -> bool:
        """Whether `names` has the plugin, by its own name or by its distribution's."""
        wanted = {_normal(name) for name in names}
        return _normal(self.name) in wanted or self.distribution in wanted

    @property
    def is_ours(self) -> bool:
        """Whether it is a plugin of this project: such a one has the provider of its name and no other hook."""
        return FIRST_PARTY.get(self.name) == self.distribution

    @property
    def rank(self) -> tuple[bool, str, str]:
        """Order of loading: whoever comes first keeps a name, and nobody takes one from a provider of ours."""
        return (not self.is_ours, self.name, self.distribution)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded plugin, in a manager of its own: calling a hook here runs nobody else's code.

    Attributes:
        name: Its name.
        manager: Knows all hooks and this one plugin.
    """

    name: str
    manager: PluginManager

    def call(self, hook: str, /, **arguments: Any) -> list[Any]:
        """Call a hook of this plugin and return what its implementations returned, without None.

        Raises:
            PluginLoadError: If an implementation raised.
        """
        results: list[Any] = isolate(self.name, f"failed in {hook}", getattr(self.manager.hook, hook), **arguments)
        return results


def find() -> list[Candidate]:
    """All plugins that are installed, in the order in which they are to be loaded.

    Distributions are read one by one rather than with `importlib.metadata.entry_points`, which fails as a whole
    when one of them, whosever it is, has a malformed file.
    """
    found: dict[tuple[str, str], Candidate] = {}
    for distribution in distributions():
        try:
            candidates = isolate(str(distribution), "cannot be read", _candidates, distribution)
        except PluginLoadError as failure:
            logger.warning("An installed distribution is passed over. %s", failure)
            continue
        for candidate in candidates:
            # The first on sys.path hides later ones of the same name, as it does for imports.
            found.setdefault((candidate.distribution, candidate.name), candidate)
    return sorted(found.values(), key=lambda candidate: candidate.rank)


def _candidates(distribution: Distribution) -> list[Candidate]:
    return [
        Candidate(entry_point.name, entry_point, _normal(distribution.name), distribution.version)
        for entry_point in distribution.entry_points
        if entry_point.group == ENTRY_POINT_GROUP
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def load(candidate: Candidate) -> Plugin:
    """Import a plugin and register its hooks.

    Raises:
        PluginLoadError: If it cannot be imported or is not a plugin.
    """
    name = candidate.name
    module = isolate(name, "cannot be imported", candidate.entry_point.load)
    return register(name, module)


def register(name: str, module: object) -> Plugin:
    """Make a plugin of a module, or of any object that has hook implementations.

    Raises:
        PluginLoadError: If it has none, or one that does not fit its hook.
    """
    manager = PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    isolate(name, "is not a plugin", manager.register, module, name)
    callers = manager.get_hookcallers(module) or []
    if not callers:
        hint = "Mark its hooks with `debabelizer.plugins.hookimpl`."
        raise PluginLoadError(f"Plugin {name!r} has no hook.", name=name, hint=hint)
    for caller in callers:
        _check(name, caller)
    return Plugin(name, manager)


def _check(name: str, caller: HookCaller) -> None:
    if not caller.has_spec():
        nearest = get_close_matches(caller.name, hookspecs.HOOKS, n=1, cutoff=0.0)[0]
        hint = f"Did you mean {nearest}?"
        raise PluginLoadError(f"Plugin {name!r} has an unknown hook, {caller.name}.", name=name, hint=hint)
    if any(iscoroutinefunction(implementation.function) for implementation in caller.get_hookimpls()):
        hint = "Hooks are plain functions."
        raise PluginLoadError(f"Plugin {name!r} has an async hook, {caller.name}.", name=name, hint=hint)
