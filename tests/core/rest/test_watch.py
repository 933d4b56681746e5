from __future__ import annotations

import asyncio

import pytest

from debabelizer.rest import Watch
from debabelizer.testing import virtual_time


def test_a_watch_expires_only_when_nothing_moves() -> None:
    async def main() -> list[bool]:
        outcome = []
        async with Watch(60.0) as watch:
            for _ in range(4):
                await asyncio.sleep(59.0)
                watch.touch()
        outcome.append(watch.expired)
        async with Watch(60.0) as watch:
            watch.pause()  # our own source is slow
            await asyncio.sleep(3600.0)
            watch.touch()
        outcome.append(watch.expired)
        with pytest.raises(TimeoutError):
            async with Watch(60.0) as watch:
                await asyncio.sleep(61.0)
        outcome.append(watch.expired)
        watch.touch()  # too late, and no matter
        return outcome

    assert virtual_time.run(main()) == [False, False, True]


def test_whoever_thinks_has_another_allowance() -> None:
    async def main() -> list[float]:
        async with Watch(60.0, 600.0) as watch:
            watch.think()
            await asyncio.sleep(599.0)
            allowances = [watch.allowance]
            watch.touch()
            await asyncio.sleep(59.0)
        return [*allowances, watch.allowance]

    assert virtual_time.run(main()) == [600.0, 60.0]
