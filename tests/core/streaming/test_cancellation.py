"""Every public coroutine of a stream and of the front door, cancelled after k steps of the loop, for all k.

Whenever it happens, what was begun goes on as if the call had not been made or had been made whole, and nothing is
left behind.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
from support.providers import Meter, fresh, line, spec
from support.service import FORMAT, Bench, Plan, Service, speech

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import DebabelizerError, StreamClosedError
from debabelizer.plugins import PluginRegistry
from debabelizer.processor import VoiceProcessor
from debabelizer.results import Closed, StreamingResult, Utterance
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import run

Case = Callable[[int], Coroutine[Any, Any, bool]]

PLANS = (
    Plan(lag=4),
    Plan(at=1.0),
    Plan(at=2.0, fault="hang-on-cancel"),
    Plan(open_after=1.0, lag=2),
    Plan(end="silent"),
)


def at_every_step(case: Case) -> None:
    """Play `case` for 0, 1, 2, ... steps until what it cancels is over by itself."""
    steps = 0
    while run(case(steps)):
        steps += 1
        assert steps < 500
    assert steps > 0


async def cancelled_after(steps: int, coro: Coroutine[Any, Any, Any]) -> bool:
    """Cancel `coro` after so many steps of the loop; whether it was still running then."""
    task = asyncio.ensure_future(coro)
    for step in range(steps):
        await asyncio.sleep(0 if step < 50 else 1.0)  # time stands still while somebody is busy
    running = not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return running


def words(items: list[Any]) -> list[str]:
    said: list[str] = []
    for item in items:
        if isinstance(item, Utterance):
            said += [word.text for result in item.results for word in result.words]
        elif isinstance(item, StreamingResult) and item.is_final:
            said += [word.text for word in item.words]
    return said


def numbers(last: int) -> list[str]:
    return [str(number) for number in range(1, last + 1)]


async def nothing_is_left(bench: Bench) -> None:
    await asyncio.sleep(100.0)  # for those that are slow to be cancelled
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(connection.over for connection in bench.service.connections if connection.taken)


# --- streams ---


def sending(plan: Plan) -> Case:
    async def case(steps: int) -> bool:
        bench = Bench(Service([plan, Plan()]), policy=StreamPolicy(replay=2.0), jitter=0.0)
        async with bench.stream() as stream:
            reading = asyncio.ensure_future(_read(stream))
            for first in (1, 5, 9, 13):
                await stream.send_audio(speech(first, first + 3))
            running = await cancelled_after(steps, stream.send_audio(speech(17, 20)))
            taken = stream.stats.accepted
            assert taken in {1.6, 2.0}  # none of the chunk, or all of it
            await stream.send_audio(speech(17 if taken == 1.6 else 21, 24))
            await stream.end_audio()
            assert words(await reading) == numbers(24)
        await nothing_is_left(bench)
        return running

    return case


def flushing(plan: Plan) -> Case:
    async def case(steps: int) -> bool:
        bench = Bench(Service([plan, Plan()]), jitter=0.0)
        async with bench.stream() as stream:
            await stream.send_audio(speech(1, 20))
            running = await cancelled_after(steps, stream.flush())
            assert bench.supervisors[0].flushes.open == []
            await stream.send_audio(speech(21, 30))
            await stream.end_audio()
            assert words(await _read(stream)) == numbers(30)
        await nothing_is_left(bench)
        return running

    return case


def ending(plan: Plan) -> Case:
    async def case(steps: int) -> bool:
        bench = Bench(Service([plan, Plan()]), jitter=0.0)
        async with bench.stream() as stream:
            await stream.send_audio(speech(1, 20))
            running = await cancelled_after(steps, stream.end_audio())
            if running:
                await stream.send_audio(speech(21, 22))
            else:
                with pytest.raises(StreamClosedError):
                    await stream.send_audio(speech(21, 22))
            await stream.end_audio()
            assert words(await _read(stream)) == numbers(22 if running else 20)
        await nothing_is_left(bench)
        return running

    return case


def reading(view: Callable[[TranscriptionStream], AsyncIterator[Any]], *, anew: bool) -> Callable[[Plan], Case]:
    def of(plan: Plan) -> Case:
        async def case(steps: int) -> bool:
            bench = Bench(Service([plan, Plan()]), jitter=0.0)
            async with bench.stream() as stream:
                await stream.send_audio(speech(1, 30))
                await stream.end_audio()
                items: list[Any] = []
                reader = [view(stream)]

                async def read() -> None:
                    async for item in reader[0]:
                        items.append(item)

                running = await cancelled_after(steps, read())
                if anew:
                    reader.clear()  # the place of one reader
                    reader.append(aiter(stream))
                await read()
                assert words(items) == numbers(30)
            await nothing_is_left(bench)
            return running

        return case

    return of


def closing(how: Callable[[TranscriptionStream], Coroutine[Any, Any, Any]]) -> Callable[[Plan], Case]:
    def of(plan: Plan) -> Case:
        async def case(steps: int) -> bool:
            bench = Bench(Service([plan, Plan()]), jitter=0.0)
            stream = bench.stream()
            await stream.send_audio(speech(1, 30))
            await asyncio.sleep(0.1)
            running = await cancelled_after(steps, how(stream))
            begun = asyncio.get_running_loop().time()
            await stream.aclose()
            assert asyncio.get_running_loop().time() - begun <= 2.0 + 1e-6  # the close deadline
            (closed,) = [event async for event in stream.events()]
            assert isinstance(closed, Closed)
            assert closed.error is None
            await nothing_is_left(bench)
            return running

        return case

    return of


def entering(plan: Plan) -> Case:
    async def case(steps: int) -> bool:
        bench = Bench(Service([plan, Plan()]), jitter=0.0)
        stream = bench.stream()
        running = await cancelled_after(steps, stream.__aenter__())
        await stream.aclose()
        await nothing_is_left(bench)
        return running

    return case


async def _read(stream: TranscriptionStream) -> list[Any]:
    return [result async for result in stream]


STREAM: dict[str, list[Callable[[Plan], Case]]] = {
    "send_audio": [sending],
    "flush": [flushing],
    "end_audio": [ending],
    "aclose": [closing(TranscriptionStream.aclose)],
    "__aenter__": [entering],
    "__aexit__": [closing(lambda stream: stream.__aexit__(None, None, None))],
    "__anext__": [
        reading(view, anew=anew)
        for view in (aiter, TranscriptionStream.events, TranscriptionStream.utterances)
        for anew in (False, True)
    ],
}


@pytest.mark.parametrize("plan", PLANS, ids=["lag", "drop", "hang", "slow", "silent end"])
@pytest.mark.parametrize("name", STREAM)
def test_a_coroutine_of_a_stream(name: str, plan: Plan) -> None:
    for make in STREAM[name]:
        at_every_step(make(plan))


# --- the front door ---


@pytest.fixture
def meters() -> Iterator[list[Meter]]:
    Meter.opened, Meter.gate = [], None
    yield Meter.opened
    Meter.gate = None


def door() -> VoiceProcessor:
    return VoiceProcessor({"stt": {"provider": "meter"}}, registry=PluginRegistry.of(spec("meter"), line()))


async def second() -> AsyncIterator[bytes]:
    for _ in range(10):
        await asyncio.sleep(0)
        yield bytes(3200)


def transcribing(source: Callable[[], Any]) -> Case:
    async def case(steps: int) -> bool:
        raw = AudioFormat()
        async with door() as voice:
            running = await cancelled_after(steps, voice.transcribe(source(), audio_format=raw))
            transcript = await voice.transcribe(source(), audio_format=raw)
            assert transcript.text == "1.00 seconds"
            assert not voice._work
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return running

    return case


def closing_the_door(how: Callable[[VoiceProcessor], Coroutine[Any, Any, None]]) -> Case:
    async def case(steps: int) -> bool:
        Meter.gate = asyncio.Event()
        fresh(Plan(at=0.0, fault="hang-on-cancel"), Plan(lag=2))
        voice = door()
        busy = asyncio.ensure_future(voice.transcribe(second(), audio_format=AudioFormat()))
        streams = [voice.transcribe_stream(provider="line", audio_format=FORMAT) for _ in range(3)]
        for stream in streams[:2]:
            await stream.send_audio(speech(1, 10))
        await asyncio.sleep(1.0)
        running = await cancelled_after(steps, how(voice))
        if not running or steps:  # else it was cancelled before it began
            assert voice._closed
        await voice.aclose()
        with pytest.raises(DebabelizerError, match="was closed while"):
            await busy
        for stream in streams:
            await stream.aclose()
        assert all("closed" in repr(stream) for stream in streams[:2])
        assert not voice._streams
        assert [meter.closed for meter in Meter.opened] == [1]
        Meter.opened.clear()
        await asyncio.sleep(100.0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return running

    return case


def entering_the_door(steps: int) -> Coroutine[Any, Any, bool]:
    async def case() -> bool:
        voice = door()
        running = await cancelled_after(steps, voice.__aenter__())
        await voice.aclose()
        return running

    return case()


DOOR: dict[str, list[Case]] = {
    "transcribe": [transcribing(second), transcribing(lambda: bytes(32000))],
    "aclose": [closing_the_door(VoiceProcessor.aclose)],
    "__aenter__": [entering_the_door],
    "__aexit__": [closing_the_door(lambda voice: voice.__aexit__(None, None, None))],
}


@pytest.mark.parametrize("name", DOOR)
def test_a_coroutine_of_the_front_door(name: str, meters: list[Meter]) -> None:
    for case in DOOR[name]:
        meters.clear()
        at_every_step(case)


@pytest.mark.parametrize(
    ("tested", "classes"),
    [(STREAM, (TranscriptionStream, type(Bench().stream().events()))), (DOOR, (VoiceProcessor,))],
    ids=["stream", "front door"],
)
def test_no_public_coroutine_was_forgotten(tested: dict[str, Any], classes: tuple[type, ...]) -> None:
    members = {name: member for kind in classes for name, member in vars(kind).items()}
    public = {name for name in members if not name.startswith("_") or name.startswith("__")}
    assert set(tested) == {name for name in public if inspect.iscoroutinefunction(members[name])}
