from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

import pytest

from debabelizer.testing.kit import standstill


async def sleeps() -> None:
    await asyncio.sleep(0)
    time.sleep(0.15)


async def computes() -> None:
    begun = time.thread_time()
    while time.thread_time() - begun < 0.15:
        pass


async def waits() -> None:
    await asyncio.sleep(0.15)


async def fails() -> None:
    raise ValueError("It failed.")


class Busy:
    """A system that says of all time that others had the processors."""

    def read_text(self, encoding: str) -> str:
        return f"0 {int(time.perf_counter() * 1e9)} 1\n"


@pytest.mark.parametrize("work", [sleeps, computes])
def test_what_blocks_is_seen(work: object) -> None:
    assert asyncio.run(standstill.watched(work())) >= 0.149  # type: ignore[operator]


def test_to_wait_blocks_nobody() -> None:
    assert min(asyncio.run(standstill.watched(waits())) for _ in range(3)) < 0.1


def test_what_others_do_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "_OWN", Busy())
    assert asyncio.run(standstill.watched(sleeps())) < 0.05


def test_where_the_system_does_not_tell_it_is_the_time_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "_OWN", Path("/nowhere/at/all"))
    assert asyncio.run(standstill.watched(sleeps())) >= 0.149


def test_the_collector_rests_meanwhile() -> None:
    async def look() -> None:
        assert not gc.isenabled()

    asyncio.run(standstill.watched(look()))
    assert gc.isenabled()


def test_a_failure_is_raised_and_the_collector_works_on() -> None:
    with pytest.raises(ValueError, match="It failed"):
        asyncio.run(standstill.watched(fails()))
    assert gc.isenabled()
