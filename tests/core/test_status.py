from __future__ import annotations

import pytest

from debabelizer import (
    AuthenticationError,
    InvalidRequestError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
)
from debabelizer.status import retry_seconds, status_error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (101, ServiceUnavailableError),
        (301, InvalidRequestError),
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, QuotaExceededError),
        (403, AuthenticationError),
        (404, InvalidRequestError),
        (408, ServiceUnavailableError),
        (425, ServiceUnavailableError),
        (429, RateLimitedError),
        (500, ServiceUnavailableError),
        (599, ServiceUnavailableError),
    ],
)
def test_a_status_says_whose_fault_it_is(status: int, kind: type[ProviderError]) -> None:
    error = status_error(status, "why", retry_after=2.0, request_id="7")
    assert type(error) is kind
    assert (error.code, error.retry_after, error.request_id) == (str(status), 2.0, "7")
    assert error.message == f"The provider answered with status {status}: why"


def test_without_a_reason_it_is_a_sentence_all_the_same() -> None:
    assert status_error(500, "").message == "The provider answered with status 500."


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), (None, None), ("", None), ("-1", None), ("1.5", None), ("²", None), ("Fri, 31", None)],
)
def test_seconds_to_wait_are_those_of_a_whole_number(header: str | None, seconds: float | None) -> None:
    assert retry_seconds(header) == seconds
