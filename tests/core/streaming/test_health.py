"""The circuit breaker, on its own."""

from __future__ import annotations

import pytest

from debabelizer.errors import AuthenticationError, ConnectError, QuotaExceededError, RateLimitedError
from debabelizer.streaming.health import Circuit, Health

DOWN = ConnectError("refused")


def failed(circuit: Circuit, now: float) -> float:
    """Fail at `now`; for how long that keeps everybody away."""
    circuit.failed(DOWN, now)
    return circuit.due - now


def test_a_provider_nobody_complained_of_is_asked() -> None:
    circuit = Circuit(30.0, 600.0)
    assert circuit.admits(0.0)
    circuit.claim(0.0)
    assert circuit.admits(0.0)  # to ask who is well is no probe
    assert circuit.cause is None


def test_after_a_failure_nobody_asks_until_it_has_cooled_down_and_then_one() -> None:
    circuit = Circuit(30.0, 600.0)
    circuit.failed(DOWN, 100.0)
    assert circuit.cause is DOWN
    assert not circuit.admits(129.9)
    assert circuit.admits(130.0)
    circuit.claim(130.0)
    assert not circuit.admits(130.0)
    circuit.succeeded(131.0, 131.0)
    assert circuit.admits(131.0)


def test_a_connection_from_before_the_failure_proves_nothing() -> None:
    circuit = Circuit(30.0, 600.0)
    circuit.failed(DOWN, 10.0)
    circuit.succeeded(11.0, begun=9.0)
    assert not circuit.admits(11.0)
    circuit.succeeded(12.0, begun=10.0)
    assert circuit.admits(12.0)


def test_who_probes_and_is_never_heard_of_again_is_followed_by_another() -> None:
    circuit = Circuit(30.0, 600.0)
    circuit.failed(DOWN, 0.0)
    circuit.claim(30.0)
    assert not circuit.admits(59.9)
    assert circuit.admits(60.0)


def test_a_probe_that_fails_doubles_the_time_up_to_the_longest() -> None:
    circuit = Circuit(30.0, 200.0)
    waits = [failed(circuit, 0.0)]
    for _ in range(4):
        now = circuit.due
        circuit.claim(now)
        waits.append(failed(circuit, now))
    assert waits == [30.0, 60.0, 120.0, 200.0, 200.0]


def test_all_that_fail_together_count_once() -> None:
    circuit = Circuit(30.0, 600.0)
    assert failed(circuit, 0.0) == 30.0
    for _ in range(99):
        circuit.failed(DOWN, 1.0)
    assert circuit.due == 30.0


def test_one_who_asks_out_of_turn_and_fails_after_the_time_is_a_probe_too() -> None:
    circuit = Circuit(30.0, 600.0)
    circuit.failed(DOWN, 0.0)
    assert failed(circuit, 31.0) == 60.0


def test_a_provider_that_comes_and_goes_is_asked_ever_less_often() -> None:
    circuit = Circuit(30.0, 600.0)
    now, waits = 0.0, []
    for _ in range(6):
        waits.append(failed(circuit, now))
        now = circuit.due
        circuit.claim(now)
        circuit.succeeded(now, now)
        now += 20.0  # well for less than it had to cool down
    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0, 600.0]


def test_a_provider_that_was_well_for_long_begins_anew() -> None:
    circuit = Circuit(30.0, 600.0)
    now = 1000.0
    for _ in range(3):
        assert failed(circuit, now) == 30.0
        circuit.claim(circuit.due)
        circuit.succeeded(now + 30.0, now + 30.0)
        now += 61.0


@pytest.mark.parametrize("error", [AuthenticationError("wrong"), QuotaExceededError("empty")])
def test_a_wrong_key_and_an_empty_account_are_asked_about_seldom(error: Exception) -> None:
    circuit = Circuit(30.0, 600.0)
    circuit.failed(error, 0.0)
    assert circuit.due == 600.0


def test_what_the_provider_asks_for_is_obeyed() -> None:
    circuit = Circuit(30.0, 600.0)
    circuit.failed(RateLimitedError("later", retry_after=3600.0), 0.0)
    assert circuit.due == 3600.0


def test_providers_are_told_apart_by_name() -> None:
    health = Health(30.0, 600.0)
    health.of("a").failed(DOWN, 0.0)
    assert not health.of("a").admits(0.0)
    assert health.of("b").admits(0.0)
    assert health.of("a") is health.of("a")
