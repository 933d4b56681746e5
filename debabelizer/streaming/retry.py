"""`RetryBudget`: how often, and how long, a stream tries again."""

from __future__ import annotations

from collections.abc import Callable

from debabelizer.errors import CertificateError, DebabelizerError, ProviderError
from debabelizer.streaming.policy import StreamPolicy

__all__ = ["RetryBudget"]


class RetryBudget:
    """Decides after each failed attempt whether there is another, and when.

    The budget is refilled by progress of confirmed audio, or by an attempt that went well for as long as the budget
    lasts (in a quiet room there are no words to confirm), and by nothing else: a server that accepts every
    connection and then drops it uses it up. Delays double up to a bound, with full jitter, so that the clients
    of a service that fell over do not come back in step.

    Args:
        policy: The numbers.
        random: Uniform in 0.0 to 1.0.
    """

    def __init__(self, policy: StreamPolicy, random: Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self.failures = 0
        self._refilled: float | None = None
        self._stuck_since: float | None = None

    def refill(self, now: float) -> None:
        """Audio was confirmed."""
        self.failures = 0
        self._refilled = now
        self._stuck_since = None

    def spend(self, error: BaseException, started: float, now: float, *, well: float | None = None) -> float | None:
        """An attempt begun at `started` failed: the delay in seconds before the next one, or None to give up.

        `well`: until when it heard what it was sent; None if it never did.
        """
        policy = self._policy
        well = started if well is None else well
        if well - started > policy.give_up_after:
            self.refill(well)
        self.failures += 1
        if self._stuck_since is None:
            self._stuck_since = well if self._refilled is None else max(well, self._refilled)
        if isinstance(error, DebabelizerError) and not (isinstance(error, ProviderError) and error.retryable):
            return None
        if isinstance(error, CertificateError) and self._refilled is None:
            return None  # it never worked; later it may be a network that wants to be logged in to
        if self.failures >= policy.max_attempts:
            return None
        wanted = error.retry_after if isinstance(error, ProviderError) else None
        if wanted == 0.0 and self.failures == 1:
            delay = 0.0  # the vendor asks for a new request at once, and this is not a loop
        else:
            ceiling = min(policy.backoff_max, policy.backoff_base * 2.0 ** min(self.failures - 1, 60))
            delay = max(self._random() * ceiling, wanted or 0.0)
        if now + delay - self._stuck_since > policy.give_up_after:
            return None
        return delay
