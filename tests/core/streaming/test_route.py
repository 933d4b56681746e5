"""Who carries a stream next: the rules, without a stream."""

from __future__ import annotations

from typing import Any

import pytest

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import (
    AuthenticationError,
    ConfigError,
    ConfigProblem,
    ConnectError,
    ConnectionLostError,
    InvalidRequestError,
    RateLimitedError,
    ServiceUnavailableError,
)
from debabelizer.streaming.connection import Connection
from debabelizer.streaming.health import Health
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.route import Route, Step

LOST, DOWN, KEY = ConnectionLostError("cut"), ServiceUnavailableError("down"), AuthenticationError("bad key")


async def nowhere() -> Connection:
    raise AssertionError("a route opens nothing")


def legs(*names: str) -> list[Leg]:
    return [Leg(provider=name, connect=nowhere, wire=AudioFormat()) for name in names]


class Journey:
    """A route and its clock."""

    def __init__(self, *names: str, health: Health | None = None, **policy: Any) -> None:
        self.legs = legs(*names)
        self.route = Route(self.legs, StreamPolicy(**policy), health or Health(), lambda: 1.0)
        self.now = 0.0

    def leg(self, name: str) -> Leg:
        return next(leg for leg in self.legs if leg.provider == name)

    def fails(self, name: str, cause: Exception) -> tuple[str, float] | None:
        choice = self.route.failed(self.leg(name), cause, self.now, self.now, well=None)
        return None if choice is None else (choice.leg.provider, round(choice.delay, 3))

    def progresses(self, name: str) -> None:
        self.route.progressed(self.leg(name), self.now, self.now)

    def better(self, name: str) -> str | None:
        leg = self.route.better(self.leg(name), self.now)
        return None if leg is None else leg.provider

    def renewal(self, name: str) -> str | None:
        leg = self.route.renewal(self.leg(name), self.now)
        return None if leg is None else leg.provider


def test_a_broken_connection_is_made_again_once_and_then_the_next_provider_is_asked() -> None:
    way = Journey("a", "b")
    assert way.fails("a", LOST) == ("a", 0.25)
    assert way.fails("a", LOST) == ("b", 0.0)


def test_after_progress_there_is_a_second_try_again() -> None:
    way = Journey("a", "b")
    for _ in range(5):
        assert way.fails("a", LOST) == ("a", 0.25)
        way.progresses("a")


@pytest.mark.parametrize(
    "cause", [DOWN, KEY, ConnectError("refused"), InvalidRequestError("no"), ConfigError([ConfigProblem("no key")])]
)
def test_a_provider_that_is_out_is_left_at_once(cause: Exception) -> None:
    assert Journey("a", "b").fails("a", cause) == ("b", 0.0)


def test_one_provider_is_tried_as_its_budget_says_and_no_circuit_stands_in_the_way() -> None:
    way = Journey("a", max_attempts=4)
    assert [way.fails("a", DOWN) for _ in range(4)] == [("a", 0.25), ("a", 0.5), ("a", 1.0), None]
    assert Journey("a").fails("a", KEY) is None


def test_when_all_are_out_whoever_may_soonest_is_next_and_spent_budgets_end_it() -> None:
    way = Journey("a", "b", max_attempts=3)
    assert way.fails("a", KEY) == ("b", 0.0)
    assert way.fails("b", DOWN) == ("b", 0.25)
    assert way.fails("b", DOWN) == ("b", 0.5)
    assert way.fails("b", DOWN) is None

    both = Journey("a", "b", max_attempts=2)
    assert both.fails("a", DOWN) == ("b", 0.0)
    assert both.fails("b", DOWN) == ("a", 0.25)  # both after 0.25 s, and then the order counts
    assert both.fails("a", DOWN) == ("b", 0.25)
    assert both.fails("b", DOWN) is None


def test_progress_with_one_gives_all_a_new_chance() -> None:
    way = Journey("a", "b")
    assert way.fails("a", KEY) == ("b", 0.0)
    way.progresses("b")
    assert way.fails("b", KEY) == ("a", 0.0)


def test_progress_with_one_makes_no_other_one_well() -> None:
    """When the fallback hiccups, it is the one to ask: not a wrong key, and not who asked to be left alone."""
    way = Journey("a", "b", "c")
    assert way.fails("a", KEY) == ("b", 0.0)
    assert way.fails("b", RateLimitedError("slow down", retry_after=120.0)) == ("c", 0.0)
    for _ in range(3):
        way.now += 5.0
        way.progresses("c")
        assert way.fails("c", DOWN) == ("c", 0.25)
    assert way.now == 15.0
    assert way.fails("c", KEY) == ("b", 105.0)


def test_another_stream_begins_where_this_one_ended_up() -> None:
    health = Health()
    first = Journey("a", "b", health=health)
    first.fails("a", DOWN)
    second = Journey("a", "b", health=health)
    assert second.route.first(1.0).provider == "b"
    assert second.route.cause(second.leg("a")) is DOWN
    assert second.route.first(30.0).provider == "a"  # the probe
    third = Journey("a", "b", health=health)
    assert third.route.first(31.0).provider == "b"


def test_a_refused_request_is_the_streams_own_affair() -> None:
    health = Health()
    Journey("a", "b", health=health).fails("a", InvalidRequestError("no"))
    assert Journey("a", "b", health=health).route.first(1.0).provider == "a"


def test_when_everybody_is_out_a_stream_begins_with_the_preferred_one() -> None:
    health = Health()
    for name in ("a", "b"):
        health.of(name).failed(DOWN, 0.0)
    assert Journey("a", "b", health=health).route.first(1.0).provider == "a"


def test_a_preferred_provider_is_asked_again_when_it_has_cooled_down_ever_less_often() -> None:
    way = Journey("a", "b")
    way.fails("a", DOWN)
    way.progresses("b")
    asked = []
    while way.now < 4000.0:
        at = way.route.better_at(way.leg("b"))
        assert way.better("b") is None
        way.now = at
        assert way.better("b") == "a"
        asked.append(way.now)
        way.route.lost(way.leg("a"), DOWN, way.now)
    assert asked == [30.0, 90.0, 210.0, 450.0, 930.0, 1530.0, 2130.0, 2730.0, 3330.0, 3930.0, 4530.0]


def test_the_health_of_others_does_not_send_a_stream_back_to_what_fails_for_it_alone() -> None:
    health = Health()
    way = Journey("a", "b", health=health)
    way.fails("a", DOWN)
    health.of("a").succeeded(1.0, 1.0)
    way.now = 2.0
    assert way.better("b") is None
    way.now = 30.0
    assert way.better("b") == "a"


def test_who_does_not_want_to_return_stays() -> None:
    way = Journey("a", "b", return_to_preferred=False)
    way.fails("a", DOWN)
    way.now = 1000.0
    assert way.better("b") is None
    assert way.route.better_at(way.leg("b")) == float("inf")
    assert way.renewal("b") == "b"


def test_a_renewal_is_with_the_same_provider_unless_a_better_one_is_well_or_it_is_out() -> None:
    way = Journey("a", "b", "c")
    assert way.renewal("b") == "a"
    way.fails("a", DOWN)
    assert way.renewal("b") == "b"
    way.route.lost(way.leg("b"), DOWN, 0.0)
    assert way.renewal("b") == "c"
    way.route.lost(way.leg("c"), DOWN, 0.0)
    assert way.renewal("b") is None


def test_a_choice_is_a_value() -> None:
    leg = legs("a")[0]
    assert Step(leg) == Step(leg, 0.0)
