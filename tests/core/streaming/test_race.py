"""Two providers hear the same audio, and one of them is heard: whatever befalls either, every word comes once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fleet import Fleet, Told, changes, leg, live, words
from support.plans import times_as_many
from support.service import FORMAT, Foreign, Plan, Service, speech

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    ServiceUnavailableError,
    SessionExpiredError,
)
from debabelizer.results import ProviderChanged, Reconnected, Reconnecting, StreamingResult, Word
from debabelizer.streaming.connection import Connection, Flush, Link
from debabelizer.streaming.dialect import ConnectionEvent, Hypothesis
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.testing.virtual_time import run

DOWN = ServiceUnavailableError("down")


def race(*plans: Plan | list[Plan], **options: Any) -> Fleet:
    return Fleet.of(*plans, **{"race": 2, **options})


def spoken(fleet: Fleet, **how: Any) -> Told:
    async def case() -> Told:
        told = await live(fleet.stream(), **how)
        await asyncio.sleep(100.0)  # for those that are slow to be cancelled
        assert len(asyncio.all_tasks()) == 1
        assert all(connection.over for service in fleet.services for connection in service.connections)
        return told

    return run(case())


def assert_exact(told: Told, last: int = 100) -> None:
    said = told.stream.transcript.words
    assert told.error is None
    assert [word.text for word in said] == words(last).split()
    assert [word.start for word in said] == pytest.approx([index * 0.1 for index in range(last)], abs=1e-6)
    assert told.stream.stats.gaps == ()


def test_the_first_leads_and_the_other_is_not_heard() -> None:
    fleet = race(Plan(lag=2), Plan(lag=1))
    told = spoken(fleet)
    assert_exact(told)
    assert fleet.connections == [1, 1]
    assert changes(told) == []
    assert {result.provider for result in told.events if isinstance(result, StreamingResult) and result.text} == {"a"}


@pytest.mark.parametrize("at", [0.0, 0.05, 3.0, 3.05, 9.95])
@pytest.mark.parametrize("fault", ["raise", "return", "cancel", "hang-on-cancel"])
@pytest.mark.parametrize("lags", [(4, 2), (2, 4), (0, 9), (9, 0)])
def test_when_the_leader_dies_the_other_goes_on_without_hearing_anything_again(
    at: float, fault: str, lags: tuple[int, int]
) -> None:
    fleet = race([Plan(at=at, fault=fault, lag=lags[0], error=DOWN), Plan(at=0.0, error=DOWN)], Plan(lag=lags[1]))
    told = spoken(fleet)
    assert_exact(told)
    assert changes(told) == ["ab"]
    assert fleet.connections[1] == 1
    assert told.stream.stats.replayed == 0.0


@pytest.mark.parametrize("at", [0.0, 3.05, 9.95])
@pytest.mark.parametrize("fault", ["raise", "mute", "freeze"])
def test_when_the_other_dies_nobody_notices(at: float, fault: str) -> None:
    told = spoken(race(Plan(lag=2), Plan(at=at, fault=fault, error=DOWN)))
    assert_exact(told)
    assert changes(told) == []
    assert not [event for event in told.events if isinstance(event, Reconnecting | Reconnected)]


def test_when_both_die_the_third_goes_on_from_the_confirmed_position() -> None:
    fleet = race(Plan(at=3.05, lag=2, error=DOWN), Plan(at=6.05, lag=4, error=DOWN), Plan(lag=1))
    told = spoken(fleet)
    assert_exact(told)
    assert changes(told) == ["ab", "bc"]
    assert fleet.connections == [1, 1, 1]


def test_both_die_at_once() -> None:
    fleet = race(Plan(at=3.05, lag=2, error=DOWN), Plan(at=3.05, lag=4, error=DOWN), Plan(lag=1))
    assert_exact(spoken(fleet))


def test_one_that_says_nothing_any_more_is_overtaken_after_a_second() -> None:
    told = spoken(race([Plan(at=3.0, fault="mute", lag=2), Plan(at=0.0, error=DOWN)], Plan(lag=2)))
    assert_exact(told)
    assert changes(told) == ["ab"]
    assert told.stream.stats.max_final_latency is not None
    assert told.stream.stats.max_final_latency < 1.6
    change = next(event for event in told.events if isinstance(event, ProviderChanged))
    assert change.cause is None


@pytest.mark.parametrize("plan", [Plan(never_opens=True), Plan(never_ready=True), Plan(open_after=8.0)])
def test_one_that_never_answers_is_overtaken_after_a_second(plan: Plan) -> None:
    told = spoken(race(plan, Plan(lag=2)))
    assert_exact(told)
    assert changes(told)[:1] == ["ab"]
    assert told.stream.stats.first_word_latency is not None
    assert told.stream.stats.first_word_latency < 1.5


def test_the_lead_does_not_flutter_between_two_that_are_as_quick() -> None:
    fleet = race(Plan(lag=3), Plan(lag=2))
    assert changes(spoken(fleet, last=600)) == []


def test_the_slower_one_gives_up_the_lead_once() -> None:
    told = spoken(race(Plan(lag=15), Plan(lag=1)), last=300)
    assert_exact(told, 300)
    assert changes(told) == ["ab"]


def test_one_that_is_overtaken_races_on_and_takes_over_again_without_a_new_connection() -> None:
    fleet = race(Plan(lag=15), Plan(at=15.0, lag=1, error=DOWN))
    told = spoken(fleet, last=300)
    assert_exact(told, 300)
    assert changes(told) == ["ab", "ba"]
    assert fleet.connections[0] == 1


def test_at_the_end_the_proof_of_either_will_do() -> None:
    told = spoken(race(Plan(lag=2, end="silent"), Plan(lag=4)))
    assert_exact(told)
    assert changes(told) == ["ab"]


def test_the_one_that_died_joins_again() -> None:
    fleet = race([Plan(at=3.05, lag=2, error=DOWN), Plan(lag=2)], [Plan(at=50.0, error=DOWN), Plan(at=0.0)])
    told = spoken(fleet, last=800)
    assert_exact(told, 800)
    assert changes(told) == ["ab", "ba"]


@pytest.mark.parametrize("limited", ["a", "b", "ab"])
def test_sessions_that_end_are_no_failure_of_a_race(limited: str) -> None:
    expiring = Plan(at=8.0, lag=3, error=SessionExpiredError("too long"))
    fleet = race(
        expiring if "a" in limited else Plan(lag=3),
        expiring if "b" in limited else Plan(lag=2),
        each={name: {"max_session": 8.0} for name in limited},
    )
    told = spoken(fleet, last=1200, pauses=lambda number: 0.5 if number % 20 == 0 else 0.0)
    assert_exact(told, 1200)
    assert [event for event in told.events if isinstance(event, Reconnecting)] == []
    assert all((fleet.connections["ab".index(name)] >= 15) is (name in limited) for name in "ab")


def test_one_that_is_no_racer_is_overtaken_for_good() -> None:
    """The third carries the stream because the second was still connecting; then the second is quicker."""
    fleet = race(
        [Plan(at=32.0, error=DOWN), Plan(at=0.0, error=DOWN)],
        [Plan(at=0.0, error=DOWN), Plan(open_after=5.0, lag=1)],
        Plan(lag=15),
    )
    told = spoken(fleet, last=500)
    assert_exact(told, 500)
    assert changes(told) == ["ac", "cb"]


@pytest.mark.parametrize("lag", [0, 2])
def test_cost_is_told_for_both(lag: int) -> None:
    fleet = race(Plan(lag=lag), Plan(lag=2), each={"a": {"price_per_hour": 3.6}, "b": {"price_per_hour": 0.36}})
    stats = spoken(fleet).stream.stats
    a, b = stats.usage
    assert (a.sent, a.raced, a.cost) == (pytest.approx(10.0), 0.0, pytest.approx(0.01))
    assert (b.sent, b.raced, b.cost) == (0.0, pytest.approx(10.0, abs=0.2), pytest.approx(0.001, abs=1e-4))
    assert (stats.sent, stats.replayed) == (pytest.approx(10.0), 0.0)


def test_cost_is_told_for_both_when_the_lead_changes() -> None:
    fleet = race([Plan(at=5.0, lag=2, error=DOWN), Plan(at=0.0, error=DOWN)], Plan(lag=2))
    told = spoken(fleet)
    a, b = told.stream.stats.usage
    assert (a.sent, a.raced) == (pytest.approx(5.0, abs=0.1), 0.0)
    assert (b.sent, b.raced) == (pytest.approx(5.0, abs=0.1), pytest.approx(5.0, abs=0.1))
    assert told.stream.transcript.audio_seconds == pytest.approx(15.0, abs=0.2)


def test_one_that_cannot_keep_up_slows_down_nobody() -> None:
    async def case() -> None:
        policy = StreamPolicy(replay=5.0)
        fleet = race(Plan(), Plan(), policy=policy, each={"b": {"speed": 1.0}})
        stream = fleet.stream()
        begun = asyncio.get_running_loop().time()

        async def talk() -> None:
            await stream.send_audio(speech(1, 3000))
            await stream.end_audio()

        async with stream:
            talking = asyncio.ensure_future(talk())
            async for _ in stream:
                pass
            await talking
        assert asyncio.get_running_loop().time() - begun < 1.0
        assert stream.transcript.text == words(3000)

    run(case())


def test_a_follower_is_not_given_what_is_lost_when_it_has_fallen_behind() -> None:
    """It may be frozen for a while; the audio it has missed is gone, and it must not be taken for continuous."""
    fleet = race(Plan(at=40.0, error=DOWN), [Plan(at=3.0, fault="freeze"), Plan()], policy=StreamPolicy(replay=5.0))
    assert_exact(spoken(fleet, last=600), 600)


# --- what two vendors hear differently ---


class Accent(Connection):
    """Says what a connection says, in its own way."""

    def __init__(self, connection: Connection, say: Callable[[Word], Word]) -> None:
        self._connection = connection
        self._say = say

    async def run(self, link: Link) -> None:
        await self._connection.run(cast("Link", _Mouth(link, self._say)))


class _Mouth:
    def __init__(self, link: Link, say: Callable[[Word], Word]) -> None:
        self._link = link
        self._say = say

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    async def emit(self, *events: ConnectionEvent) -> None:
        await self._link.emit(*map(self._said, events))

    def _said(self, event: ConnectionEvent) -> ConnectionEvent:
        if not isinstance(event, Hypothesis):
            return event
        said = tuple(self._say(word) for word in event.words)
        return replace(event, words=said, text=" ".join(word.text for word in said))


def accented(first: Plan, second: Plan, say: Callable[[Word], Word], **options: Any) -> tuple[Told, Service]:
    a, b = Service([first, Plan(at=0.0, error=DOWN)]), Service([second])
    legs = (leg("a", a.connect), leg("b", lambda: Accent(b.connect(), say), **options))
    return run(live(over(*legs))), b


def over(*legs: Leg) -> TranscriptionStream:
    return TranscriptionStream(
        lambda: Supervisor(*legs, audio_format=FORMAT, policy=StreamPolicy(), race=2, random=lambda: 0.5), name="over"
    )


def shifted(seconds: float) -> Callable[[Word], Word]:
    return lambda word: replace(
        word, start=max((word.start or 0.0) + seconds, 0.0), end=max((word.end or 0.0) + seconds, 0.0)
    )


@pytest.mark.parametrize("seconds", [-0.04, 0.04])
def test_times_may_differ_a_little(seconds: float) -> None:
    told, b = accented(Plan(at=3.05, lag=2, error=DOWN), Plan(lag=4), shifted(seconds))
    assert told.stream.transcript.text == words()
    assert len(b.connections) == 1


@pytest.mark.parametrize("seconds", [-0.12, -0.08, 0.08, 0.12])
def test_times_that_differ_by_a_word_are_in_doubt(seconds: float) -> None:
    told, b = accented(Plan(at=3.05, lag=2, error=DOWN), Plan(lag=4), shifted(seconds))
    assert told.stream.transcript.text == words()
    assert len(b.connections) == 2


def test_small_and_capital_letters_and_punctuation_are_no_difference() -> None:
    told, b = accented(Plan(at=3.05, lag=2, error=DOWN), Plan(lag=4), lambda word: replace(word, text=f"{word.text},"))
    assert told.stream.transcript.text.replace(",", "") == words()
    assert len(b.connections) == 1


def test_another_word_at_the_seam_is_in_doubt_and_its_audio_is_heard_again() -> None:
    told, b = accented(Plan(at=3.05, lag=2, error=DOWN), Plan(lag=4), lambda word: replace(word, text=f"{word.text}th"))
    assert told.stream.transcript.text.replace("th", "") == words()
    assert len(b.connections) == 2
    assert [name for name, _ in told.causes] == ["a", "b"]


def test_words_without_times_are_in_doubt() -> None:
    told, b = accented(Plan(at=3.05, lag=2, error=DOWN), Plan(lag=4), lambda word: replace(word, start=None, end=None))
    assert told.stream.transcript.text == words()
    assert len(b.connections) == 2


def test_in_doubt_nobody_overtakes() -> None:
    mute = Plan(at=3.0, fault="mute", lag=1)
    told, b = accented(mute, Plan(lag=1), lambda word: replace(word, text=f"{word.text}th"))
    assert told.stream.transcript.text.replace("th", "") == words()
    assert told.causes[0] == ("a", "ProgressTimeout")
    assert len(b.connections) == 2


def test_each_is_sent_the_format_it_takes() -> None:
    wire = AudioFormat("pcm_f32le", 1000, 2)
    a, b = Service([Plan(at=3.05, lag=3, error=DOWN), Plan(at=0.0, error=DOWN)]), Service()
    legs = (leg("a", a.connect), leg("b", lambda: Foreign(b.connect(), wire), wire=wire))
    told = run(live(over(*legs)))
    assert_exact(told)
    assert (changes(told), len(b.connections)) == (["ab"], 1)


# --- what the user does meanwhile ---


def test_a_flush_is_answered_by_whoever_leads_then() -> None:
    async def case() -> None:
        for plans in (
            (Plan(lag=4), Plan(lag=2)),
            (Plan(at=2.0, fault="mute", lag=4), Plan(lag=4)),
            (Plan(at=4.0, lag=4, error=DOWN), Plan(lag=4)),
        ):
            fleet = race(*plans, policy=StreamPolicy(flush_timeout=30.0))
            stream = fleet.stream()
            async with stream:
                reading = asyncio.ensure_future(anext(stream.utterances(), None))
                await stream.send_audio(speech(1, 40))
                flushed = await stream.flush()
                assert flushed.confirmed
                assert stream.transcript.text == words(40)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            for connection in [connection for service in fleet.services for connection in service.connections]:
                assert sum(isinstance(work, Flush) for work in connection.taken) <= 1

    run(case())


@pytest.mark.parametrize("steps", range(24))
def test_a_stream_can_be_closed_at_any_step_of_a_race(steps: int) -> None:
    async def case() -> None:
        fleet = race(
            [Plan(at=1.0, error=ConnectError("gone"), lag=2), Plan(open_after=0.2, fault="hang-on-cancel", at=0.5)],
            [Plan(at=2.0, fault="hang-on-cancel", lag=3)],
        )
        stream = fleet.stream()
        await stream.send_audio(speech(1, 30))
        for _ in range(steps):
            await asyncio.sleep(0 if steps < 12 else 0.05)
        begun = asyncio.get_running_loop().time()
        await stream.aclose()
        assert asyncio.get_running_loop().time() - begun <= 2.0 + 1e-6
        await asyncio.sleep(100.0)
        assert len(asyncio.all_tasks()) == 1
        assert all(
            connection.over for service in fleet.services for connection in service.connections if connection.taken
        )

    run(case())


async def whole_life(stream: TranscriptionStream) -> None:
    async with stream:
        await stream.send_audio(speech(1, 15))
        await stream.flush()
        await stream.send_audio(speech(16, 30))
        await stream.end_audio()
        async for _ in stream.events():
            pass


def cancelled_after(steps: int, fleet: Fleet) -> bool:
    """Cancel the life of a stream after so many steps of the loop; whether it was still running then."""

    async def case() -> bool:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        task = asyncio.ensure_future(whole_life(fleet.stream()))
        for step in range(steps):
            await asyncio.sleep(0 if step < 250 else 1.0)  # time stands still while somebody is busy
        running = not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(100.0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert all(
            connection.over for service in fleet.services for connection in service.connections if connection.taken
        )
        assert faults == []
        return running

    return run(case())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Plan(lag=4), Plan(lag=2)),
        (Plan(at=1.0, lag=2, error=DOWN), Plan(lag=2)),
        (Plan(lag=9), Plan(at=2.0, fault="hang-on-cancel")),
    ],
)
def test_a_race_can_be_cancelled_at_every_step(first: Plan, second: Plan) -> None:
    steps = 0
    while cancelled_after(steps, race([first, Plan()], [second, Plan()], jitter=0.0)):
        steps += 1
        assert steps < 600
    assert steps > 5


def test_all_dead_is_one_error_that_names_both() -> None:
    policy = StreamPolicy(max_attempts=3, give_up_after=30.0)
    fleet = race(
        [Plan(at=1.0, error=AuthenticationError("bad")), Plan(at=0.0, error=AuthenticationError("bad"))],
        [Plan(at=1.0, error=AuthenticationError("bad")), Plan(at=0.0, error=AuthenticationError("bad"))],
        policy=policy,
    )
    told = spoken(fleet)
    assert told.error is not None
    assert {attempt.provider for attempt in told.error.attempts} == {"a", "b"}
    said = told.stream.transcript.words
    assert told.stream.transcript.text == words(len(said))


def test_one_alone_is_no_race() -> None:
    told = spoken(Fleet.of(Plan(at=3.05, lag=2, error=ConnectionLostError("cut")), race=3))
    assert told.error is not None or told.stream.transcript.text == words()


plans = st.builds(
    Plan,
    at=st.one_of(st.none(), st.floats(0.0, 12.0).map(lambda seconds: round(seconds, 3))),
    fault=st.sampled_from(["raise", "return", "cancel", "mute", "freeze", "hang-on-cancel"]),
    error=st.sampled_from([DOWN, ConnectionLostError("cut"), ValueError("a bug in a dialect")]),
    lag=st.integers(0, 20),
    open_after=st.sampled_from([0.0, 0.3, 5.0, 20.0]),
    never_opens=st.sampled_from([False, False, False, True]),
    end=st.sampled_from(["finish", "finish", "silent", "return"]),
)


@settings(max_examples=times_as_many(250), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(plans, max_size=4),
    st.lists(plans, max_size=4),
    st.lists(plans, max_size=2),
    st.integers(1, 4),
    st.integers(0, 150),
    st.sampled_from([0.0, 0.02, 0.1]),
    st.sampled_from([None, 1.0, 4.0]),
    st.sets(st.integers(1, 150), max_size=5),
)
def test_whatever_breaks_the_words_delivered_are_those_of_a_perfect_line(
    first: list[Plan],
    second: list[Plan],
    third: list[Plan],
    running: int,
    last: int,
    pace: float,
    speed: float | None,
    flushed: set[int],
) -> None:
    async def case() -> None:
        policy = StreamPolicy(replay=20.0, give_up_after=400.0, max_attempts=40)
        fleet = Fleet.of(
            [*first, Plan(lag=3)],
            [*second, Plan(lag=7)],
            [*third, Plan()],
            race=running,
            policy=policy,
            each={"a": {"speed": speed}},
        )
        stream = fleet.stream()

        async def meanwhile(number: int) -> None:
            if number in flushed:
                await stream.flush()

        told = await live(stream, last=last, pace=pace, meanwhile=meanwhile)
        assert_exact(told, last)
        interims = [event for event in told.events if isinstance(event, StreamingResult) and not event.is_final]
        assert not interims or interims[-1].text == ""
        await asyncio.sleep(200.0)
        assert len(asyncio.all_tasks()) == 1
        assert all(connection.over for service in fleet.services for connection in service.connections)

    run(case())
