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
    nobody waits, so it may be called for every chunk of audio.
    """

    __slots__ = ("_clock", "_waiters")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiters: list[asyncio.Future[bool]] = []

    def notify(self) -> None:
        """Wake everyone who waits now."""
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                _settle(waiter, True)

    async def wait(self, deadline: float | None = None) -> bool:
        """Wait for the next `notify`; False if `deadline` (clock seconds) came first."""
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        timer = None
        if deadline is not None:
            timer = self._clock.call_at(deadline, lambda: _settle(waiter, False))
        try:
            return await waiter
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)


def _settle(waiter: asyncio.Future[bool], value: bool) -> None:
    if not waiter.done() and not waiter.get_loop().is_closed():  # closed underneath: nobody waits any more
        waiter.set_result(value)
