from __future__ import annotations

import asyncio
import threading
import time

import pytest

from debabelizer.testing.virtual_time import DeadlockError, run


def now() -> float:
    return asyncio.get_running_loop().time()


class TestTime:
    def test_an_hour_in_a_moment(self) -> None:
        async def main() -> float:
            await asyncio.sleep(3600)
            return now()

        begin = time.monotonic()
        assert run(main()) == pytest.approx(3600)
        assert time.monotonic() - begin < 5

    def test_everything_happens_in_order(self) -> None:
        events: list[tuple[str, float]] = []

        async def tick(name: str, period: float) -> None:
            for _ in range(3):
                await asyncio.sleep(period)
                events.append((name, now()))

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(tick("slow", 10))
                group.create_task(tick("fast", 4))

        run(main())
        assert events == [("fast", 4), ("fast", 8), ("slow", 10), ("fast", 12), ("slow", 20), ("slow", 30)]

    def test_timeouts(self) -> None:
        async def main() -> float:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60):
                    await asyncio.sleep(90)
            return now()

        assert run(main()) == pytest.approx(60)

    def test_a_long_day_of_short_waits(self) -> None:
        async def main() -> float:
            for _ in range(10_000):
                await asyncio.sleep(0.1)
            return now()

        assert run(main()) == pytest.approx(1000)

    def test_errors_come_out(self) -> None:
        async def main() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError):
            run(main())

    def test_each_run_has_its_own_time(self) -> None:
        async def main() -> float:
            await asyncio.sleep(1)
            return now()

        assert [run(main()), run(main())] == [1.0, 1.0]


class TestThreads:
    def test_time_stands_still_while_a_thread_works(self) -> None:
        async def main() -> tuple[str, float]:
            timer = asyncio.get_running_loop().create_task(asyncio.sleep(10))
            result = await asyncio.to_thread(lambda: (time.sleep(0.05), "done")[1])
            at = now()
            await timer
            return result, at

        assert run(main()) == ("done", 0.0)

    def test_a_thread_that_the_loop_does_not_know_of(self) -> None:
        async def main() -> str:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[str] = loop.create_future()
            timer = threading.Timer(0.05, loop.call_soon_threadsafe, [future.set_result, "done"])
            timer.start()
            result = await future
            timer.join()
            return result

        assert run(main()) == "done"

    def test_a_call_that_fails(self) -> None:
        async def main() -> float:
            with pytest.raises(KeyError):
                await asyncio.to_thread({}.__getitem__, "x")
            await asyncio.sleep(5)
            return now()

        assert run(main()) == 5.0


@pytest.mark.untidy
def test_a_deadlock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer.testing.virtual_time._PATIENCE", 0.01)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match="every task waits"):
        run(main())


@pytest.mark.untidy
def test_a_deadlock_while_cleaning_up_does_not_hide_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer.testing.virtual_time._PATIENCE", 0.01)
    cleaned = []

    async def main() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            cleaned.append(True)

    with pytest.raises(DeadlockError):
        run(main())
    assert cleaned
