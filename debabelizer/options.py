"""`Options`: what a caller wishes, in the same words for every provider, and the check that it can be had."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from debabelizer.errors import CapabilityError
from debabelizer.provider import Request
from debabelizer.spec import ProviderSpec

__all__ = ["Options"]

SettingsT = TypeVar("SettingsT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The wishes of one call. ``None`` means "not said": the configuration's word counts, then the default.

    Where several words may be given, a text is one of them, and not its letters.

    Attributes:
        language_hints: Two-letter codes, most likely first.
        interim: Whether results that may still change are wanted.
        diarization: Whether speakers are to be told apart.
        endpointing: Whether the provider is to say where utterances end.
        vocabulary: Words to expect.
        translate_to: Two-letter code to translate to.
        optional: Names of the wishes above that a provider without the capability may ignore.
        options: What only one vendor has; validated by that provider's own model.
    """

    language_hints: Collection[str] | None = None
    interim: bool | None = None
    diarization: bool | None = None
    endpointing: bool | None = None
    vocabulary: Collection[str] | None = None
    translate_to: str | None = None
    optional: Collection[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("language_hints", "vocabulary", "optional"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))

    def over(self, defaults: Any) -> Options:
        """These wishes, with what was not said taken from the attributes of `defaults`."""
        said = {name: getattr(defaults, name) for name in _WISHES if getattr(self, name) is None}
        return replace(self, optional=(*self.optional, *defaults.optional), **said)

    def request(self, spec: ProviderSpec, settings: SettingsT) -> Request[SettingsT]:
        """The request to hand to the provider.

        Raises:
            CapabilityError: If the provider cannot do what was asked, and it was not marked optional.
        """
        wanted = {
            name: getattr(self, name)
            for name, capability in _WISHES.items()
            if getattr(self, name) is not None and self._granted(spec, name, capability)
        }
        return Request(settings=settings, **wanted)

    def _granted(self, spec: ProviderSpec, name: str, capability: str | None) -> bool:
        """Whether wish `name` can be handed on; raises if it cannot and may not be ignored."""
        wish = getattr(self, name)
        if not wish or capability is None:
            return True
        capabilities = spec.capabilities
        require = {capability: tuple(wish) if capability == "languages" else True}
        if not capabilities.unmet(require):
            return True
        if name in self.optional or name in _HARMLESS:
            return False
        if capability == "languages":
            can = f"It understands {_listed(capabilities.languages)}." if capabilities.languages else None
            message = f"Provider {spec.name!r} does not understand {_listed(wish)}."
        else:
            can = f'Choose another provider, or mark it as optional: optional=["{name}"].'
            message = f"Provider {spec.name!r} cannot do {capability.replace('_', ' ')}."
        raise CapabilityError(message, provider=spec.name, capability=capability, hint=can)


_WISHES: Mapping[str, str | None] = {
    "language_hints": "languages",
    "interim": None,
    "diarization": "diarization",
    "endpointing": "endpointing",
    "vocabulary": "vocabulary",
    "translate_to": "translation",
}

# Endpointing is on by default; a provider without it simply leaves utterances to the voice activity detector.
_HARMLESS = frozenset({"endpointing"})


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def unknown_wishes(names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that are no wish of `Options`."""
    known = {f.name for f in fields(Options)} - {"optional", "options"}
    return tuple(name for name in names if name not in known)
