"""`Health`: which providers are worth asking, as all streams and recordings of one processor found out together.

A circuit breaker for each provider. Its circuit is closed while the provider is well. A provider that is given up
opens it, and nobody who has another one asks until it has cooled down; then one may: the probe. If that goes
well, the circuit closes; if not, it opens again for twice as long. So the hundredth stream does not wait for a
dead vendor, and a vendor that comes and goes is asked ever less often.
"""

from __future__ import annotations

from math import inf

from debabelizer.errors import ProviderError
from debabelizer.streaming.verdict import is_for_good

__all__ = ["Circuit", "Health"]


class Circuit:
    """Whether one provider may be asked. All times are clock seconds, given by the caller.

    Who claims a probe need not give it back: if nothing is heard of it, another may probe after one more
    cool-down. A provider has to be well for as long as it last had to cool down, or the next failure counts as
    the same trouble and doubles the time.

    Args:
        cool_down: Seconds for which a first failure keeps it open.
        longest: Most seconds that it doubles to; at once when the provider says that asking again cannot help.

    Attributes:
        cause: Why it opened last, or None.
    """

    __slots__ = ("_claimed", "_closed_since", "_first", "_longest", "_opened", "_until", "_wait", "cause")

    def __init__(self, cool_down: float, longest: float) -> None:
        self.cause: Exception | None = None
        self._first = cool_down
        self._longest = max(longest, cool_down)
        self._wait = 0.0  # how long it had to cool down last
        self._until: float | None = None  # None while it is closed
        self._opened = self._closed_since = -inf
        self._claimed = False

    @property
    def due(self) -> float:
        """From when on the provider may be asked."""
        return -inf if self._until is None else self._until

    def admits(self, now: float) -> bool:
        """Whether the provider may be asked."""
        return now >= self.due

    def claim(self, now: float) -> None:
        """The caller asks: if that is a probe, it is the only one for a while."""
        if self._until is not None:
            self._claimed = True
            self._until = now + self._wait

    def succeeded(self, now: float, begun: float) -> None:
        """The provider did its work, on a connection begun then: one from before the failure proves nothing."""
        if self._until is not None and begun >= self._opened:
            self._until = None
            self._closed_since = now

    def failed(self, cause: Exception, now: float) -> None:
        """The provider was given up because of `cause`."""
        if self._until is not None and now < self._until and not self._claimed:
            return  # late news of the failure that opened it
        is_well_again = self._until is None and now - self._closed_since >= self._wait
        self._wait = self._first if is_well_again else min(2.0 * self._wait, self._longest)
        if is_for_good(cause):
            self._wait = self._longest
        if isinstance(cause, ProviderError) and cause.retry_after is not None:
            self._wait = max(self._wait, cause.retry_after)
        self._opened = now
        self._until = now + self._wait
        self._claimed = False
        self.cause = cause


class Health:
    """The circuits of all providers of one processor, by name.

    Args:
        cool_down, longest: See `Circuit`.
    """

    def __init__(self, cool_down: float = 30.0, longest: float = 600.0) -> None:
        self._numbers = cool_down, longest
        self._circuits: dict[str, Circuit] = {}

    def of(self, provider: str) -> Circuit:
        """The circuit of a provider."""
        if provider not in self._circuits:
            self._circuits[provider] = Circuit(*self._numbers)
        return self._circuits[provider]
