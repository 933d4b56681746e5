"""Time, injectable; and `Signal`, the one way in which anything in a stream waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

__all__ = ["Clock", "LoopClock", "Signal", "Timer"]


class Timer(Protocol):
    """A pending call."""

    def cancel(self) -> None:
        """Forget the call. Idempotent."""


class Clock(Protocol):
    """Monotonic time in seconds. The zero point means nothing."""

    def time(self) -> float:
        """Now."""

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call back on the event loop as soon as `time() >= when`."""


class LoopClock:
    """The clock of the running event loop."""

    __slots__ = ("_loop", "time")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.time = self._loop.time

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """See `Clock`."""
        return self._loop.call_at(when, callback)


class Signal:
    """Wakes those who wait for a change, without saying which: each looks for itself and waits again.

    A condition variable for one event loop, with deadlines on an injectable clock. `notify` is cheap when
    nobody waits, so it may be called for every chunk of audio; and so is waiting, since one timer serves all waits
    one after another: it is set for the earliest deadline, and outlives the waits that were notified before it.
    """

    __slots__ = ("_clock", "_due", "_loop", "_timer", "_waiters")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiters: list[tuple[asyncio.Future[bool], float | None, Callable[[], bool] | None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # asked for once: up to Python 3.11 that is a system call
        self._timer: Timer | None = None
        self._due = 0.0  # when the timer goes off

    def notify(self) -> None:
        """Wake everyone who waits now."""
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for entry in waiters:
                if entry[2] is not None and entry[2]():
                    self._waiters.append(entry)
                else:
                    _settle(entry[0], True)

    async def wait(self, deadline: float | None = None, unless: Callable[[], bool] | None = None) -> bool:
        """Wait for the next `notify`; False if `deadline` (clock seconds) came first.

        `unless` is called at a `notify`, and when it says True, that was dealt with, and the wait goes on: to wake a
        task takes ten times as long as a call. It must not wait, and not raise.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = self._loop.create_future()
        entry = (waiter, deadline, unless)
        self._waiters.append(entry)
        if deadline is not None:
            self._see_to(deadline)
        try:
            return await waiter
        except asyncio.CancelledError:
            if entry in self._waiters:
                self._waiters.remove(entry)
            if not self._waiters:
                self._rest()
            raise

    def _see_to(self, deadline: float) -> None:
        """Have the timer go off no later than at `deadline`."""
        if self._timer is not None and self._due > deadline:
            self._rest()
        if self._timer is None:
            self._due = deadline
            self._timer = self._clock.call_at(deadline, self._expire)

    def _expire(self) -> None:
        """The timer went off: tell those whose deadline has come, and set it for the others."""
        self._timer = None
        now = max(self._clock.time(), self._due)  # an event loop may be early by the grain of its clock
        waiters, self._waiters = self._waiters, []
        for entry in waiters:
            waiter, deadline, _ = entry
            if deadline is not None and deadline <= now:
                _settle(waiter, False)
            else:
                self._waiters.append(entry)
                if deadline is not None:
                    self._see_to(deadline)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _settle(waiter: asyncio.Future[bool], value: bool) -> None:
    if not waiter.done() and not waiter.get_loop().is_closed():  # closed underneath: nobody waits any more
        waiter.set_result(value)
