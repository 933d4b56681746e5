"""Which of the providers that can do what is asked comes first, and why. Pure: it measures and asks nobody.

The rules, for what the configuration calls ``prefer``:

* ``order``: the order in which they are configured.
* ``latency``: the quickest first, as this processor measured it. Whoever was not measured yet comes before them, so
  that everybody gets measured.
* ``cost``: the cheapest first, by the price that providers declare. Whoever declares none comes last.
* ``accuracy``: the fewest wrong words first, by the figures of ``[stt.accuracy]``. Whoever has none there comes last.
  Vendors publish such figures too, each of other recordings: they cannot be compared, so a provider cannot declare
  any. ``debabelizer compare --reference`` measures them on your own.

Among equals the configured order counts. A plugin may decide otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from debabelizer.errors import DebabelizerError
from debabelizer.results import Choice
from debabelizer.spec import Capabilities

__all__ = ["Facts", "Preference", "choose"]

Preference: TypeAlias = Literal["order", "latency", "cost", "accuracy"]
"""What the order of several providers follows."""

_log = logging.getLogger("debabelizer.plugins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a provider that can do what is asked.

    Attributes:
        provider: Its name.
        capabilities: What it can do in the case at hand.
        latency: On a stream, seconds from a word to its final; for a recording, seconds for a second of audio; as
            this processor measured it, or None.
        word_error_rate: From ``[stt.accuracy]``, or None.
    """

    provider: str
    capabilities: Capabilities
    latency: float | None = None
    word_error_rate: float | None = None


def choose(
    facts: Sequence[Facts],
    prefer: Preference,
    *,
    refused: Mapping[str, str] | None = None,
    answers: Iterable[tuple[str, object]] = (),
) -> tuple[Choice, ...]:
    """Every provider that was considered, in the order in which they are asked, each with its reason.

    Args:
        facts: Of those that can, in the configured order.
        prefer: What counts.
        refused: Those that cannot, with why not.
        answers: Names of plugins, each with what it decided: the first answer that makes sense counts.

    Raises:
        DebabelizerError: If there is no such preference.
    """
    if prefer not in get_args(Preference):
        known = ", ".join(get_args(Preference))
        raise DebabelizerError(f"There is no preference {prefer!r}.", hint=f"There are {known}.")
    chosen = _decided(facts, answers)
    if chosen is None:
        ranked = sorted(((_rank(each, prefer), each) for each in facts), key=lambda pair: pair[0][0])
        chosen = [
            Choice(provider=each.provider, place=place, reason=reason)
            for place, ((_, reason), each) in enumerate(ranked, 1)
        ]
    return (*chosen, *(Choice(provider=name, place=None, reason=why) for name, why in (refused or {}).items()))


def _rank(facts: Facts, prefer: Preference) -> tuple[tuple[bool, float], str]:
    """What it is sorted by, smallest first; and the same in words."""
    match prefer:
        case "latency":
            if facts.latency is None:
                return (False, 0.0), "not measured yet, and so asked first"
            return (True, facts.latency), f"{facts.latency:.2f} s, as measured"
        case "cost":
            price = facts.capabilities.price_per_hour
            return (price is None, price or 0.0), "of unknown price" if price is None else f"US$ {price:g} an hour"
        case "accuracy":
            rate = facts.word_error_rate
            known = f"{rate or 0.0:.1%} of the words wrong, by [stt.accuracy]"
            return (rate is None, rate or 0.0), "not in [stt.accuracy]" if rate is None else known
        case _:
            return (False, 0.0), "in the configured order"


def _decided(facts: Sequence[Facts], answers: Iterable[tuple[str, object]]) -> list[Choice] | None:
    """The first decision of a plugin that makes sense; None if there is none."""
    can = [each.provider for each in facts]
    for plugin, answer in answers:
        given = answer if isinstance(answer, list | tuple) else ()
        named = [name for index, name in enumerate(given) if name in can and name not in given[:index]]
        if not named or any(name not in can for name in given):
            _log.warning("Plugin %r chose %r, which is no choice among %s.", plugin, answer, ", ".join(can))
            continue
        left_out = [name for name in can if name not in named]
        return [
            *(
                Choice(provider=name, place=place, reason=f"as plugin {plugin!r} decided")
                for place, name in enumerate(named, 1)
            ),
            *(Choice(provider=name, place=None, reason=f"left out by plugin {plugin!r}") for name in left_out),
        ]
    return None
