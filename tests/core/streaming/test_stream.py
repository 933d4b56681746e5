"""What the user holds: the verbs, the views, and every misuse."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.service import FORMAT, Bench, Plan, Service, speech

from debabelizer.errors import (
    AudioFormatError,
    AuthenticationError,
    StreamBusyError,
    StreamClosedError,
    StreamError,
    StreamUsageError,
)
from debabelizer.results import Closed, Progress, StreamingResult, UtteranceEnded
from debabelizer.streaming.connection import Connection, End, Link
from debabelizer.streaming.dialect import Finished, Hypothesis, Notice, SpeechStart, UtteranceEnd
from debabelizer.streaming.intake import Source
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import run


def source(*blocks: bytes, then: Exception | None = None, total: float | None = None) -> Source:
    async def give() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block
        if then is not None:
            raise then

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        iterator = give()
        try:
            yield iterator
        finally:
            await iterator.aclose()  # type: ignore[attr-defined]

    return Source(blocks=opened, total=lambda: total)


def words(stream: TranscriptionStream) -> list[str]:
    return [word.text for word in stream.transcript.words]


def numbers(last: int) -> list[str]:
    return [str(number) for number in range(1, last + 1)]


class Scripted(Connection):
    """Takes all audio, then says the given events and finishes."""

    def __init__(self, *events: Any) -> None:
        self.events = events

    async def run(self, link: Link) -> None:
        while not isinstance(await link.take(), End):
            pass
        await link.emit(*self.events, Finished())


def scripted(*events: Any) -> TranscriptionStream:
    bench = Bench()
    bench.service.connect = lambda: Scripted(*events)  # type: ignore[method-assign]
    return bench.stream(source(speech(1, 10)))


# --- input ---


def test_pulled_audio_is_transcribed_and_iteration_without_a_context_cleans_up() -> None:
    async def case() -> None:
        stream = Bench().stream(source(speech(1, 7), speech(8, 20)))
        texts = [result.text async for result in stream if result.is_final]
        assert " ".join(texts).split() == numbers(20) == words(stream)
        assert len(asyncio.all_tasks()) == 1

    run(case())


def test_a_chunk_may_split_a_frame() -> None:
    async def case() -> None:
        audio = speech(1, 30)
        async with Bench().stream() as stream:
            for start in range(0, len(audio), 33):
                await stream.send_audio(audio[start : start + 33])
            await stream.end_audio()
            async for _ in stream:
                pass
        assert words(stream) == numbers(30)

    run(case())


def test_audio_that_ends_within_a_frame_is_told_and_the_whole_frames_are_transcribed() -> None:
    async def case() -> None:
        async with Bench().stream() as stream:
            await stream.send_audio(speech(1, 5) + b"\x07")
            with pytest.raises(AudioFormatError, match="1 byte that make no whole frame of 2 bytes"):
                await stream.end_audio()
            await stream.end_audio()
            async for _ in stream:
                pass
        assert words(stream) == numbers(5)

    run(case())


def test_a_cancelled_call_has_taken_nothing_and_the_parts_of_a_frame_stay_together() -> None:
    async def case() -> None:
        audio = speech(1, 60)
        bench = Bench(Service([Plan(open_after=8.0)]), policy=StreamPolicy(replay=2.0))
        async with bench.stream() as stream:
            given = cancelled = 0
            while given < len(audio):
                chunk = audio[given : given + 401]
                try:
                    async with asyncio.timeout(0.5):
                        await stream.send_audio(chunk)
                    given += len(chunk)
                except TimeoutError:
                    cancelled += 1
            await stream.end_audio()
            async for _ in stream:
                pass
        assert cancelled > 5
        assert words(stream) == numbers(60)

    run(case())


@pytest.mark.parametrize("audio", ["text", 7, None, object()])
def test_what_is_no_audio_is_refused_and_costs_nothing(audio: Any) -> None:
    async def case() -> None:
        async with Bench().stream() as stream:
            await stream.send_audio(speech(1, 2))
            with pytest.raises(AudioFormatError, match="must be bytes"):
                await stream.send_audio(audio)
            await stream.send_audio(memoryview(speech(3, 4)))
            await stream.end_audio()
            async for _ in stream:
                pass
        assert words(stream) == numbers(4)

    run(case())


@pytest.mark.parametrize("start", [b"RIFF\0\0\0\0WAVE", b"OggS\0\2", b"fLaC\0\0", b"ID3\4\0\0"])
def test_a_file_pushed_as_samples_is_refused_and_costs_nothing(start: bytes) -> None:
    async def case() -> None:
        async with Bench().stream() as stream:
            with pytest.raises(AudioFormatError, match="takes raw samples"):
                await stream.send_audio(start + bytes(100))
            await stream.send_audio(speech(1, 3))
            await stream.end_audio()
            async for _ in stream:
                pass
        assert words(stream) == numbers(3)

    run(case())


def test_no_audio_at_all_is_empty_and_complete() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(end="return")]))
        async with bench.stream() as stream:
            await asyncio.sleep(1.0)
            await stream.end_audio()
            assert [result async for result in stream] == []
        assert (stream.transcript.text, stream.transcript.duration) == ("", 0.0)
        assert "complete" in repr(stream)
        assert all(connection.taken == [] for connection in bench.service.connections)

    run(case())


def test_audio_after_the_end_is_refused() -> None:
    async def case() -> None:
        async with Bench().stream() as stream:
            await stream.send_audio(speech(1, 2))
            await stream.end_audio()
            await stream.end_audio()
            with pytest.raises(StreamClosedError, match="after the end of audio"):
                await stream.send_audio(speech(3, 4))
            async for _ in stream:
                pass
            with pytest.raises(StreamClosedError):
                await stream.send_audio(speech(3, 4))
        assert words(stream) == numbers(2)

    run(case())


def test_audio_cannot_be_pushed_into_a_stream_that_pulls() -> None:
    async def case() -> None:
        async with Bench().stream(source(speech(1, 3))) as stream:
            with pytest.raises(StreamUsageError, match="reads from a source"):
                await stream.send_audio(b"\0\0")

    run(case())


def test_two_tasks_cannot_send_at_once() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(never_opens=True)]), policy=StreamPolicy(replay=1.0, connect_timeout=99.0))
        async with bench.stream() as stream:
            first = asyncio.ensure_future(stream.send_audio(speech(1, 30)))
            await asyncio.sleep(0.1)
            with pytest.raises(StreamBusyError, match="Two tasks"):
                await stream.send_audio(speech(31, 32))
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    run(case())


def test_send_audio_waits_when_the_buffer_is_full_and_memory_is_bounded() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(open_after=5.0)]), policy=StreamPolicy(replay=2.0))
        async with bench.stream() as stream:
            await stream.send_audio(speech(1, 20))
            begun = asyncio.get_running_loop().time()
            sending = asyncio.ensure_future(stream.send_audio(speech(21, 100)))  # larger than the window
            async for result in stream:
                if result.is_final and result.text.split()[-1] == "100":
                    break
            await sending
            assert asyncio.get_running_loop().time() - begun == pytest.approx(5.0, abs=0.1)
            assert bench.supervisors[0].journal.capacity == 4000
            await stream.end_audio()
            async for _ in stream:
                pass
        assert words(stream) == numbers(100)

    run(case())


def test_memory_is_bounded_when_the_service_does_not_read() -> None:
    async def case() -> None:
        patient = StreamPolicy(replay=5.0, send_timeout=1e5, stall_timeout=1e5)
        bench = Bench(Service([Plan(at=0.0, fault="freeze")]), policy=patient)
        async with bench.stream() as stream:
            sending = asyncio.ensure_future(_send(stream, 3000))
            await asyncio.sleep(1000.0)
            journal = bench.supervisors[0].journal
            assert len(journal.read(journal.oldest, 10**9)) <= 10_000
            assert stream.stats.accepted <= 5.0
            assert not sending.done()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    run(case())


def test_a_source_that_fails_raises_after_what_it_gave_was_transcribed() -> None:
    async def case() -> None:
        stream = Bench().stream(source(speech(1, 12), then=OSError("unplugged")))
        with pytest.raises(OSError, match="unplugged"):
            async for _ in stream:
                pass
        assert words(stream) == numbers(12)

    run(case())


def test_a_source_that_gives_no_audio_raises_what_it_is() -> None:
    async def case() -> None:
        stream = Bench().stream(source(speech(1, 2), "text"))  # type: ignore[arg-type]
        with pytest.raises(AudioFormatError, match="must be bytes"):
            async for _ in stream:
                pass
        assert words(stream) == numbers(2)

    run(case())


def test_the_end_of_audio_ends_a_source_and_what_it_gave_is_transcribed() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(lag=1)]), StreamPolicy(replay=1.0))
        async with bench.stream(source(*[speech(number, number) for number in range(1, 101)])) as stream:
            accepted = None
            async for result in stream:
                if result.is_final and accepted is None:
                    await stream.end_audio()
                    accepted = stream.stats.accepted
            assert stream.stats.accepted == accepted == 1.0
            assert words(stream) == numbers(10)

    run(case())


def test_pulled_audio_is_sent_no_faster_than_the_provider_allows() -> None:
    async def case() -> None:
        stream = Bench(speed=2.0).stream(source(*[speech(number, number) for number in range(1, 201)]))
        begun = asyncio.get_running_loop().time()
        async for _ in stream:
            pass
        assert asyncio.get_running_loop().time() - begun == pytest.approx((20.0 - 1.0) / 2.0, abs=0.3)
        assert words(stream) == numbers(200)

    run(case())


def test_live_audio_is_never_delayed() -> None:
    async def case() -> None:
        async with Bench(speed=1.0).stream() as stream:
            for number in range(1, 101):
                await stream.send_audio(speech(number, number))
                await asyncio.sleep(0.1)
            await stream.end_audio()
            async for _ in stream:
                pass
        assert words(stream) == numbers(100)
        assert stream.stats.max_final_latency == pytest.approx(0.0, abs=0.011)

    run(case())


# --- output ---


def test_two_iterators_are_refused_and_a_dropped_one_can_be_followed_by_another() -> None:
    async def case() -> None:
        async with Bench().stream(source(speech(1, 50))) as stream:
            async for result in stream:
                assert result.text
                with pytest.raises(StreamBusyError, match="already"):
                    aiter(stream)
                with pytest.raises(StreamBusyError):
                    stream.events()
                break
            async for _ in stream:
                pass
        assert words(stream) == numbers(50)

    run(case())


def test_utterances_are_whole_and_the_end_of_one_is_told_to_those_who_read_results() -> None:
    async def case() -> None:
        events = (
            SpeechStart(0.1),
            Hypothesis(text="hello", final=True, start=0.1, end=0.2),
            Hypothesis(text="there", final=True, start=0.2, end=0.3, ends_utterance=True),
            Hypothesis(text="bye", final=True, start=0.5, end=0.6),
            UtteranceEnd(),
            UtteranceEnd(0.7),
            Hypothesis(text="what", final=True, start=0.8, end=0.9),
        )
        async with scripted(*events) as stream:
            said = [utterance async for utterance in stream.utterances()]
        assert [(each.text, each.start, each.end, each.complete) for each in said] == [
            ("hello there", 0.1, 0.3, True),
            ("bye", 0.5, 0.6, True),
            ("what", 0.8, 0.9, True),
        ]
        async with scripted(*events) as stream:
            results = [result async for result in stream]
        assert [(result.text, result.ends_utterance) for result in results] == [
            ("hello", False),
            ("there", True),
            ("bye", False),
            ("", True),
            ("what", False),
        ]
        assert stream.transcript.text == "hello there bye what"
        async with scripted(*events) as stream:
            ends = [event async for event in stream.events() if isinstance(event, UtteranceEnded)]
        assert ends == [UtteranceEnded(0.3), UtteranceEnded(0.6), UtteranceEnded(0.7)]

    run(case())


def test_an_utterance_cut_short_by_a_failure_is_given_as_incomplete_before_the_error() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=1.0, error=AuthenticationError("expired"))]))
        stream = bench.stream(source(*[speech(number, number) for number in range(1, 30)]))
        utterances = stream.utterances()
        said = await anext(utterances)
        assert not said.complete
        assert said.text == stream.transcript.text != ""
        with pytest.raises(StreamError):
            await anext(utterances)

    run(case())


def test_what_the_provider_notices_and_how_far_a_file_is_are_told() -> None:
    async def case() -> None:
        bench = Bench()
        bench.service.connect = lambda: Scripted(  # type: ignore[method-assign]
            Hypothesis(text="a", final=True, start=0.0, end=0.5), Notice("slower than speech")
        )
        stream = bench.stream(source(speech(1, 10), total=1.0))
        events = [event async for event in stream.events() if isinstance(event, Progress)]
        assert Progress(done=0.5, total=1.0, note="slower than speech") in events
        assert events[-1] == Progress(done=1.0, total=1.0)

    run(case())


def test_a_reader_who_is_behind_pauses_the_connection_and_loses_nothing() -> None:
    async def case() -> None:
        bench = Bench(policy=StreamPolicy(results=10, replay=5.0))
        async with bench.stream() as stream:
            results = aiter(stream)
            first = await _first(stream, results)
            assert first.text == "1"
            sending = asyncio.ensure_future(_send(stream, 300))
            await asyncio.sleep(500.0)  # far longer than every deadline
            supervisor = bench.supervisors[0]
            assert len(supervisor.outbox) <= 12
            assert len(supervisor.journal.read(supervisor.journal.oldest, 10**9)) <= 10_000
            assert not sending.done()
            async for _ in results:
                pass
            await sending
        assert words(stream) == numbers(301)
        assert stream.stats.attempts == 1

    run(case())


async def _first(stream: TranscriptionStream, results: AsyncIterator[StreamingResult]) -> StreamingResult:
    await stream.send_audio(speech(1, 1))
    return await anext(results)


async def _send(stream: TranscriptionStream, count: int) -> None:
    for number in range(2, count + 2):
        await stream.send_audio(speech(number, number))
        await asyncio.sleep(0)
    await stream.end_audio()


@pytest.mark.parametrize("view", [None, aiter, TranscriptionStream.events, TranscriptionStream.utterances])
def test_pushing_without_ever_reading_is_told_instead_of_waiting_for_ever(view: Any) -> None:
    async def case() -> None:
        bench = Bench(policy=StreamPolicy(results=10, replay=5.0))
        async with bench.stream() as stream:
            iterator = None if view is None else view(stream)  # which nobody asks for anything
            with pytest.raises(StreamUsageError, match="Nobody reads"):
                await _send(stream, 1000)
            assert stream.stats.accepted < 10.0
            del iterator

    run(case())


def test_a_source_that_nobody_reads_the_results_of_is_not_read_any_further_and_closing_is_quick() -> None:
    async def case() -> None:
        bench = Bench(policy=StreamPolicy(results=10, replay=5.0))
        async with bench.stream(source(*[speech(number, number) for number in range(1, 3001)])) as stream:
            await asyncio.sleep(3600.0)
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun <= 2.0
        assert stream.stats.accepted < 10.0
        assert stream.stats.attempts == 1

    run(case())


# --- flush ---


def test_a_flush_makes_pending_words_final_and_says_so() -> None:
    async def case() -> None:
        async with Bench(Service([Plan(lag=5)])).stream() as stream:
            await stream.send_audio(speech(1, 10))
            result = await stream.flush()
            assert (result.confirmed, result.at, result.reason) == (True, 1.0, None)
            assert words(stream) == numbers(10)
            assert (await stream.flush()).confirmed  # nothing is pending

    run(case())


def test_a_flush_that_is_not_answered_times_out_and_says_so() -> None:
    async def case() -> None:
        async with Bench(Service([Plan(lag=5, answers_flush=False)])).stream() as stream:
            await stream.send_audio(speech(1, 10))
            begun = asyncio.get_running_loop().time()
            result = await stream.flush()
            assert (result.confirmed, result.reason) == (False, "timeout")
            assert asyncio.get_running_loop().time() - begun == pytest.approx(5.0)

    run(case())


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_silence_that_cannot_be_is_refused(seconds: float) -> None:
    async def case() -> None:
        async with Bench().stream() as stream:
            with pytest.raises(StreamUsageError, match="of silence"):
                await stream.flush(trailing_silence=seconds)

    run(case())


def test_a_flush_before_the_beginning_and_after_the_end() -> None:
    async def case() -> None:
        stream = Bench().stream()
        assert (await stream.flush()).confirmed
        await stream.end_audio()
        assert [result async for result in stream] == []
        assert (await stream.flush()).confirmed
        closed = Bench().stream()
        await closed.aclose()
        assert (await closed.flush()).confirmed
        await closed.end_audio()

    run(case())


def test_a_flush_the_provider_cannot_do_and_one_that_the_end_overtakes() -> None:
    async def case() -> None:
        async with Bench(Service([Plan(lag=5)]), flushes=False).stream() as stream:
            await stream.send_audio(speech(1, 10))
            assert (await stream.flush()).reason == "unsupported"
        async with Bench(Service([Plan(lag=5, answers_flush=False)])).stream() as stream:
            await stream.send_audio(speech(1, 10))
            flushing = asyncio.ensure_future(stream.flush())
            await asyncio.sleep(0.1)
            await stream.aclose()
            assert (await flushing).reason == "ended"

    run(case())


def test_a_flush_survives_a_reconnect() -> None:
    async def case() -> None:
        plans = [Plan(lag=5, at=1.0), Plan(lag=5)]
        async with Bench(Service(plans)).stream() as stream:
            await stream.send_audio(speech(1, 20))
            result = await stream.flush()
            assert result.confirmed
            assert words(stream) == numbers(20)

    run(case())


# --- the end ---


@pytest.mark.parametrize(
    "plan", [Plan(), Plan(never_opens=True), Plan(never_ready=True), Plan(end="silent"), Plan(at=0.0)]
)
@pytest.mark.parametrize("after", [0.0, 0.05, 2.0])
def test_aclose_abandons_in_any_phase_and_leaves_nothing(plan: Plan, after: float) -> None:
    async def case() -> None:
        bench = Bench(Service([plan]))
        stream = bench.stream(source(speech(1, 20)))
        async with stream:
            reading = asyncio.ensure_future(_read(stream))
            await asyncio.sleep(after)
            begun = asyncio.get_running_loop().time()
            await stream.aclose()
            assert asyncio.get_running_loop().time() - begun <= 2.0
            await reading
        await stream.aclose()
        assert len(asyncio.all_tasks()) == 1
        assert all(connection.over for connection in bench.service.connections)

    async def _read(stream: TranscriptionStream) -> None:
        async for _ in stream:
            pass

    run(case())


def test_a_closed_stream_ends_its_iteration_and_refuses_audio() -> None:
    async def case() -> None:
        stream = Bench().stream()
        await stream.aclose()
        assert [event async for event in stream.events()] == [Closed(None)]
        with pytest.raises(StreamClosedError):
            await stream.send_audio(b"\0\0")
        assert "closed" in repr(stream)

    run(case())


def test_a_stream_left_open_warns_and_cleans_up() -> None:
    async def case() -> None:
        bench = Bench()
        stream = bench.stream()
        await stream.send_audio(speech(1, 3))
        await asyncio.sleep(1.0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del stream
            gc.collect()
        assert [warning.category for warning in caught] == [ResourceWarning]
        assert "TranscriptionStream fake" in str(caught[0].message)
        await asyncio.sleep(5.0)
        assert len(asyncio.all_tasks()) == 1
        assert bench.service.connections[0].over

    run(case())


@pytest.mark.untidy
def test_a_stream_whose_loop_is_gone_says_so() -> None:
    async def open_one() -> TranscriptionStream:
        stream = Bench().stream()
        await stream.send_audio(speech(1, 3))
        return stream

    async def use(stream: TranscriptionStream) -> None:
        with pytest.raises(StreamUsageError, match="another event loop"):
            await stream.send_audio(b"\0\0")
        with pytest.raises(StreamUsageError, match="another event loop"):
            async for _ in stream:
                pass
        await stream.aclose()

    stream = run(open_one())
    assert "failed (StreamClosedError)" in repr(stream)
    run(use(stream))


def test_the_transcript_has_every_final_with_its_figures() -> None:
    async def case() -> None:
        async with Bench().stream() as stream:
            assert stream.transcript.text == ""
            assert stream.stats.accepted == 0.0
            await stream.send_audio(speech(1, 10))
            await stream.end_audio()
            async for _ in stream:
                pass
        transcript = stream.transcript
        assert transcript.duration == transcript.audio_seconds == FORMAT.seconds(len(speech(1, 10)))
        assert transcript.provider == "fake"
        assert [segment.text for segment in transcript.segments] == ["1 2", "3 4", "5 6", "7 8", "9 10"]

    run(case())
