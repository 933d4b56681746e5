"""The promise as an invariant: whatever breaks, whatever the user does, every word comes once, in order, in time."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.plans import act, plans, times_as_many
from support.service import Bench, Plan, Service, speech

from debabelizer.errors import StreamClosedError, StreamError
from debabelizer.results import StreamingResult
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import run

POLICY = StreamPolicy(replay=20.0, give_up_after=400.0, max_attempts=40)

# What the user does, one after another: send so many bytes, pause so many seconds, flush.
actions = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 3000)),
        st.tuples(st.just("pause"), st.sampled_from([0.0, 0.01, 0.5, 15.0])),
        st.tuples(st.just("flush"), st.just(0)),
    ),
    max_size=40,
)


async def drain(stream: TranscriptionStream) -> None:
    async for _ in stream:
        pass


@settings(max_examples=times_as_many(250), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(plans, max_size=6), actions, st.integers(0, 150), st.sampled_from([None, 1.0, 4.0]), st.booleans())
@example([Plan(end="short", lag=3)] * 2, [], 1, None, False)  # once two that agreed were believed
def test_words_delivered_are_the_words_of_a_perfect_line(
    broken: list[Plan], todo: list[tuple[str, float]], last: int, speed: float | None, slow_reader: bool
) -> None:
    async def case() -> None:
        bench = Bench(Service([*broken, Plan(lag=3)]), policy=POLICY, speed=speed, jitter=0.3)
        finals: list[StreamingResult] = []
        interim = ""
        async with bench.stream() as stream:
            acting = asyncio.ensure_future(act(stream, todo, speech(1, last), chunk=1000, pace=None))
            async for result in stream:
                if result.is_final:
                    finals.append(result)
                else:
                    interim = result.text
                if slow_reader:
                    await asyncio.sleep(0.3)
            await acting
        words = [word for final in finals for word in final.words]
        assert [word.text for word in words] == [str(number) for number in range(1, last + 1)]
        assert all(abs((word.start or 0.0) - index * 0.1) < 1e-6 for index, word in enumerate(words))
        assert interim == ""
        assert stream.stats.gaps == ()
        assert stream.stats.confirmed == stream.stats.accepted
        assert stream.transcript.text == " ".join(str(number) for number in range(1, last + 1))
        await asyncio.sleep(100.0)  # for those that are slow to be cancelled
        assert len(asyncio.all_tasks()) == 1
        assert all(connection.over for connection in bench.service.connections)

    run(case())


def cancelled_after(steps: int, make: Callable[[Bench], Coroutine[Any, Any, object]], bench: Bench) -> bool:
    """Cancel a coroutine after so many steps of the loop; whether it was still running then."""

    async def case() -> bool:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        task = asyncio.ensure_future(make(bench))
        for step in range(steps):
            await asyncio.sleep(0 if step < 200 else 1.0)  # time stands still while somebody is busy
        running = not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for supervisor in bench.supervisors:
            supervisor.cancel()
            await supervisor.join()
            assert supervisor.outcome is not None
        await asyncio.sleep(100.0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert all(connection.over for connection in bench.service.connections if connection.taken)
        assert faults == []
        return running

    return run(case())


async def whole_life(bench: Bench) -> None:
    async with bench.stream() as stream:
        await stream.send_audio(speech(1, 30))
        await stream.flush()
        await stream.end_audio()
        async for _ in stream.events():
            pass


async def by_utterances(bench: Bench) -> None:
    async with bench.stream() as stream:
        await stream.send_audio(speech(1, 30))
        await stream.end_audio()
        async for _ in stream.utterances():
            pass


async def without_context(bench: Bench) -> None:
    stream = bench.stream()
    try:
        await stream.send_audio(speech(1, 30))
        await stream.end_audio()
        async for _ in stream:
            pass
    finally:
        await stream.aclose()


async def closing(bench: Bench) -> None:
    stream = bench.stream()
    await stream.send_audio(speech(1, 30))
    await stream.aclose()


def test_every_public_coroutine_can_be_cancelled_at_every_step() -> None:
    for make in (whole_life, by_utterances, without_context, closing):
        for plan in (Plan(lag=4), Plan(at=1.0), Plan(fault="hang-on-cancel", at=2.0), Plan(open_after=1.0)):
            steps = 0
            while cancelled_after(steps, make, Bench(Service([plan, Plan()]), jitter=0.0)):
                steps += 1
                assert steps < 500
            assert steps > 3


def test_a_cancelled_send_has_taken_all_of_its_chunk_or_nothing() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(open_after=1.0)]), policy=StreamPolicy(replay=1.0))
        async with bench.stream() as stream:
            await stream.send_audio(speech(1, 8))
            waiting = asyncio.ensure_future(stream.send_audio(speech(9, 13)))
            await asyncio.sleep(0.5)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert stream.stats.accepted == 0.8
            await stream.send_audio(speech(9, 10))
            await stream.end_audio()
            async for _ in stream:
                pass
        assert stream.transcript.text == "1 2 3 4 5 6 7 8 9 10"

    run(case())


def test_a_reader_can_be_cancelled_and_another_goes_on_without_losing_a_word() -> None:
    async def case() -> None:
        said: list[str] = []

        async def read(stream: TranscriptionStream) -> None:
            async for result in stream:
                if result.is_final:
                    said.extend(word.text for word in result.words)

        async with Bench().stream() as stream:
            for number in range(1, 40):
                reading = asyncio.ensure_future(read(stream))
                await stream.send_audio(speech(number, number))
                for _ in range(number % 7):
                    await asyncio.sleep(0)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                del reading
            await stream.end_audio()
            await read(stream)
        assert said == [str(number) for number in range(1, 40)]

    run(case())


def test_the_owner_killed_from_outside_is_an_error_and_not_an_end() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(lag=3)]))
        stream = bench.stream()
        await stream.send_audio(speech(1, 10))
        await asyncio.sleep(1.0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_name().startswith("debabelizer stream"):
                task.cancel()
        with pytest.raises(StreamClosedError, match="stopped from outside"):
            await drain(stream)

    run(case())


def test_an_hour_of_speech_takes_no_more_memory_than_its_transcript() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=200.0, lag=5)] * 30), policy=StreamPolicy(replay=30.0))
        heard = 0
        blocks: list[int] = []  # that the interpreter has handed out, every ten minutes
        async with bench.stream() as stream:
            record, journal = bench.supervisors[0].record, bench.supervisors[0].journal
            record._finals = deque(maxlen=10)  # type: ignore[assignment]  # the transcript, which is to grow

            async def talk() -> None:
                for second in range(3600):
                    await stream.send_audio(speech(second * 10 + 1, second * 10 + 10))
                    await asyncio.sleep(1.0)
                    assert len(journal.read(journal.oldest, 10**9)) <= 30.0 * 2000
                    if second % 600 == 599:
                        for connection in bench.service.connections:
                            connection.taken.clear()
                            connection.audio = b"" if connection.over else connection.audio
                        gc.collect()
                        blocks.append(sys.getallocatedblocks())
                await stream.end_audio()

            talking = asyncio.ensure_future(talk())
            async for result in stream:
                for word in result.words if result.is_final else ():
                    heard += 1
                    assert word.text == str(heard)
            await talking
        assert heard == 36000
        assert stream.stats.attempts > 15
        # Anything kept for each piece of audio would be 3000 blocks in ten minutes; attempts are kept, the latest 100.
        assert max(blocks) - blocks[0] < 1000, blocks

    run(case())


def test_errors_name_every_attempt_but_keep_a_bounded_number() -> None:
    async def case() -> None:
        policy = StreamPolicy(max_attempts=150, give_up_after=1e6, backoff_base=0.01, backoff_max=0.01)
        stream = Bench(Service([Plan(at=0.0)]), policy=policy).stream()
        await stream.send_audio(speech(1, 2))
        with pytest.raises(StreamError) as caught:
            await drain(stream)
        assert [attempt.number for attempt in caught.value.attempts] == list(range(51, 151))

    run(case())
