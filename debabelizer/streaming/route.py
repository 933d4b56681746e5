"""`Route`: which provider carries a stream next. It knows the order, and what became of each; it opens nothing.

The rules, all of them:

* The order is the policy. The next connection goes to the first provider whose circuit is closed, or lets a probe
  through: its circuit for all (`Health`), and one of the stream's own, since a provider can be well and yet fail
  with just this audio.
* A connection that breaks is made again, once, with the same provider: the first failure in a row gets a second
  try, unless the provider itself is out (`is_out`). At the second one the stream gives that provider up, and its
  circuits open.
* When no circuit lets anybody through, those whose retry budget is not spent are asked again, who may soonest
  first, and last those whom asking again cannot help. With one provider that is always so, and it is simply tried
  until its budget is spent.
* The first ones may race (`Race`): then none of these is better than another, and who of them is not well joins
  again when its circuit lets it.
* Confirmed audio, from whomever, refills every budget: the stream is alive. What then keeps a bad provider from
  being asked again and again is its circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf

from debabelizer.errors import ProviderError
from debabelizer.streaming.health import Circuit, Health
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.retry import RetryBudget
from debabelizer.streaming.verdict import is_for_good, is_of_provider, is_out

__all__ = ["Route", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """Who is tried next, after how many seconds."""

    leg: Leg
    delay: float = 0.0


class _Option:
    """One provider, as seen by this stream."""

    __slots__ = ("_again", "budget", "is_spent", "leg", "own", "shared")

    def __init__(self, leg: Leg, budget: RetryBudget, own: Circuit, shared: Circuit) -> None:
        self.leg = leg
        self.budget = budget
        self.own = own
        self.shared = shared
        self.is_spent = False  # whether its budget allows no other attempt
        self._again = -inf  # when it may be asked, after its own last failure

    @property
    def due(self) -> float:
        """From when on it may be asked."""
        return inf if self.is_spent else max(self.own.due, self.shared.due)

    @property
    def patience(self) -> tuple[bool, float]:
        """Who has the least is asked first when nobody is well: those last whom asking again cannot help."""
        return self.own.cause is not None and is_for_good(self.own.cause), self._again

    def claim(self, now: float) -> Leg:
        self.own.claim(now)
        self.shared.claim(now)
        return self.leg

    def spends(self, cause: Exception, begun: float, now: float, well: float | None) -> float:
        """An attempt failed: after how many seconds the next one may be made, if the budget is not spent."""
        delay = self.budget.spend(cause, begun, now, well=well)
        self.is_spent = delay is None
        if delay is None:
            delay = (isinstance(cause, ProviderError) and cause.retry_after) or 0.0
        self._again = now + delay
        return delay

    def wait(self, now: float) -> float:
        """Seconds until the next attempt may be made."""
        return max(self._again - now, 0.0)

    def fails(self, cause: Exception, now: float) -> None:
        self.own.failed(cause, now)
        if is_of_provider(cause):
            self.shared.failed(cause, now)


class Route:
    """Chooses among the legs of one stream. All times are clock seconds.

    Args:
        legs: In order of preference; at least one.
        policy: The numbers of the budgets and of the stream's own circuits.
        health: What all streams know.
        random: Uniform in 0.0 to 1.0, for the delays.
        race: How many run side by side.
    """

    def __init__(
        self,
        legs: Sequence[Leg],
        policy: StreamPolicy,
        health: Health,
        random: Callable[[], float],
        *,
        race: int = 1,
    ) -> None:
        self.preferred = legs[0]
        self._race = race
        self._returns = policy.return_to_preferred
        self._options = [
            _Option(
                leg,
                RetryBudget(policy, random),
                Circuit(policy.cool_down, policy.cool_down_max),
                health.of(leg.provider),
            )
            for leg in legs
        ]

    def first(self, now: float) -> Leg:
        """Where the stream begins."""
        return self._claim(self._options, now) or self.preferred

    def failed(self, leg: Leg, cause: Exception, begun: float, now: float, *, well: float | None) -> Step | None:
        """An attempt with `leg`, begun then and well until then, failed: who is next; None if hope is lost."""
        option = self._option(leg)
        delay = option.spends(cause, begun, now, well)
        if not option.is_spent and option.budget.failures == 1 and not is_out(cause):
            return Step(leg, delay)
        option.fails(cause, now)
        if (other := self._claim(self._options, now)) is not None:
            return Step(other)
        patient = [option for option in self._options if not option.is_spent]
        if not patient:
            return None
        option = min(patient, key=lambda each: each.patience)
        return Step(option.leg, option.wait(now))

    def lost(self, leg: Leg, cause: Exception, now: float) -> None:
        """A connection that was to take over failed before it did. That costs nothing but trust."""
        self._option(leg).fails(cause, now)

    def joins(self, leg: Leg, now: float) -> bool:
        """Whether `leg` may run beside the one that leads; then it is asked."""
        return self._claim([self._option(leg)], now) is not None

    def joins_at(self, leg: Leg) -> float:
        """When `joins` may say yes."""
        return self._option(leg).due

    def trust(self, leg: Leg, begun: float, now: float) -> None:
        """A connection with `leg`, begun then, does its work."""
        option = self._option(leg)
        option.own.succeeded(now, begun)
        option.shared.succeeded(now, begun)

    def progressed(self, leg: Leg, begun: float, now: float) -> None:
        """Audio was confirmed through `leg`, on a connection begun then."""
        for option in self._options:
            option.budget.refill(now)
            option.is_spent = False
        self.trust(leg, begun, now)

    def renewal(self, leg: Leg, now: float) -> Leg | None:
        """Who is to continue a stream that is well with `leg`, but must move; None if nobody can now."""
        rest = self._options[self._place(leg) :]
        return self._claim([*self._before(leg), *rest], now)

    def better(self, leg: Leg, now: float) -> Leg | None:
        """A provider that is preferred to `leg` and may be well again."""
        return self._claim(self._before(leg), now)

    def better_at(self, leg: Leg) -> float:
        """When `better` may have an answer."""
        return min((option.due for option in self._before(leg)), default=inf)

    def cause(self, leg: Leg) -> Exception | None:
        """Why `leg` was given up last, by this stream or another."""
        option = self._option(leg)
        return option.own.cause or option.shared.cause

    def _before(self, leg: Leg) -> list[_Option]:
        """Those that are preferred to `leg`."""
        at = self._place(leg)
        return self._options[:at] if self._returns and at >= self._race else []

    def _claim(self, options: Iterable[_Option], now: float) -> Leg | None:
        """The first that may be asked."""
        return next((option.claim(now) for option in options if option.due <= now), None)

    def _place(self, leg: Leg) -> int:
        return next(index for index, option in enumerate(self._options) if option.leg is leg)

    def _option(self, leg: Leg) -> _Option:
        return self._options[self._place(leg)]
