"""Who can do what a call asks for: the configured providers that pass its requirements and wishes, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from debabelizer.errors import CapabilityError, ConfigError, ConfigProblem
from debabelizer.options import Options
from debabelizer.spec import Capabilities, ProviderSpec

if TYPE_CHECKING:
    from debabelizer.config import Settings
    from debabelizer.plugins import PluginRegistry
    from debabelizer.provider import Request

__all__ = ["Candidate", "candidates", "for_recordings"]

_HINT = "`debabelizer providers` shows what each provider can do."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider that can do what is asked, and what it will be asked for.

    Attributes:
        spec: Its visiting card.
        capabilities: What it can do in the case at hand.
        request: With its own settings, and without the wishes that it may ignore.
    """

    spec: ProviderSpec
    capabilities: Capabilities
    request: Request[Any]


def for_recordings(spec: ProviderSpec) -> Capabilities:
    """What a provider can do with a whole recording.

    Raises:
        CapabilityError: If it does not take any.
    """
    if not spec.capabilities.batch:
        message = f"Provider {spec.name!r} does not transcribe files."
        raise CapabilityError(message, provider=spec.name, capability="batch")
    return spec.capabilities


def candidates(
    settings: Settings,
    registry: PluginRegistry,
    names: str | Sequence[str] | None,
    require: Mapping[str, Any],
    wishes: Options,
    able: Callable[[ProviderSpec], Capabilities],
) -> tuple[tuple[Candidate, ...], tuple[CapabilityError, ...]]:
    """All that can, in the configured order; and why the others cannot.

    What is wrong with the configuration of any of them is told now: a fallback that turns out to be misconfigured
    when it is needed is none. The wishes' ``options``, which only one vendor has, are for the first.

    Args:
        settings: The configuration.
        registry: The plugins.
        names: Providers, instead of the configured ones.
        require: Capabilities that they must have; added to the configured ones.
        wishes: What is asked for.
        able: What a provider can do in the case at hand; raises `CapabilityError` if nothing.

    Raises:
        CapabilityError: If none can.
        ConfigError: If the settings of one are wrong, or one of several lacks a secret; it has every problem.
        ProviderLookupError: If one is unknown, not installed or broken.
    """
    from debabelizer.config import missing_secrets, validate_provider

    chosen = (names,) if isinstance(names, str) else tuple(names or settings.stt.provider)
    require = {**settings.stt.require, **require}
    wishes = wishes.over(settings.stt)
    found: list[Candidate] = []
    refusals: list[CapabilityError] = []
    problems: list[ConfigProblem] = []
    for spec in [registry.spec(name) for name in dict.fromkeys(chosen)]:
        model = registry.settings_model(spec)
        try:
            capabilities = _meeting(require, able(spec), spec)
            options = {} if found or problems else wishes.options
            table = validate_provider(settings, spec, model, options)
            request = wishes.request(replace(spec, capabilities=capabilities), table)
        except CapabilityError as refusal:
            refusals.append(refusal)
        except ConfigError as error:
            problems += error.problems
        else:
            found.append(Candidate(spec, capabilities, request))
    if len(found) > 1:
        problems += [problem for candidate in found for problem in missing_secrets(candidate.request.settings)]
    if problems:
        raise ConfigError(problems)
    if not found:
        raise _refused(refusals)
    return tuple(found), tuple(refusals)


def _meeting(require: Mapping[str, Any], capabilities: Capabilities, spec: ProviderSpec) -> Capabilities:
    if unmet := capabilities.unmet(require):
        message = f"Provider {spec.name!r} does not meet require = {', '.join(unmet)}."
        raise CapabilityError(message, provider=spec.name, capability=unmet[0], hint=_HINT)
    return capabilities


def _refused(refusals: Sequence[CapabilityError]) -> CapabilityError:
    if len(refusals) == 1:
        return refusals[0]
    message = " ".join(refusal.message for refusal in refusals)
    first = refusals[0]
    return CapabilityError(message, provider=first.provider, capability=first.capability, hint=_HINT)
