"""The promise over several providers of every kind, which die at random, in turn or in a race: every word once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fleet import leg
from support.plans import act, times_as_many
from support.service import FORMAT, WORD, Plan, Service, ServiceConnection, speech

from debabelizer.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    QuotaExceededError,
    ServiceUnavailableError,
)
from debabelizer.results import StreamingResult
from debabelizer.streaming.connection import Connection
from debabelizer.streaming.dialect import Hypothesis, Processed, UtteranceEnd
from debabelizer.streaming.health import Health
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.testing.virtual_time import run

POLICY = StreamPolicy(
    replay=20.0, give_up_after=400.0, max_attempts=40, cool_down=3.0, cool_down_max=20.0, connect_timeout=5.0
)
SEGMENT = 4  # words


class Segments(ServiceConnection):
    """Times of whole segments only, as a provider without word times gives them."""

    def _say(self, lag: int) -> list[Any]:
        heard = len(self.audio) // (WORD * FORMAT.frame_bytes)
        whole = heard if lag == 0 else self.said + (heard - self.said) // SEGMENT * SEGMENT
        events: list[Any] = []
        if whole > self.said:
            events.append(self._segment(self.said, whole, final=True))
            self.said = whole
            events.append(UtteranceEnd())
        rest = self._segment(self.said, heard, final=False) if heard > self.said else Hypothesis(text="", final=False)
        return [*events, rest, Processed(self._seconds)]

    def _segment(self, first: int, last: int, *, final: bool) -> Hypothesis:
        text = " ".join(self._word(index).text for index in range(first, last))
        return Hypothesis(text=text, final=final, start=round(first * 0.1, 3), end=round(last * 0.1, 3))


class Timeless(ServiceConnection):
    """No times at all: it resumes because it says that everything before a position is final."""

    def _say(self, lag: int) -> list[Any]:
        events = [
            Hypothesis(text=event.text, final=event.final) if isinstance(event, Hypothesis) else event
            for event in super()._say(lag)
        ]
        through = round(self.said * 0.1, 3)
        return [*events, Processed(through, final=True)]


class Deaf(ServiceConnection):
    """Takes no notice of a flush."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(replace(plan, answers_flush=False))


KINDS: dict[str, tuple[Callable[[Plan], ServiceConnection], dict[str, Any]]] = {
    "exact": (ServiceConnection, {}),
    "segment": (Segments, {}),
    "timeless": (Timeless, {}),
    "limited": (ServiceConnection, {"max_session": 4.0}),
    "slow": (ServiceConnection, {"speed": 1.0}),
    "no flush": (Deaf, {"flushes": False}),
}

plans = st.builds(
    Plan,
    at=st.one_of(st.none(), st.integers(0, 60).map(lambda tenths: tenths / 20), st.floats(0.0, 8.0)),
    fault=st.sampled_from(["raise", "raise", "return", "cancel", "mute", "freeze", "hang-on-cancel"]),
    error=st.sampled_from(
        [
            ServiceUnavailableError("restart", retry_after=0.0),
            ServiceUnavailableError("down"),
            AuthenticationError("wrong key"),
            QuotaExceededError("empty"),
            ConnectError("refused"),
            ConnectionLostError("cut"),
            ValueError("a bug in a dialect"),
        ]
    ),
    lag=st.integers(1, 12),
    open_after=st.sampled_from([0.0, 0.3, 2.0]),
    never_opens=st.sampled_from([False, False, False, True]),
    never_ready=st.sampled_from([False, False, False, True]),
    end=st.sampled_from(["finish", "finish", "silent", "return"]),
)

providers = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS)), st.lists(plans, min_size=1, max_size=4)), min_size=1, max_size=3
)
chatter = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 3000)),
        st.tuples(st.just("pause"), st.sampled_from([0.0, 0.1, 0.5, 6.0])),
        st.tuples(st.just("flush"), st.just(0)),
    ),
    max_size=25,
)
LAST = Plan(lag=3)


class Provider(Service):
    def __init__(self, kind: str, broken: list[Plan]) -> None:
        super().__init__([*broken, LAST])
        self.make, self.options = KINDS[kind]

    def connect(self) -> Connection:
        plan = self.plans[min(len(self.connections), len(self.plans) - 1)]
        self.connections.append(self.make(plan))
        return self.connections[-1]


@settings(max_examples=times_as_many(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(providers, chatter, st.one_of(st.integers(0, 20), st.integers(60, 150)), st.booleans(), st.integers(1, 3))
def test_words_are_those_of_a_perfect_line_whoever_heard_them(
    configured: list[tuple[str, list[Plan]]], todo: list[tuple[str, float]], last: int, returns: bool, race: int
) -> None:
    async def case() -> None:
        services = [Provider(kind, broken) for kind, broken in configured]
        legs: list[Leg] = [
            leg(name, service.connect, **service.options) for name, service in zip("abc", services, strict=False)
        ]
        # A provider whose key is wrong for good would be right to end the stream: somebody has to be left.
        legs.append(leg("z", Service([LAST]).connect))
        policy = replace(POLICY, return_to_preferred=returns)
        supervisors: list[Supervisor] = []

        def supervise() -> Supervisor:
            supervisors.append(
                Supervisor(
                    *legs,
                    audio_format=FORMAT,
                    policy=policy,
                    health=Health(3.0, 20.0),
                    race=race,
                    random=lambda: 0.3,
                )
            )
            return supervisors[0]

        finals: list[StreamingResult] = []
        interim = ""
        largest = 0
        async with TranscriptionStream(supervise, name="model") as stream:
            acting = asyncio.ensure_future(act(stream, todo, speech(1, last), chunk=500, pace=0.1))
            async for result in stream:
                if result.is_final:
                    finals.append(result)
                else:
                    interim = result.text
                journal = supervisors[0].journal
                largest = max(largest, journal.capacity - journal.room)
            await acting
            stats = stream.stats
        said = " ".join(final.text for final in finals if final.text)
        assert said == " ".join(str(number) for number in range(1, last + 1))
        assert stream.transcript.text == said
        assert interim == ""
        for final in finals:
            if final.text and final.start is not None:
                assert final.start == pytest.approx((int(final.text.split()[0]) - 1) * 0.1, abs=1e-6)
        assert all(final.provider in "abcz" for final in finals)
        assert stats.gaps == ()
        assert stats.confirmed == stats.accepted
        if race == 1:
            assert sum(usage.sent for usage in stats.usage) == pytest.approx(stats.sent)
            assert all(usage.raced == 0.0 for usage in stats.usage)
        assert sum(usage.seconds for usage in stats.usage) >= stats.sent - 1e-6
        assert sum(usage.replayed for usage in stats.usage) == pytest.approx(stats.replayed)
        assert sum(usage.attempts for usage in stats.usage) == stats.attempts
        assert largest <= POLICY.replay * FORMAT.bytes_per_second
        await asyncio.sleep(100.0)  # for those that are slow to be cancelled
        assert len(asyncio.all_tasks()) == 1
        assert all(connection.over for service in services for connection in service.connections if connection.taken)

    run(case())
