"""The supervisor against a service in memory, in virtual time: every way a connection can end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from support.service import Bench, Plan, Service, speech

from debabelizer.errors import (
    AuthenticationError,
    CloseTimeout,
    ConnectionLostError,
    ConnectTimeout,
    DrainTimeout,
    InvalidRequestError,
    ProgressTimeout,
    ProtocolError,
    QuotaExceededError,
    ReadyTimeout,
    SendTimeout,
    StreamError,
)
from debabelizer.results import Closed, Reconnected, Reconnecting, StreamEvent, StreamingResult
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import run


async def speak(stream: TranscriptionStream, last: int, *, chunk: int = 40, pace: float | None = 0.02) -> None:
    """Push the words 1 to `last` in real time (or as fast as it goes), then end."""
    audio = speech(1, last)
    for start in range(0, len(audio), chunk):
        await stream.send_audio(audio[start : start + chunk])
        if pace is not None:
            await asyncio.sleep(pace)
    await stream.end_audio()


async def listen(stream: TranscriptionStream, last: int = 100, **how: Any) -> list[StreamEvent]:
    """All events of a stream that is spoken to."""
    async with stream:
        speaking = asyncio.ensure_future(speak(stream, last, **how))
        events: list[StreamEvent] = []
        try:
            async for event in stream.events():
                events.append(event)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
    return events


def assert_every_word(stream: TranscriptionStream, last: int = 100) -> None:
    words = stream.transcript.words
    assert [word.text for word in words] == [str(number) for number in range(1, last + 1)]
    for index, word in enumerate(words):
        assert word.start == pytest.approx(index * 0.1, abs=1e-6)
        assert word.end == pytest.approx(index * 0.1 + 0.1, abs=1e-6)
    assert stream.transcript.text == " ".join(str(number) for number in range(1, last + 1))


def causes(events: list[StreamEvent]) -> list[type[Exception]]:
    return [type(event.cause) for event in events if isinstance(event, Reconnecting)]


def test_a_perfect_line() -> None:
    async def case() -> None:
        bench = Bench()
        stream = bench.stream()
        events = await listen(stream)
        assert_every_word(stream)
        assert events[-1] == Closed(None)
        assert causes(events) == []
        stats = stream.stats
        assert (stats.accepted, stats.sent, stats.confirmed, stats.replayed) == (10.0, 10.0, 10.0, 0.0)
        assert (stats.attempts, stats.reconnects) == (1, 0)

    run(case())


FAULTS = {
    "raises a provider error": (Plan(at=3.0), None),
    "raises what nobody thought of": (Plan(at=3.0, error=KeyError("tokens")), KeyError),
    "returns early": (Plan(at=3.0, fault="return"), ConnectionLostError),
    "ends cancelled": (Plan(at=3.0, fault="cancel"), ConnectionLostError),
    "goes mute": (Plan(at=3.0, fault="mute"), ProgressTimeout),
    "stops taking audio": (Plan(at=3.0, fault="freeze"), SendTimeout),
    "holds words back, then drops": (Plan(at=3.0, lag=12), None),
    "drops within a word": (Plan(at=3.05), None),
    "drops at the first audio": (Plan(at=0.0), None),
    "never opens": (Plan(never_opens=True), ConnectTimeout),
    "opens and is never ready": (Plan(never_ready=True), ReadyTimeout),
    "finishes unasked": (Plan(finishes_at=3.0), ProtocolError),
    "finishes short": (Plan(end="short", lag=5), ProtocolError),
    "never answers the end": (Plan(end="silent", lag=5), DrainTimeout),
    "returns at the end": (Plan(end="return", lag=5), ConnectionLostError),
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_word_is_lost_repeated_or_late_when_the_service_comes_back(name: str) -> None:
    plan, cause = FAULTS[name]

    async def case() -> None:
        bench = Bench(Service([plan, replace(plan, lag=3) if cause is None else plan, Plan(lag=2)]))
        stream = bench.stream()
        events = await listen(stream)
        assert_every_word(stream)
        assert events[-1] == Closed(None)
        assert len(causes(events)) == 2
        if cause is not None:
            assert set(causes(events)) == {cause}
        assert all(connection.over for connection in bench.service.connections)
        assert stream.stats.gaps == ()

    run(case())


@pytest.mark.parametrize("name", FAULTS)
def test_a_service_that_stays_broken_ends_in_one_typed_error_within_the_budget(name: str) -> None:
    plan, cause = FAULTS[name]
    hopeless: dict[str, Any] = {field: 0.0 for field in ("at", "finishes_at") if getattr(plan, field) is not None}

    async def case() -> None:
        policy = StreamPolicy(give_up_after=45.0)
        bench = Bench(Service([replace(plan, **hopeless)]), policy=policy)
        stream = bench.stream()
        begun = asyncio.get_running_loop().time()
        with pytest.raises(StreamError) as caught:
            await listen(stream, last=50)
        error = caught.value
        assert error.attempts[-1].cause is error.__cause__
        if cause is not None:
            assert isinstance(error.__cause__, cause)
        # Confirmed words before the last failure may refill the budget, but never for ever.
        assert asyncio.get_running_loop().time() - begun < 3 * policy.give_up_after
        assert len(bench.service.connections) <= 3 * policy.max_attempts
        said = [word.text for word in stream.transcript.words]
        assert said == [str(number) for number in range(1, len(said) + 1)]
        assert error.confirmed == pytest.approx(len(said) * 0.1, abs=0.11)
        assert error.accepted == pytest.approx(5.0)
        assert error.confirmed <= error.sent <= error.accepted
        assert str(error.attempts[-1].number) in str(error)

    run(case())


@pytest.mark.parametrize("kind", [AuthenticationError, InvalidRequestError, QuotaExceededError])
def test_what_cannot_be_mended_raises_at_once(kind: type[Exception]) -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=0.0, error=kind("no"))]))
        stream = bench.stream()
        with pytest.raises(StreamError) as caught:
            await listen(stream)
        assert isinstance(caught.value.__cause__, kind)
        assert len(bench.service.connections) == 1
        assert caught.value.__cause__.provider == "fake"  # type: ignore[attr-defined]

    run(case())


def test_the_outcome_is_sticky() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=1.0, error=AuthenticationError("no"))]))
        stream = bench.stream()
        with pytest.raises(StreamError) as first:
            await listen(stream)
        calls = (lambda: stream.send_audio(b"\0\0"), lambda: anext(aiter(stream)), lambda: anext(stream.utterances()))
        for call in calls:
            with pytest.raises(StreamError) as again:
                await call()
            assert again.value is first.value
        assert [type(event) async for event in _until_error(stream)] == [Closed]
        await stream.end_audio()
        assert not (await stream.flush()).confirmed

    async def _until_error(stream: TranscriptionStream) -> Any:
        try:
            async for event in stream.events():
                yield event
        except StreamError:
            pass

    run(case())


def test_replay_begins_behind_the_last_final_word_and_says_how_much() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=3.05, lag=4), Plan()]))
        stream = bench.stream()
        events = await listen(stream)
        assert_every_word(stream)
        first, second = bench.service.connections
        confirmed = (first.said) * 0.1
        assert second.audio == speech(1, 100)[round(confirmed * 2000) :]
        (again,) = [event for event in events if isinstance(event, Reconnected)]
        assert again.replayed == pytest.approx(len(first.audio) / 2000 - confirmed)
        assert (again.attempt, again.gap, again.speakers_restart) == (2, 0.0, True)
        assert stream.stats.replayed == pytest.approx(again.replayed)

    run(case())


def test_an_interim_that_will_not_become_final_is_withdrawn() -> None:
    async def case() -> None:
        stream = Bench(Service([Plan(at=3.05, lag=4), Plan()])).stream()
        events = await listen(stream)
        failed = next(index for index, event in enumerate(events) if isinstance(event, Reconnecting))
        before = [event for event in events[:failed] if isinstance(event, StreamingResult) and not event.is_final]
        assert before[-1].text == ""
        assert before[-2].text.split()[-1] == "30"
        last = [event for event in events if isinstance(event, StreamingResult) and not event.is_final][-1]
        assert last.text == ""

    run(case())


def test_without_interims_there_are_none() -> None:
    async def case() -> None:
        stream = Bench(Service([Plan(lag=4)]), interim=False).stream()
        events = await listen(stream)
        assert all(event.is_final for event in events if isinstance(event, StreamingResult))
        assert_every_word(stream)

    run(case())


def test_a_server_that_always_accepts_and_closes_gets_a_bounded_number_of_connections_with_backoff() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=0.0, fault="return")]), policy=StreamPolicy(max_attempts=6), jitter=1.0)
        stream = bench.stream()
        begun = asyncio.get_running_loop().time()
        with pytest.raises(StreamError) as caught:
            await listen(stream)
        assert len(bench.service.connections) == 6
        assert [attempt.number for attempt in caught.value.attempts] == [1, 2, 3, 4, 5, 6]
        assert asyncio.get_running_loop().time() - begun >= 0.25 + 0.5 + 1.0 + 2.0 + 4.0

    run(case())


def test_an_outage_as_long_as_the_replay_window_loses_nothing() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=2.0), *[Plan(never_opens=True)] * 5, Plan()]), jitter=0.2)
        stream = bench.stream()
        await listen(stream, last=700)
        assert_every_word(stream, last=700)
        assert bench.service.connections[6].audio

    run(case())


def test_silence_is_not_a_stall_and_nor_is_a_user_who_pauses() -> None:
    async def case() -> None:
        bench = Bench()
        stream = bench.stream()
        async with stream:
            await stream.send_audio(speech(1, 10))
            await asyncio.sleep(600.0)
            await stream.send_audio(b"\0\0" * 60_000)  # a minute of silence, all at once
            await asyncio.sleep(600.0)
            await stream.end_audio()
            async for _ in stream:
                pass
        assert stream.stats.attempts == 1

    run(case())


def test_a_connection_that_does_not_stop_is_left_behind_after_the_close_deadline_and_told() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=3.0, fault="hang-on-cancel"), Plan()]))
        stream = bench.stream()
        events = await listen(stream)
        assert_every_word(stream)
        assert causes(events) == [CloseTimeout]
        await asyncio.sleep(100.0)
        assert all(connection.over for connection in bench.service.connections)

    run(case())


def test_a_new_connection_takes_over_before_the_session_limit_of_the_vendor() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(lag=3)]), max_session=5.0)
        stream = bench.stream()
        events = await listen(stream, last=300)
        assert_every_word(stream, last=300)
        assert len(bench.service.connections) == 7
        assert causes(events) == []
        assert all(connection.over for connection in bench.service.connections)

    run(case())


def test_a_provider_that_is_dead_while_nothing_is_said_is_not_asked_again_before_there_is_audio() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(at=1.0, fault="return"), Plan()]))
        stream = bench.stream()
        async with stream:
            await stream.send_audio(speech(1, 10))
            for _ in range(5):
                await asyncio.sleep(100.0)
            tried = len(bench.service.connections)
            await stream.send_audio(speech(11, 20))
            await stream.end_audio()
            async for _ in stream:
                pass
        assert_every_word(stream, last=20)
        assert tried <= 2

    run(case())


def test_audio_that_could_not_be_kept_is_reported_as_a_gap_and_the_rest_is_exact() -> None:
    """A provider that hears everything and makes nothing final: to wait for it would be to wait for ever."""

    async def case() -> None:
        bench = Bench(Service([Plan(lag=1000, at=12.0), Plan()]), policy=StreamPolicy(replay=5.0))
        stream = bench.stream()
        events = await listen(stream, last=200)
        (gap,) = stream.stats.gaps
        assert gap.start == 0.0
        assert gap.end == pytest.approx(7.0, abs=0.05)
        (again,) = [event for event in events if isinstance(event, Reconnected)]
        assert again.gap == pytest.approx(gap.end - gap.start)
        words = stream.transcript.words
        whole = [word for word in words if word.text != "#"]
        assert [word.text for word in whole] == [str(number) for number in range(1, 201)][-len(whole) :]
        assert len(whole) >= 128
        assert whole[-1].start == pytest.approx(19.9, abs=0.1)

    run(case())


def test_after_an_end_with_words_pending_the_next_connection_is_asked_for_them() -> None:
    async def case() -> None:
        bench = Bench(Service([Plan(end="vague", lag=5)]))
        stream = bench.stream()
        events = await listen(stream)
        assert causes(events) == [ProtocolError]
        assert len(bench.service.connections) == 2
        assert_every_word(stream)

    run(case())


@pytest.mark.parametrize("answers", [False, True])
def test_several_that_end_too_early_are_not_believed_because_they_agree(answers: bool) -> None:
    async def case() -> None:
        hasty = Plan(end="vague", lag=5, answers_flush=False)
        stream = Bench(Service([hasty, hasty, hasty, Plan(answers_flush=answers)])).stream()
        assert causes(await listen(stream)) == [ProtocolError] * 3
        assert_every_word(stream)

    run(case())


def test_an_end_that_always_leaves_words_pending_is_an_error() -> None:
    async def case() -> None:
        stream = Bench(Service([Plan(end="vague", lag=5, answers_flush=False)])).stream()
        with pytest.raises(StreamError, match="last words final") as caught:
            await listen(stream)
        assert caught.value.confirmed == pytest.approx(9.5, abs=0.11)
        assert [word.text for word in stream.transcript.words] == [str(number) for number in range(1, 96)]

    run(case())
