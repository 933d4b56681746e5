"""When a provider fails, the next one goes on: at the start, in mid-sentence, at the end, and when all fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.fleet import Fleet, Told, changes, leg, live, words
from support.service import FORMAT, Foreign, Plan, Service, speech

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    InvalidRequestError,
    ProgressTimeout,
    ProtocolError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
    SessionExpiredError,
)
from debabelizer.results import Closed, ProviderChanged, Reconnected, StreamingResult, Usage
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.testing.virtual_time import run

CURABLE = [
    AuthenticationError("bad key"),
    QuotaExceededError("empty"),
    InvalidRequestError("bad model"),
    RateLimitedError("too many", retry_after=7.0),
    ServiceUnavailableError("overloaded"),
    ConnectError("refused"),
]


def over(*legs: Leg) -> TranscriptionStream:
    """A stream over these providers."""
    return TranscriptionStream(
        lambda: Supervisor(*legs, audio_format=FORMAT, policy=StreamPolicy(), random=lambda: 0.5), name="over"
    )


def spoken(fleet: Fleet, **how: Any) -> Told:
    async def case() -> Told:
        told = await live(fleet.stream(), **how)
        await asyncio.sleep(100.0)  # for those that are slow to be cancelled
        assert len(asyncio.all_tasks()) == 1
        return told

    return run(case())


@pytest.mark.parametrize("at", [0.0, 3.05, 9.95])
@pytest.mark.parametrize("error", CURABLE, ids=lambda error: type(error).__name__)
def test_what_another_provider_can_cure_is_cured_by_it_at_once(error: Exception, at: float) -> None:
    fleet = Fleet.of(Plan(at=at, error=error, lag=4), Plan(lag=2))
    told = spoken(fleet)
    assert told.stream.transcript.text == words()
    assert told.causes == [("a", type(error).__name__)]
    assert changes(told) == ["ab"]
    assert fleet.connections == [1, 1]
    change = next(event for event in told.events if isinstance(event, ProviderChanged))
    assert change.cause is error
    again = next(event for event in told.events if isinstance(event, Reconnected))
    assert (again.provider, again.attempt, again.gap) == ("b", 2, 0.0)
    finals = [event for event in told.events if isinstance(event, StreamingResult) and event.is_final and event.text]
    assert {final.provider for final in finals} <= {"a", "b"}
    assert finals[-1].provider == "b"
    assert change.at == pytest.approx(next((f.start for f in finals if f.provider == "b"), 0.0))
    starts = [word.start for word in told.stream.transcript.words]
    assert starts == pytest.approx([index * 0.1 for index in range(100)], abs=1e-6)


@pytest.mark.parametrize(
    ("plan", "cause"),
    [
        (Plan(at=3.0, fault="mute"), "ProgressTimeout"),
        (Plan(at=3.0, fault="freeze"), "SendTimeout"),
        (Plan(never_opens=True), "ConnectTimeout"),
        (Plan(never_ready=True), "ReadyTimeout"),
        (Plan(end="silent", lag=5), "DrainTimeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_provider_that_says_nothing_is_not_waited_for_twice(plan: Plan, cause: str) -> None:
    fleet = Fleet.of(plan, Plan(lag=2))
    told = spoken(fleet)
    assert told.stream.transcript.text == words()
    assert told.causes == [("a", cause)]
    assert fleet.connections == [1, 1]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionLostError("cut"),
        SessionExpiredError("too long"),
        ProtocolError("gibberish"),
        ServiceUnavailableError("restart", retry_after=0.0),
        KeyError("a bug in a dialect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_that_breaks_is_made_again_once_with_the_same_provider(error: Exception) -> None:
    fleet = Fleet.of([Plan(at=3.05, error=error, lag=4), Plan()], Plan())
    told = spoken(fleet)
    assert told.stream.transcript.text == words()
    assert (fleet.connections, changes(told)) == ([2, 0], [])

    again = Fleet.of([Plan(at=3.05, error=error, lag=4), Plan(at=0.0, error=error)], Plan())
    told = spoken(again)
    assert told.stream.transcript.text == words()
    assert (again.connections, changes(told)) == ([2, 1], ["ab"])
    assert told.causes == [("a", type(error).__name__)] * 2


def test_what_was_interim_is_withdrawn_and_speakers_are_told_apart() -> None:
    told = spoken(Fleet.of(Plan(at=3.05, lag=4, error=ServiceUnavailableError("down")), Plan(lag=3)))
    shown: list[str] = []
    for event in told.events:
        if isinstance(event, ProviderChanged):
            break
        if isinstance(event, StreamingResult) and not event.is_final:
            shown.append(event.text)
    assert shown[-2].split()[-1] == "30"
    assert shown[-1] == ""


def test_the_audio_is_converted_to_what_the_next_provider_takes() -> None:
    async def case() -> None:
        wire = AudioFormat("pcm_f32le", 1000, 2)
        dying, other = Service([Plan(at=3.05, lag=3, error=ConnectError("gone"))]), Service()
        legs = (leg("a", dying.connect), leg("b", lambda: Foreign(other.connect(), wire), wire=wire))
        told = await live(over(*legs))
        assert told.stream.transcript.text == words()
        assert changes(told) == ["ab"]
        starts = [word.start for word in told.stream.transcript.words]
        assert starts == pytest.approx([index * 0.1 for index in range(100)], abs=1e-6)

    run(case())


def test_all_dead_is_one_error_that_names_every_attempt_with_its_provider_and_cause() -> None:
    policy = StreamPolicy(max_attempts=3, give_up_after=30.0, cool_down=1000.0)
    fleet = Fleet.of(
        [Plan(at=1.0, error=AuthenticationError("bad key")), Plan(at=0.0, error=AuthenticationError("bad key"))],
        [Plan(at=1.0, error=ServiceUnavailableError("down")), Plan(at=0.0, error=ServiceUnavailableError("down"))],
        Plan(never_opens=True),
        policy=policy,
    )
    told = spoken(fleet)
    error = told.error
    assert error is not None
    by_provider = {attempt.provider: type(attempt.cause).__name__ for attempt in error.attempts}
    assert by_provider == {
        "a": "AuthenticationError",
        "b": "ServiceUnavailableError",
        "c": "ConnectTimeout",
    }
    assert "with a, b and c" in str(error)
    assert len(error.attempts) <= 3 * policy.max_attempts
    said = told.stream.transcript.words
    assert len(said) >= 18
    assert told.stream.transcript.text == words(len(said))
    assert told.events[-1] == Closed(error)


def test_the_budget_of_one_is_not_that_of_another_and_all_together_are_bounded() -> None:
    async def case() -> None:
        policy = StreamPolicy(max_attempts=5, give_up_after=60.0)
        fleet = Fleet.of(*[Plan(at=0.0, error=ConnectError("refused"))] * 3, policy=policy)
        begun = asyncio.get_running_loop().time()
        told = await live(fleet.stream())
        assert told.error is not None
        assert fleet.connections == [5, 5, 5]
        assert asyncio.get_running_loop().time() - begun < 60.0

    run(case())


def test_when_nobody_else_is_left_a_provider_is_tried_as_patiently_as_alone() -> None:
    dead = Plan(at=0.0, error=AuthenticationError("bad key"))
    bad = Plan(at=0.0, error=ServiceUnavailableError("down"))
    fleet = Fleet.of(dead, [bad] * 6 + [Plan()])
    told = spoken(fleet)
    assert told.stream.transcript.text == words()
    assert fleet.connections == [1, 7]


def test_the_first_that_fails_may_be_the_last_that_helps() -> None:
    """Both failed a moment ago, so neither circuit lets anybody through: both are asked again, by their budgets."""
    down = Plan(at=0.0, error=ServiceUnavailableError("down"))
    fleet = Fleet.of([down, down, down, Plan()], down)
    told = spoken(fleet)
    assert told.stream.transcript.text == words()
    assert fleet.connections[0] == 4


def test_confirmed_audio_by_another_provider_refills_the_budget() -> None:
    """Each is given up again and again in the course of a long stream, and each time the other one goes on."""

    async def case() -> None:
        broken = [Plan(at=40.0, error=ServiceUnavailableError("down"))] * 20
        policy = StreamPolicy(max_attempts=2, give_up_after=20.0, cool_down=1.0, cool_down_max=1.0)
        fleet = Fleet.of(broken, broken, policy=policy)
        told = await live(fleet.stream(), last=3000)
        assert told.error is None
        assert told.stream.transcript.text == words(3000)
        assert sum(fleet.connections) >= 8

    run(case())


def test_two_that_die_again_and_again_carry_a_stream_to_its_end_while_each_makes_a_little_final() -> None:
    """There is no end to that but the end of the audio, and no connection without progress in it."""

    async def case() -> None:
        plan = Plan(at=1.05, lag=2, error=ServiceUnavailableError("down"))
        fleet = Fleet.of(plan, plan)
        told = await live(fleet.stream(), last=600)
        assert told.stream.transcript.text == words(600)
        assert max(fleet.connections) <= 40  # 60 s of audio, of which each makes 0.8 s final
        assert asyncio.get_running_loop().time() < 62.0

    run(case())


def test_figures_say_who_was_sent_how_much() -> None:
    fleet = Fleet.of(Plan(at=3.05, lag=4, error=ConnectError("gone")), Plan())
    stats = spoken(fleet).stream.stats
    a, b = stats.usage
    assert (a.provider, a.attempts, a.replayed) == ("a", 1, 0.0)
    assert (b.provider, b.attempts) == ("b", 1)
    assert a.sent + b.sent == pytest.approx(10.0)
    assert b.replayed == pytest.approx(stats.replayed)
    assert b.replayed == pytest.approx(0.5, abs=0.11)
    assert (stats.attempts, stats.reconnects, stats.provider_changes) == (2, 1, 1)
    assert isinstance(a, Usage)


def test_a_flush_outlives_the_change() -> None:
    async def case() -> None:
        fleet = Fleet.of(Plan(at=2.0, fault="mute", lag=4), Plan(lag=4), policy=StreamPolicy(flush_timeout=30.0))
        stream = fleet.stream()
        async with stream:
            reading = asyncio.ensure_future(anext(stream.utterances(), None))
            await stream.send_audio(speech(1, 40))
            flushed = await stream.flush()
            assert flushed.confirmed
            assert stream.transcript.text == words(40)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        assert fleet.connections == [1, 1]

    run(case())


def test_the_end_of_audio_outlives_the_change() -> None:
    fleet = Fleet.of(Plan(end="return", lag=5), Plan(lag=5), policy=StreamPolicy())
    fleet.services[0].plans = [Plan(end="short", lag=5), Plan(end="short", lag=5)]
    told = spoken(fleet)
    assert told.stream.transcript.text == words()
    assert changes(told) == ["ab"]


@pytest.mark.parametrize("steps", range(12))
def test_a_stream_can_be_closed_at_any_step_of_a_change(steps: int) -> None:
    async def case() -> None:
        fleet = Fleet.of(Plan(at=1.0, error=ConnectError("gone")), Plan(open_after=0.2, fault="hang-on-cancel", at=0.5))
        stream = fleet.stream()
        await stream.send_audio(speech(1, 30))
        for _ in range(steps):
            await asyncio.sleep(0.05)
        begun = asyncio.get_running_loop().time()
        await stream.aclose()
        assert asyncio.get_running_loop().time() - begun <= 2.0 + 1e-6
        await asyncio.sleep(100.0)
        assert len(asyncio.all_tasks()) == 1
        assert all(connection.over for service in fleet.services for connection in service.connections)

    run(case())


def test_a_provider_that_cannot_even_be_made_is_passed_over() -> None:
    def broken() -> Any:
        raise ImportError("no module named vendor")

    async def case() -> None:
        told = await live(over(leg("a", broken), leg("b", Service().connect)))
        assert told.stream.transcript.text == words()
        assert changes(told) == ["ab"]

    run(case())


def test_a_stall_names_its_numbers_in_the_change() -> None:
    told = spoken(Fleet.of(Plan(at=3.0, fault="mute"), Plan()))
    change = next(event for event in told.events if isinstance(event, ProviderChanged))
    assert isinstance(change.cause, ProgressTimeout)
    assert change.cause.provider == "a"
