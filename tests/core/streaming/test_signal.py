from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from debabelizer.streaming.clock import LoopClock, Signal
from debabelizer.testing import virtual_time


class CountingClock(LoopClock):
    """Remembers what was to be called when."""

    __slots__ = ("timers",)

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[asyncio.TimerHandle] = []

    def call_at(self, when: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        self.timers.append(asyncio.get_running_loop().call_at(when, callback))
        return self.timers[-1]


def waited(signal: Signal, deadline: float | None = None) -> asyncio.Task[tuple[bool, float]]:
    async def wait() -> tuple[bool, float]:
        notified = await signal.wait(deadline)
        return notified, asyncio.get_running_loop().time()

    return asyncio.create_task(wait())


def test_everyone_who_waits_is_woken_and_told_why() -> None:
    async def main() -> None:
        signal = Signal(LoopClock())
        waits = [waited(signal), waited(signal, 5.0)]
        await asyncio.sleep(1.0)
        signal.notify()
        assert [await wait for wait in waits] == [(True, 1.0), (True, 1.0)]

    virtual_time.run(main())


def test_each_deadline_comes_at_its_time() -> None:
    async def main() -> None:
        signal = Signal(LoopClock())
        waits = [waited(signal, deadline) for deadline in (3.0, 1.0, 2.0, 1.0)]
        assert [await wait for wait in waits] == [(False, 3.0), (False, 1.0), (False, 2.0), (False, 1.0)]

    virtual_time.run(main())


def test_a_deadline_in_the_past_comes_at_once() -> None:
    async def main() -> None:
        await asyncio.sleep(2.0)
        assert await waited(Signal(LoopClock()), 1.0) == (False, 2.0)

    virtual_time.run(main())


def test_one_timer_serves_all_waits_one_after_another() -> None:
    async def main() -> None:
        clock = CountingClock()
        signal = Signal(clock)
        for number in range(100):
            wait = waited(signal, 10.0 + number / 100)
            await asyncio.sleep(0.01)
            signal.notify()
            assert (await wait)[0]
        assert len(clock.timers) == 1
        assert await waited(signal, 10.5) == (False, 10.5)

    virtual_time.run(main())


def test_an_earlier_deadline_is_not_missed_for_a_timer_that_is_set_already() -> None:
    async def main() -> None:
        signal = Signal(LoopClock())
        late, early = waited(signal, 10.0), waited(signal, 1.0)
        assert await early == (False, 1.0)
        assert await late == (False, 10.0)

    virtual_time.run(main())


def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    async def main() -> None:
        clock = CountingClock()
        wait = waited(Signal(clock), 10.0)
        await asyncio.sleep(0)
        wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wait
        assert all(timer.cancelled() for timer in clock.timers)

    virtual_time.run(main())


def test_what_is_dealt_with_on_the_spot_wakes_nobody() -> None:
    async def main() -> None:
        signal = Signal(LoopClock())
        left = [True, True, False]
        wait = asyncio.create_task(signal.wait(unless=lambda: left.pop(0)))
        for _ in range(2):
            await asyncio.sleep(1.0)
            signal.notify()
        await asyncio.sleep(1.0)
        assert not wait.done()
        signal.notify()
        assert await wait
        assert left == []

    virtual_time.run(main())
