"""How long a stream waits: quiet rooms, idle users, providers that are behind, and peers that only chatter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.service import FORMAT, Bench, Plan, Service

from debabelizer.errors import ConnectionLostError, DrainTimeout, ProgressTimeout, ReadyTimeout, StreamError
from debabelizer.results import Closed, Reconnecting, StreamEvent, Word
from debabelizer.streaming.connection import Connection, End, Link
from debabelizer.streaming.dialect import Finished, Hypothesis, Processed
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import run


class Wire:
    """What all connections of a stream have in common: it can be cut."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or ConnectionLostError("cut")
        self.cuts = 0

    def cut(self) -> None:
        self.cuts += 1


class Listener(Connection):
    """Hears everything but the last `behind` seconds, `late` seconds after it was sent, and never says a word."""

    def __init__(self, wire: Wire, *, behind: float = 0.0, late: float = 0.0, confirms: bool = False) -> None:
        self._wire = wire
        self._behind = behind
        self._late = late
        self._confirms = confirms
        self._sent = 0.0

    async def run(self, link: Link) -> None:
        cuts = self._wire.cuts
        while True:
            work = await link.take(0.1)
            if self._wire.cuts > cuts:
                raise self._wire.error
            if isinstance(work, bytes):
                self._sent += FORMAT.seconds(len(work))
            elif isinstance(work, End):
                await asyncio.sleep(self._late)
                await link.emit(Finished(self._sent))
                return
            elif self._sent:
                await asyncio.sleep(self._late)
                heard = max(self._sent - self._behind, 0.0)
                await link.emit(Processed(heard, final=self._confirms))


def bench_of(connect: Callable[[], Connection], policy: StreamPolicy | None = None) -> Bench:
    bench = Bench(policy=policy or StreamPolicy())
    bench.service.connect = connect
    return bench


def silence(seconds: float) -> bytes:
    return bytes(round(seconds * FORMAT.bytes_per_second))


async def live(stream: TranscriptionStream, seconds: float) -> None:
    """Send silence in real time."""
    for _ in range(round(seconds / 0.1)):
        await stream.send_audio(silence(0.1))
        await asyncio.sleep(0.1)


def reading(stream: TranscriptionStream) -> asyncio.Task[list[StreamEvent]]:
    async def read() -> list[StreamEvent]:
        return [event async for event in stream.events()]

    return asyncio.ensure_future(read())


def reconnects(events: list[StreamEvent]) -> list[Any]:
    return [event.cause for event in events if isinstance(event, Reconnecting)]


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_a_connection_that_breaks_while_the_user_sends_nothing_is_made_again(said: float) -> None:
    async def case() -> None:
        wire = Wire()
        async with bench_of(lambda: Listener(wire)).stream() as stream:
            events = reading(stream)
            await stream.send_audio(silence(said))
            await asyncio.sleep(600.0)
            wire.cut()
            await asyncio.sleep(600.0)
            await stream.send_audio(silence(1.0))
            await stream.end_audio()
            assert (await events)[-1] == Closed(None)
            assert stream.stats.attempts == 2

    run(case())


def test_a_quiet_room_keeps_its_stream_through_an_outage_now_and_then() -> None:
    async def case() -> None:
        wire = Wire()
        bench = bench_of(lambda: Listener(wire))
        async with bench.stream() as stream:
            events = reading(stream)
            for _ in range(3):
                await live(stream, 600.0)
                wire.cut()
            await stream.send_audio(silence(0.5))
            await stream.end_audio()
            assert (await events)[-1] == Closed(None)
            assert len(reconnects(await events)) == 3

    run(case())


def test_connections_that_hear_a_little_and_break_use_the_budget_up() -> None:
    async def case() -> None:
        wire = Wire()

        async def cut_again_and_again() -> None:
            while True:
                await asyncio.sleep(20.0)
                wire.cut()

        async with bench_of(lambda: Listener(wire)).stream() as stream:
            events = reading(stream)
            cutting = asyncio.ensure_future(cut_again_and_again())
            with pytest.raises(StreamError, match="cut"):
                await live(stream, 500.0)
            cutting.cancel()
            with pytest.raises(StreamError):
                await events
            assert stream.stats.attempts <= 5

    run(case())


def test_a_burst_after_a_pause_is_no_stall() -> None:
    """The last audio before the pause was never heard, as some providers do; that wait is not held against them."""

    async def case() -> None:
        bench = bench_of(lambda: Listener(Wire(), behind=0.5, late=1.0))
        async with bench.stream() as stream:
            events = reading(stream)
            await stream.send_audio(silence(1.0))
            await asyncio.sleep(60.0)
            await stream.send_audio(silence(3.0))
            for _ in range(30):  # the owner looks at every deadline when this is notified
                await asyncio.sleep(0.1)
                bench.supervisors[0]._watch.notify()
            await stream.end_audio()
            assert reconnects(await events) == []

    run(case())


def test_a_stall_is_noticed_in_time_when_audio_comes_in_real_time() -> None:
    async def case() -> None:
        bench = bench_of(lambda: Listener(Wire(), behind=1e6), StreamPolicy(max_attempts=1))
        async with bench.stream() as stream:
            begun = asyncio.get_running_loop().time()
            with pytest.raises(StreamError) as caught:
                await live(stream, 30.0)
            assert isinstance(caught.value.__cause__, ProgressTimeout)
            assert asyncio.get_running_loop().time() - begun == pytest.approx(10.0, abs=0.5)

    run(case())


def test_the_shortest_deadline_of_all_is_kept() -> None:
    async def case() -> None:
        policy = StreamPolicy(ready_timeout=1.0, max_attempts=1)
        bench = Bench(Service([Plan(open_after=0.5, never_ready=True)]), policy=policy)
        async with bench.stream() as stream:
            await stream.send_audio(silence(1.0))
            begun = asyncio.get_running_loop().time()
            with pytest.raises(StreamError) as caught:
                await anext(aiter(stream))
            assert isinstance(caught.value.__cause__, ReadyTimeout)
            assert asyncio.get_running_loop().time() - begun == pytest.approx(1.5)

    run(case())


@pytest.mark.parametrize("replay", [60.0, 2.0])
def test_audio_of_any_length_can_be_sent_at_once_to_a_provider_that_stays_a_little_behind(replay: float) -> None:
    async def case() -> None:
        bench = bench_of(lambda: Listener(Wire(), behind=0.9), StreamPolicy(replay=replay))
        async with bench.stream() as stream:
            events = reading(stream)
            async with asyncio.timeout(100.0):
                await stream.send_audio(silence(300.0))
                await stream.end_audio()
                assert (await events)[-1] == Closed(None)

    run(case())


def test_a_buffer_too_small_for_the_provider_is_an_error_and_no_standstill() -> None:
    async def case() -> None:
        bench = bench_of(lambda: Listener(Wire(), behind=0.9), StreamPolicy(replay=0.5))
        async with bench.stream() as stream:
            events = reading(stream)
            with pytest.raises(StreamError) as caught:
                await stream.send_audio(silence(2.0))
            assert isinstance(caught.value.__cause__, ProgressTimeout)
            with pytest.raises(StreamError):
                await events

    run(case())


@pytest.mark.parametrize("said", ["guess", "heard"])
@pytest.mark.parametrize("end", [0.1, 0.5, 0.51, 5.0])  # of half a second of audio
def test_chatter_for_ever_after_the_end_is_no_progress(end: float, said: str) -> None:
    class Chatter(Connection):
        async def run(self, link: Link) -> None:
            while not isinstance(await link.take(), End):
                pass
            guess = 0
            while True:
                guess += 1
                word = Word(f"hm{guess}", 0.0, end)
                interim = Hypothesis(text=word.text, final=False, words=(word,))
                await link.emit(interim if said == "guess" else Processed(end))
                await asyncio.sleep(1.0)

    async def case() -> None:
        async with bench_of(Chatter, StreamPolicy(max_attempts=1)).stream() as stream:
            await stream.send_audio(silence(0.5))
            await stream.end_audio()
            async with asyncio.timeout(100.0):
                with pytest.raises(StreamError) as caught:
                    async for _ in stream:
                        pass
            assert isinstance(caught.value.__cause__, DrainTimeout)

    run(case())


def test_a_user_who_ends_during_a_delay_with_nothing_left_to_do_does_not_wait_for_it() -> None:
    async def case() -> None:
        wire = Wire(ConnectionLostError("later", retry_after=30.0))
        async with bench_of(lambda: Listener(wire, confirms=True)).stream() as stream:
            events = reading(stream)
            await stream.send_audio(silence(1.0))
            await asyncio.sleep(1.0)
            wire.cut()
            await asyncio.sleep(1.0)
            begun = asyncio.get_running_loop().time()
            await stream.end_audio()
            assert (await events)[-1] == Closed(None)
            assert len(reconnects(await events)) == 1
            assert asyncio.get_running_loop().time() == begun

    run(case())


def test_a_connection_that_was_left_behind_is_not_heard_any_more() -> None:
    class Undead(Connection):
        async def run(self, link: Link) -> None:
            try:
                await link.take()
                await asyncio.sleep(1e6)
            except asyncio.CancelledError:
                await asyncio.sleep(10.0)
            word = Word("ghost", 35.0, 36.0)
            await link.emit(Hypothesis(text=word.text, final=True, words=(word,)))

    async def case() -> None:
        service = Service()
        left: list[Connection] = [Undead()]
        bench = bench_of(lambda: left.pop() if left else Service.connect(service))
        async with bench.stream() as stream:
            events = reading(stream)
            await live(stream, 40.0)
            await stream.end_audio()
            assert len(reconnects(await events)) == 1
            assert "ghost" not in stream.transcript.text
            assert len(stream.transcript.words) == 400

    run(case())
