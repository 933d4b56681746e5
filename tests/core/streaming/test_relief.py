"""Connections that take over without a failure: before a vendor's limit, and back to a preferred provider."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from support.fleet import Fleet, changes, live, words
from support.service import FORMAT, WORD, Plan, Service, ServiceConnection, speech

from debabelizer.errors import ConnectError, ConnectionLostError, ServiceUnavailableError, SessionExpiredError
from debabelizer.results import ProviderChanged, Reconnected, Reconnecting, StreamingResult, Word
from debabelizer.streaming.connection import Connection, Link
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Hypothesis, Processed, UtteranceEnd
from debabelizer.streaming.health import Health
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.testing.virtual_time import run


@dataclass(frozen=True)
class Call:
    """When a connection was begun and ended."""

    begun: float
    ended: float


class Clinic(Service):
    """Notes when its connections live, and says where utterances end: after every tenth word."""

    def __init__(self, *plans: Plan, limit: float | None = None, endpoints: bool = True) -> None:
        super().__init__(plans or (Plan(),))
        self.limit = limit
        self.endpoints = endpoints
        self.calls: list[Call] = []

    def connect(self) -> Connection:
        plan = self.plans[min(len(self.connections), len(self.plans) - 1)]
        self.connections.append(Patient(self, plan))
        return self.connections[-1]


class Patient(ServiceConnection):
    def __init__(self, clinic: Clinic, plan: Plan) -> None:
        super().__init__(plan)
        self.clinic = clinic

    async def run(self, link: Link) -> None:
        begun = link.clock.time()
        try:
            async with asyncio.timeout(self.clinic.limit):
                await super().run(link)
        except TimeoutError:
            raise SessionExpiredError("too long") from None
        finally:
            self.clinic.calls.append(Call(begun, link.clock.time()))

    def _say(self, lag: int) -> list[Any]:
        heard = len(self.audio) // (WORD * FORMAT.frame_bytes)
        ends = self.clinic.endpoints and heard and self._word(heard - 1).text.endswith("0")
        events = super()._say(0 if ends else lag)
        return [*events, UtteranceEnd()] if ends and self.said else events


def test_the_next_connection_opens_early_and_takes_over_between_utterances() -> None:
    async def case() -> None:
        clinic = Clinic(Plan(lag=4, open_after=0.4), limit=30.0)
        fleet = Fleet([clinic], options={"max_session": 30.0})
        told = await live(fleet.stream(), last=800)
        assert told.stream.transcript.text == words(800)
        assert [event for event in told.events if isinstance(event, Reconnecting)] == []
        overlaps = [first.ended - second.begun for first, second in pairwise(clinic.calls)]
        assert len(overlaps) == 3
        assert all(0.4 <= overlap <= 1.5 for overlap in overlaps)  # a second is an utterance here
        again = [event for event in told.events if isinstance(event, Reconnected)]
        assert all(event.replayed <= 0.21 for event in again)  # the speaker had paused
        shown = ""
        for event in told.events:  # nothing was taken off the screen to come again
            if isinstance(event, Reconnected):
                assert shown == ""
            elif isinstance(event, StreamingResult):
                shown = "" if event.is_final else event.text

    run(case())


def test_without_a_pause_the_last_moment_before_the_limit_is_taken() -> None:
    async def case() -> None:
        clinic = Clinic(Plan(lag=4), limit=30.0, endpoints=False)
        fleet = Fleet([clinic], options={"max_session": 30.0})
        told = await live(fleet.stream(), last=800)
        assert told.stream.transcript.text == words(800)
        assert [event for event in told.events if isinstance(event, Reconnecting)] == []
        assert [call.ended - call.begun for call in clinic.calls[:2]] == pytest.approx([29.4, 29.4], abs=0.2)

    run(case())


def test_one_that_fails_while_it_stands_by_costs_nothing() -> None:
    async def case() -> None:
        clinic = Clinic(Plan(lag=4), Plan(never_opens=True), Plan(lag=4), limit=30.0)
        fleet = Fleet([clinic], policy=StreamPolicy(connect_timeout=1.0), options={"max_session": 30.0})
        told = await live(fleet.stream(), last=500)
        assert told.stream.transcript.text == words(500)
        assert [event for event in told.events if isinstance(event, Reconnecting)] == []
        assert told.stream.stats.attempts == 3
        assert told.stream.stats.reconnects == 1

    run(case())


def test_one_whose_provider_is_out_is_followed_by_another_provider() -> None:
    async def case() -> None:
        clinic = Clinic(Plan(lag=4), Plan(at=0.0, never_ready=True), limit=60.0)
        fleet = Fleet([clinic, Service()], policy=StreamPolicy(ready_timeout=1.0), each={"a": {"max_session": 60.0}})
        told = await live(fleet.stream(), last=800)
        assert told.stream.transcript.text == words(800)
        assert [event for event in told.events if isinstance(event, Reconnecting)] == []
        assert changes(told) == ["ab"]
        (change,) = [event for event in told.events if isinstance(event, ProviderChanged)]
        assert type(change.cause).__name__ == "ReadyTimeout"
        assert clinic.calls[0].ended < 60.0

    run(case())


def test_one_that_stands_by_takes_over_at_once_when_the_other_fails() -> None:
    async def case() -> None:
        clinic = Clinic(Plan(lag=4, at=27.55, error=ConnectionLostError("cut")), Plan(lag=4), endpoints=False)
        fleet = Fleet([clinic], jitter=1.0, options={"max_session": 30.0})
        told = await live(fleet.stream(), last=500)
        assert told.stream.transcript.text == words(500)
        (lost,) = [event for event in told.events if isinstance(event, Reconnecting)]
        assert lost.delay == 0.0
        assert fleet.connections == [2]

    run(case())


def test_who_sends_nothing_needs_no_next_connection() -> None:
    async def case() -> None:
        clinic = Clinic(Plan(), limit=30.0)
        fleet = Fleet([clinic], options={"max_session": 30.0})

        def pauses(number: int) -> float:
            return 3600.0 if number == 6 else 0.0

        told = await live(fleet.stream(), last=10, pauses=pauses)
        assert told.stream.transcript.text == words(10)
        assert fleet.connections == [2]

    run(case())


class Quiet(Clinic):
    """Hears zeros as silence, and ends an utterance where it begins; `sure`: silence is final at once."""

    sure = True

    def connect(self) -> Connection:
        connection = Hush(self)
        self.connections.append(connection)  # type: ignore[arg-type]
        return connection


class Hush(Connection):
    """Keeps no more audio than one word of it."""

    def __init__(self, clinic: Quiet) -> None:
        self._clinic = clinic
        self._audio = b""  # not understood yet
        self._heard = 0.0
        self._pending: list[Word] = []

    async def run(self, link: Link) -> None:
        begun = link.clock.time()
        await asyncio.sleep(0.3)
        try:
            async with asyncio.timeout(self._clinic.limit):
                while isinstance(work := await link.take(), bytes):
                    self._audio += work
                    await link.emit(*self._hear())
                await link.emit(*self._settle(), Finished(self._seconds))
        finally:
            self._clinic.calls.append(Call(begun, link.clock.time()))

    @property
    def _seconds(self) -> float:
        return self._heard + FORMAT.seconds(len(self._audio))

    def _hear(self) -> list[ConnectionEvent]:
        size = WORD * FORMAT.frame_bytes
        while len(self._audio) >= size and self._audio[:2] != b"\0\0":
            sound = self._audio[:size]
            text = str(int.from_bytes(sound[:2], "little")) if sound == sound[:2] * WORD else "#"
            self._pending.append(Word(text, round(self._heard, 3), round(self._heard + 0.1, 3)))
            self._forget(size)
        if self._audio[:2] != b"\0\0":
            return [*self._say(final=False), Processed(self._seconds)]
        events = self._settle()
        self._forget((len(self._audio) - len(self._audio.lstrip(b"\0"))) // 2 * 2)
        return [*events, Processed(self._heard, final=self._clinic.sure)]

    def _forget(self, size: int) -> None:
        self._audio = self._audio[size:]
        self._heard += FORMAT.seconds(size)

    def _settle(self) -> list[ConnectionEvent]:
        events = self._say(final=True)
        self._pending.clear()
        return [*events, Hypothesis(text="", final=False), UtteranceEnd()] if events else []

    def _say(self, *, final: bool) -> list[ConnectionEvent]:
        words = tuple(self._pending)
        return [Hypothesis(text=" ".join(word.text for word in words), final=final, words=words)] if words else []


def test_twelve_hours_over_a_vendor_with_a_limit_of_five_minutes_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phrase of ten words every twenty seconds, and silence between, in real time."""
    monkeypatch.setattr("debabelizer.streaming.attempt._CHUNK", 1.0)  # a fifth of the pieces

    async def case() -> None:
        clinic = Quiet(limit=300.0)
        fleet = Fleet([clinic], options={"max_session": 300.0})
        stream = fleet.stream()
        phrases = 12 * 3600 // 20
        most = 0

        async def speak() -> None:
            nonlocal most
            for phrase in range(phrases):
                first = phrase * 10 + 1
                await stream.send_audio(speech(first, first + 9))
                await asyncio.sleep(1.0)
                for _ in range(19):
                    await stream.send_audio(bytes(2000))
                    await asyncio.sleep(1.0)
                journal = fleet.supervisors[0].journal
                most = max(most, len(journal.read(journal.oldest, 10**9)))
            await stream.end_audio()

        spoken: list[str] = []
        async with stream:
            speaking = asyncio.ensure_future(speak())
            async for result in stream:
                for word in result.words if result.is_final else ():
                    index = len(spoken)
                    assert word.start == pytest.approx(index // 10 * 20.0 + index % 10 * 0.1, abs=1e-4)
                    spoken.append(word.text)
            await speaking
        assert spoken == [str(number + 1) for number in range(phrases * 10)]
        assert 43_200 / 294 <= len(clinic.calls) <= 43_200 / 270
        assert all(call.ended - call.begun < 300.0 for call in clinic.calls)
        assert stream.stats.attempts == len(clinic.calls)
        assert stream.stats.replayed < 0.5 * len(clinic.calls)
        assert stream.stats.gaps == ()
        assert most <= 2000

    run(case())


# --- back to the preferred provider ---


def begins(fleet: Fleet, name: str) -> list[float]:
    """When connections with a provider were begun, of a fleet of clinics."""
    clinic = fleet.services["ab".index(name)]
    assert isinstance(clinic, Clinic)
    return [round(call.begun, 1) for call in clinic.calls]


def test_a_stream_returns_to_the_preferred_provider_when_it_is_well_again_at_the_end_of_an_utterance() -> None:
    async def case() -> None:
        preferred = Clinic(Plan(at=2.05, lag=4, error=ServiceUnavailableError("down")), Plan(lag=4, open_after=0.3))
        other = Clinic(Plan(lag=4))
        fleet = Fleet([preferred, other])
        told = await live(fleet.stream(), last=600)
        assert told.stream.transcript.text == words(600)
        assert changes(told) == ["ab", "ba"]
        first, second = [event for event in told.events if isinstance(event, ProviderChanged)]
        assert isinstance(first.cause, ServiceUnavailableError)
        assert second.cause is None
        assert 30.0 <= second.at <= 34.0
        assert second.at == pytest.approx(round(second.at))  # where an utterance ended
        assert fleet.connections == [2, 1]
        assert told.causes == [("a", "ServiceUnavailableError")]
        assert told.stream.transcript.provider == "a"

    run(case())


def test_a_stream_that_is_not_to_return_stays() -> None:
    async def case() -> None:
        fleet = Fleet.of(
            [Plan(at=2.05, error=ServiceUnavailableError("down")), Plan()],
            Plan(),
            policy=StreamPolicy(return_to_preferred=False),
        )
        told = await live(fleet.stream(), last=1000)
        assert told.stream.transcript.text == words(1000)
        assert fleet.connections == [1, 1]

    run(case())


def test_a_provider_that_stays_dead_is_probed_ever_less_often_and_nobody_notices() -> None:
    async def case() -> None:
        preferred = Clinic(Plan(at=2.05, error=ConnectError("gone")), Plan(at=0.0, never_opens=True))
        fleet = Fleet([preferred, Clinic(Plan(lag=4))], policy=StreamPolicy(connect_timeout=2.0))
        told = await live(fleet.stream(), last=2500, pace=0.4)
        assert told.stream.transcript.text == words(2500)
        assert changes(told) == ["ab"]
        assert told.causes == [("a", "ConnectError")]
        began = begins(fleet, "a")
        waits = [round(late - early) for early, late in pairwise(began[1:])]
        assert waits == [62, 122, 242, 482]

    run(case())


def test_a_provider_that_comes_and_goes_does_not_make_a_stream_flap() -> None:
    """It is well whenever it is probed, for ten seconds."""

    async def case() -> None:
        bad = [Plan(at=2.0, error=ServiceUnavailableError("down"))] * 100
        fleet = Fleet([Clinic(*bad), Clinic(Plan(lag=4))])
        told = await live(fleet.stream(), last=3600, pace=0.5)  # half an hour
        assert told.stream.transcript.text == words(3600)
        assert fleet.connections[0] <= 7
        began = begins(fleet, "a")
        waits = [late - early for early, late in pairwise(began)]
        assert waits == sorted(waits)

    run(case())


def test_a_probe_that_fails_after_it_took_over_costs_no_word() -> None:
    async def case() -> None:
        plans = [Plan(at=3.0, lag=4, error=ServiceUnavailableError("down")), Plan(at=0.0, fault="mute"), Plan(lag=3)]
        fleet = Fleet([Clinic(*plans), Clinic(Plan(lag=4))])
        told = await live(fleet.stream(), last=2000)
        assert told.stream.transcript.text == words(2000)
        assert changes(told)[:3] == ["ab", "ba", "ab"]
        assert told.causes[:2] == [("a", "ServiceUnavailableError"), ("a", "ProgressTimeout")]

    run(case())


def test_what_one_stream_learns_another_knows_and_only_one_probes() -> None:
    async def case() -> None:
        health = Health()
        fleet = Fleet([Clinic(Plan(at=0.0, never_opens=True)), Clinic(Plan(lag=2))], health=health)
        first = await live(fleet.stream(), last=200)
        assert first.causes == [("a", "ConnectTimeout")]
        begun = asyncio.get_running_loop().time()
        told = await live(fleet.stream(), last=10)
        assert asyncio.get_running_loop().time() - begun < 1.5  # it waited for nobody
        assert (told.causes, changes(told)) == ([], ["ab"])
        assert fleet.connections == [1, 2]
        hundred = await asyncio.gather(*[live(fleet.stream(), last=400) for _ in range(20)])
        assert all(each.stream.transcript.text == words(400) for each in hundred)
        assert fleet.connections == [2, 22]

    run(case())


def test_when_the_probe_of_one_stream_succeeds_the_others_follow() -> None:
    async def case() -> None:
        dead = [Plan(at=2.0, error=ServiceUnavailableError("down"))] * 5
        fleet = Fleet([Clinic(*dead, Plan(lag=2)), Clinic(Plan(lag=2))])
        all_told = await asyncio.gather(*[live(fleet.stream(), last=900) for _ in range(5)])
        for told in all_told:
            assert told.stream.transcript.text == words(900)
            assert changes(told) == ["ab", "ba"]
        assert fleet.connections == [10, 5]

    run(case())


@pytest.mark.parametrize("what", ["end", "close", "flush"])
def test_a_stream_that_ends_while_a_connection_stands_by_leaves_nothing(what: str) -> None:
    async def case() -> None:
        clinic = Clinic(Plan(lag=4), limit=30.0, endpoints=False)
        fleet = Fleet([clinic], options={"max_session": 30.0})
        stream = fleet.stream()

        async def meanwhile(number: int) -> None:
            if number == 279:
                assert fleet.connections == [2]
                if what == "flush":
                    assert (await stream.flush()).confirmed
                if what == "close":
                    await stream.aclose()

        told = await live(stream, last=280, meanwhile=meanwhile)
        if what != "close":
            assert told.stream.transcript.text == words(280)
        await asyncio.sleep(10.0)
        assert len(asyncio.all_tasks()) == 1
        assert len(clinic.calls) == 2

    run(case())


@pytest.mark.parametrize(("lag", "speed"), [(60, 1.0), (400, None)])
def test_sessions_that_are_too_short_for_a_final_are_failures_and_end_in_an_error(
    lag: int, speed: float | None
) -> None:
    async def case() -> None:
        options = {"max_session": 5.0, "speed": speed}
        fleet = Fleet.of(Plan(lag=lag), options=options, policy=StreamPolicy(give_up_after=20.0))
        told = await live(fleet.stream(), last=2000)
        assert told.error is not None
        assert [type(attempt.cause) for attempt in told.error.attempts] == [SessionExpiredError] * fleet.connections[0]
        assert 2 < fleet.connections[0] <= 20
        assert told.stream.stats.gaps == ()

    run(case())


def test_a_provider_whose_sessions_are_long_enough_goes_on() -> None:
    async def case() -> None:
        short = {"max_session": 5.0, "speed": 1.0}
        fleet = Fleet.of(Plan(lag=60), Plan(lag=2), each={"a": short}, policy=StreamPolicy(cool_down=600.0))
        told = await live(fleet.stream(), last=300)
        assert told.stream.transcript.text == words(300)
        assert changes(told) == ["ab"]
        assert fleet.connections == [3, 1]  # one of them was to be the next, and never carried the stream

    run(case())


@pytest.mark.parametrize("limit", [30.0, 300.0])
def test_sessions_in_which_nobody_speaks_are_no_failures(limit: float) -> None:
    """Also if silence never becomes final, and somebody begins to speak at the last moment."""

    async def case() -> None:
        clinic = Quiet(limit=limit)
        clinic.sure = False
        fleet = Fleet([clinic], options={"max_session": limit})
        stream = fleet.stream()

        async def speak() -> None:
            for number in range(1, 4):
                begun = len(clinic.connections)
                while len(clinic.connections) < begun + 4:
                    await stream.send_audio(bytes(200))
                    await asyncio.sleep(0.1)
                for _ in range(int(limit / 10)):  # until behind the end of the session
                    await stream.send_audio(speech(number, number))
                    await asyncio.sleep(0.1)
            await stream.end_audio()

        async with stream:
            speaking = asyncio.ensure_future(speak())
            said = [result.text async for result in stream if result.is_final]
            await speaking
        numbers = " ".join(said).split()
        assert numbers == [str(number) for number in range(1, 4) for _ in range(int(limit / 10))]

    run(case())
