"""`Watchdog`: since when a connection owes something, and when that is a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from debabelizer.errors import (
    ConnectTimeout,
    DeadlineError,
    DrainTimeout,
    ProgressTimeout,
    ReadyTimeout,
    SendTimeout,
)
from debabelizer.streaming.clock import Clock
from debabelizer.streaming.policy import StreamPolicy

__all__ = ["Expiry", "Watchdog"]


@dataclass(frozen=True, slots=True)
class Expiry:
    """The clock time at which a connection is to be given up if nothing changes, and why then."""

    when: float
    error: Callable[[], DeadlineError]


class Watchdog:
    """The times of one connection. The attempt writes them down as they happen; nothing runs here.

    Args:
        clock: Its time.
        policy: The deadlines.
        provider: Name, for errors.

    Attributes:
        begun: When the connection was begun.
        opened: When it was made, or None.
        asked: When it first asked for audio, or None.
        handed: When it was given work that it has not come back from, or None.
        ended: When it was told that there is no more audio, or None.
        progress: When it last heard something new, or had nothing to hear.
    """

    __slots__ = (
        "_clock",
        "_paused",
        "_policy",
        "_provider",
        "_working",
        "asked",
        "begun",
        "ended",
        "handed",
        "opened",
        "progress",
    )

    def __init__(self, clock: Clock, policy: StreamPolicy, provider: str) -> None:
        self.begun = self.progress = clock.time()
        self.opened: float | None = None
        self.asked: float | None = None
        self.handed: float | None = None
        self.ended: float | None = None
        self._clock = clock
        self._policy = policy
        self._provider = provider
        self._paused = 0  # how many tasks of the connection wait for the user
        self._working: tuple[float, float] | None = None  # until when an engine may be at work, and for how long

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The connection waits for the user."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1
            self._excuse()  # whatever the peer did not do meanwhile was our doing

    @contextmanager
    def working(self, seconds: float) -> Iterator[None]:
        """An engine of the connection's own is at work, for `seconds` at most."""
        self._working = (self._clock.time() + seconds, seconds)
        try:
            yield
        finally:
            self._working = None
            self._excuse()

    def expiry(self, unheard: float, patience: float) -> Expiry | None:
        """The earliest deadline, when `unheard` seconds of audio are not heard, of which `patience` need not be."""
        if self._paused:
            return None
        policy, name = self._policy, self._provider
        if self._working is not None:
            until, allowed = self._working
            what = f"The engine did not come back within {allowed:g} s."
            return Expiry(until, lambda: ProgressTimeout(what, seconds=allowed, provider=name))
        if self.opened is None:
            return self._expiry(
                ConnectTimeout, self.begun, policy.connect_timeout, "The connection was not made within"
            )
        if self.asked is None:
            what = "The connection opened, but the provider was not ready within"
            return self._expiry(ReadyTimeout, self.opened, policy.ready_timeout, what)
        candidates: list[Expiry] = []
        if self.ended is not None:
            since = max(self.ended, self.progress)
            what = "The end of audio was not confirmed within"
            candidates.append(self._expiry(DrainTimeout, since, policy.drain_timeout, what))
        elif self.handed is not None:
            what = "The provider took no audio for"
            candidates.append(self._expiry(SendTimeout, self.handed, policy.send_timeout, what))
        if unheard > patience:
            what = f"{unheard:.1f} s of audio were sent and nothing of it was processed for"
            candidates.append(self._expiry(ProgressTimeout, self.progress, policy.stall_timeout, what))
        return min(candidates, key=lambda candidate: candidate.when, default=None)

    def _expiry(self, kind: type[DeadlineError], since: float, seconds: float, what: str) -> Expiry:
        return Expiry(since + seconds, lambda: kind(f"{what} {seconds:g} s.", seconds=seconds, provider=self._provider))

    def _excuse(self) -> None:
        """Start every wait anew: there was a good reason for what did not happen meanwhile."""
        self.progress = now = self._clock.time()
        self.handed = None if self.handed is None else now
        self.ended = None if self.ended is None else now
