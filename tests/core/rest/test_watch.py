from __future__ import annotations

import asyncio

import pytest

from debabelizer.rest import Watch


def test_a_watch_expires_only_when_nothing_moves() -> None:
    async def main() -> list[bool]:
        outcome = []
        async with Watch(0.05) as watch:
            for _ in range(4):
                await asyncio.sleep(0.03)
                watch.touch()
        outcome.append(watch.expired)
        async with Watch(0.01) as watch:
            watch.pause()  # our own source is slow
            await asyncio.sleep(0.05)
            watch.touch()
        outcome.append(watch.expired)
        with pytest.raises(TimeoutError):
            async with Watch(0.01) as watch:
                await asyncio.sleep(5)
        outcome.append(watch.expired)
        watch.touch()  # too late, and no matter
        return outcome

    assert asyncio.run(main()) == [False, False, True]
