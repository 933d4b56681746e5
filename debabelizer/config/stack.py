"""`Stack`: the layers of one configuration in their order, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from debabelizer.config.layers import Layer, dotted, merge
from debabelizer.config.source import ARGUMENT, Source
from debabelizer.errors import ConfigProblem

__all__ = ["Stack"]


@dataclass(frozen=True, slots=True)
class Stack:
    """Layers from weak to strong.

    Attributes:
        base: The files, or what stands for them.
        over: What is stronger than a profile: environment, command line, arguments.
        profile: The profile asked for by argument; else the key ``profile`` of the layers counts.
        environ: Where secrets are looked up; None is the process's environment.
    """

    base: tuple[Layer, ...]
    over: tuple[Layer, ...] = ()
    profile: str | None = None
    environ: Mapping[str, str] | None = field(default=None, repr=False)

    def with_profile(self, name: str) -> Stack:
        """The same layers with another profile."""
        return replace(self, profile=name)

    def merge(self) -> tuple[Layer, list[ConfigProblem]]:
        """All layers in one, with the chosen profile between `base` and `over`; and what is wrong with the choice."""
        layers = merge((*self.base, *self.over))
        name: object = self.profile
        source = ARGUMENT
        if name is None:
            name, source = layers.data.get("profile"), layers.source_of(("profile",))
        if not isinstance(name, str):  # none was chosen; or validation will say that this is no name
            return layers, []
        profiles = layers.data.get("profiles")
        table = profiles.get(name) if isinstance(profiles, Mapping) else None
        if table is None:
            return layers, [_unknown_profile(name, profiles, source)]
        if not isinstance(table, Mapping):
            return layers, []
        chosen = Layer({"profile": name}, source=source)
        return merge((*self.base, layers.below(("profiles", name)), *self.over, chosen)), []


def _unknown_profile(name: str, profiles: object, source: Source) -> ConfigProblem:
    known = [str(key) for key in profiles] if isinstance(profiles, Mapping) else []
    if nearest := get_close_matches(name, known, n=1):
        hint = f"Did you mean {nearest[0]!r}?"
    elif known:
        hint = f"There are: {', '.join(known)}."
    else:
        hint = f"There are none: write one as a table [{dotted(('profiles', name))}]."
    return source.problem(f"there is no profile {name!r}.", key="profile", hint=hint)
