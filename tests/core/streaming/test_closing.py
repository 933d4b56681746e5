"""However many connections do not want to stop, a stream is closed within one close deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from support.fleet import Fleet, words
from support.service import Bench, Plan, Service, ServiceConnection, speech

from debabelizer.streaming.connection import Connection, Link
from debabelizer.streaming.intake import Source
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.testing.virtual_time import run

DEADLINE = StreamPolicy().close_timeout


class Stubborn(Service):
    """Its connections do not stop for a minute, when cancelled and when they have finished."""

    def connect(self) -> Connection:
        self.connections.append(Unwilling(self.plan()))
        return self.connections[-1]


class Unwilling(ServiceConnection):
    async def run(self, link: Link) -> None:
        try:
            await super().run(link)
            await asyncio.sleep(60.0)
        except asyncio.CancelledError:
            self.over = False
            await asyncio.sleep(60.0)
            self.over = True
            raise


@contextmanager
def in_time() -> Iterator[None]:
    time = asyncio.get_running_loop().time
    begun = time()
    yield
    assert time() - begun <= DEADLINE + 1e-6


def test_all_that_race_are_closed_at_the_same_time() -> None:
    async def case() -> None:
        fleet = Fleet([Stubborn(), Stubborn(), Stubborn()], race=3)
        stream = fleet.stream()
        await stream.send_audio(speech(1, 20))
        await asyncio.sleep(1.0)
        assert fleet.connections == [1, 1, 1]
        with in_time():
            await stream.aclose()
        await asyncio.sleep(100.0)
        assert len(asyncio.all_tasks()) == 1

    run(case())


def test_so_is_the_one_that_stands_by() -> None:
    async def case() -> None:
        fleet = Fleet([Stubborn([Plan(lag=4)])], options={"max_session": 3.0})
        stream = fleet.stream()
        for number in range(1, 29):
            await stream.send_audio(speech(number, number))
            await asyncio.sleep(0.1)
        assert fleet.connections == [2]
        with in_time():
            await stream.aclose()
        await asyncio.sleep(100.0)
        assert len(asyncio.all_tasks()) == 1

    run(case())


def test_so_is_the_source() -> None:
    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield speech(1, 1)
                await asyncio.sleep(0.1)
        finally:
            await asyncio.sleep(60.0)

    @asynccontextmanager
    async def blocks() -> AsyncIterator[AsyncIterator[bytes]]:
        audio = endless()
        try:
            yield audio
        finally:
            await audio.aclose()

    async def case() -> None:
        bench = Bench(Stubborn())
        stream = bench.stream(Source(blocks=blocks))
        async with asyncio.timeout(None) as until:
            until.reschedule(asyncio.get_running_loop().time() + 1.0)
            try:
                async for _ in stream:
                    pass
            except asyncio.CancelledError:
                with in_time():
                    await stream.aclose()
                raise
        raise AssertionError("it was to be cancelled")

    async def told() -> None:
        try:
            await case()
        except TimeoutError:
            await asyncio.sleep(100.0)
            assert len(asyncio.all_tasks()) == 1

    run(told())


def test_closing_while_another_one_is_being_closed_takes_no_longer() -> None:
    async def case() -> None:
        fleet = Fleet([Stubborn([Plan(at=1.0, fault="freeze"), Plan()])], policy=StreamPolicy(send_timeout=1.0))
        stream = fleet.stream()
        await stream.send_audio(speech(1, 20))
        await asyncio.sleep(1.0 + DEADLINE / 2)
        assert fleet.connections == [1]  # it has failed, and is being closed
        with in_time():
            await stream.aclose()
        await asyncio.sleep(100.0)
        assert len(asyncio.all_tasks()) == 1

    run(case())


def test_a_stream_that_is_complete_is_closed_in_time_too() -> None:
    async def case() -> None:
        bench = Bench(Stubborn())
        stream = bench.stream()
        await stream.send_audio(speech(1, 20))
        await stream.end_audio()
        await asyncio.sleep(1.0)
        assert stream.transcript.text == words(20)
        with in_time():
            await stream.aclose()
        assert "complete" in repr(stream)
        await asyncio.sleep(100.0)
        assert len(asyncio.all_tasks()) == 1

    run(case())
