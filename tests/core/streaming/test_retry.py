from __future__ import annotations

import pytest

from debabelizer.errors import (
    AuthenticationError,
    CertificateError,
    ConfigError,
    ConfigProblem,
    ConnectError,
    InvalidRequestError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
)
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.retry import RetryBudget


def budget(policy: StreamPolicy | None = None, jitter: float = 1.0) -> RetryBudget:
    return RetryBudget(policy or StreamPolicy(), lambda: jitter)


def test_delays_double_up_to_the_bound() -> None:
    policy = StreamPolicy(backoff_base=0.5, backoff_max=4.0, give_up_after=1000.0)
    tries = budget(policy)
    assert [tries.spend(ConnectError("refused"), 0.0, 0.0) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_jitter_is_full() -> None:
    assert budget(jitter=0.0).spend(ConnectError("refused"), 0.0, 0.0) == 0.0


def test_the_number_of_attempts_is_bounded() -> None:
    tries = budget(StreamPolicy(max_attempts=3), jitter=0.0)
    delays = [tries.spend(ConnectError("refused"), 0.0, 0.0) for _ in range(3)]
    assert delays == [0.0, 0.0, None]


def test_the_time_without_progress_is_bounded_from_the_begin_of_the_first_failed_attempt() -> None:
    tries = budget(StreamPolicy(give_up_after=30.0), jitter=0.0)
    assert tries.spend(ConnectError("refused"), 100.0, 110.0) is not None
    assert tries.spend(ConnectError("refused"), 110.0, 129.9) is not None
    assert tries.spend(ConnectError("refused"), 129.9, 130.1) is None


def test_only_progress_refills() -> None:
    tries = budget(StreamPolicy(max_attempts=2, give_up_after=30.0), jitter=0.0)
    assert tries.spend(ConnectError("refused"), 0.0, 1.0) is not None
    tries.refill(now=890.0)
    assert tries.spend(ConnectError("refused"), 2.0, 901.0) is not None  # the attempt had gone well until 890 s
    assert tries.spend(ConnectError("refused"), 901.0, 902.0) is None


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("bad key"),
        InvalidRequestError("bad model"),
        QuotaExceededError("empty"),
        ConfigError([ConfigProblem("no key")]),
    ],
)
def test_what_asking_again_cannot_mend_is_not_tried_again(error: Exception) -> None:
    assert budget().spend(error, 0.0, 0.0) is None


def test_a_certificate_is_trusted_to_become_right_only_if_it_was_right_before() -> None:
    tries = budget()
    assert tries.spend(CertificateError("not them"), 0.0, 0.0) is None
    tries.refill(10.0)
    assert tries.spend(CertificateError("not them"), 10.0, 11.0) is not None


def test_an_attempt_that_went_well_does_not_count_as_time_without_progress() -> None:
    tries = budget(StreamPolicy(give_up_after=30.0), jitter=0.0)
    assert tries.spend(ConnectError("reset"), 0.0, 1000.0, well=999.0) is not None
    assert tries.spend(ConnectError("reset"), 1000.0, 1020.0, well=1010.0) is not None
    assert tries.spend(ConnectError("reset"), 1020.0, 1030.0, well=1029.0) is None  # too short to refill it
    assert tries.spend(ConnectError("reset"), 1030.0, 1100.0, well=1090.0) is not None


def test_a_fault_nobody_thought_of_is_tried_again() -> None:
    assert budget().spend(KeyError("words"), 0.0, 0.0) is not None


def test_retry_after_is_obeyed() -> None:
    assert budget(jitter=0.0).spend(RateLimitedError("slow down", retry_after=7.5), 0.0, 0.0) == 7.5


def test_retry_after_longer_than_the_budget_gives_up_at_once() -> None:
    policy = StreamPolicy(give_up_after=60.0)
    assert budget(policy).spend(RateLimitedError("tomorrow", retry_after=86400.0), 0.0, 0.0) is None


def test_a_vendor_that_asks_for_a_new_request_at_once_gets_it_but_only_once() -> None:
    tries = budget()
    restart = ServiceUnavailableError("please restart", retry_after=0.0)
    assert tries.spend(restart, 0.0, 0.0) == 0.0
    again = tries.spend(restart, 0.0, 0.0)
    assert again is not None
    assert again > 0.0
