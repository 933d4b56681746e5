from __future__ import annotations

import json
from typing import Any

import pytest
from debabelizer_soniox.faults import Fault, http_error, provider_error

from debabelizer import (
    AuthenticationError,
    InvalidRequestError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    Secret,
    ServiceUnavailableError,
    SessionExpiredError,
)

# code, error_type, class, retry_after
ROWS: list[tuple[int, str, type[ProviderError], float | None]] = [
    (400, "invalid_request", InvalidRequestError, None),
    (401, "unauthenticated", AuthenticationError, None),
    (401, "temp_api_key_expired", AuthenticationError, None),
    (401, "temp_api_key_invalid", AuthenticationError, None),
    (401, "temp_api_key_usage_type_mismatch", AuthenticationError, None),
    (402, "organization_balance_exhausted", QuotaExceededError, None),
    (402, "organization_monthly_budget_exhausted", QuotaExceededError, None),
    (402, "project_monthly_budget_exhausted", QuotaExceededError, None),
    (403, "permission_denied", AuthenticationError, None),
    (403, "temp_api_key_session_expired", SessionExpiredError, 0.0),
    (408, "request_timeout", SessionExpiredError, None),
    (413, "max_duration_reached", SessionExpiredError, 0.0),
    (429, "limit_exceeded", RateLimitedError, None),
    (500, "internal_error", ServiceUnavailableError, None),
    (503, "service_unavailable", ServiceUnavailableError, 0.0),
]


@pytest.mark.parametrize(("code", "kind", "error", "retry_after"), ROWS)
def test_each_row_by_its_type(code: int, kind: str, error: type[ProviderError], retry_after: float | None) -> None:
    found = provider_error(Fault(code, kind, "Why.", "request-7"))
    assert type(found) is error
    assert found.retry_after == retry_after
    assert found.code == str(code)
    assert found.request_id == "request-7"
    assert found.message == f"Soniox answered {code} {kind}: Why."


@pytest.mark.parametrize(("code", "kind", "error", "retry_after"), ROWS)
def test_the_type_counts_and_not_the_number(
    code: int, kind: str, error: type[ProviderError], retry_after: float | None
) -> None:
    found = provider_error(Fault(None, kind))
    assert (type(found), found.retry_after, found.code) == (error, retry_after, kind)
    assert type(provider_error(Fault(418, kind))) is error


@pytest.mark.parametrize(
    ("code", "error", "retry_after"),
    [
        (400, InvalidRequestError, None),
        (401, AuthenticationError, None),
        (402, QuotaExceededError, None),
        (403, AuthenticationError, None),
        (404, InvalidRequestError, None),
        (408, SessionExpiredError, None),
        (413, SessionExpiredError, 0.0),
        (429, RateLimitedError, None),
        (500, ServiceUnavailableError, None),
        (502, ServiceUnavailableError, None),
        (503, ServiceUnavailableError, 0.0),
    ],
)
@pytest.mark.parametrize("kind", [None, "something_new"])
def test_without_a_known_type_the_number_counts(
    code: int, error: type[ProviderError], retry_after: float | None, kind: str | None
) -> None:
    found = provider_error(Fault(code, kind, "Why."))
    assert (type(found), found.retry_after) == (error, retry_after)


def test_an_unknown_error_is_a_provider_error_that_may_be_retried() -> None:
    found = provider_error(Fault(message="Oh."))
    assert type(found) is ProviderError
    assert found.retryable
    assert found.message == "Soniox answered with an error: Oh."


@pytest.mark.parametrize("kind", ["invalid_request", "unauthenticated", "permission_denied", "limit_exceeded"])
def test_what_a_person_can_mend_has_a_hint(kind: str) -> None:
    assert provider_error(Fault(kind=kind)).hint


def test_a_long_message_is_cut_and_a_secret_in_it_masked() -> None:
    Secret("canary-key-7f3a")
    message = str(provider_error(Fault(401, "unauthenticated", "Bad canary-key-7f3a\n" + "x" * 10_000)))
    assert "canary" not in message
    assert len(message) < 1000


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, InvalidRequestError),
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, QuotaExceededError),
        (403, AuthenticationError),
        (404, InvalidRequestError),
        (408, ServiceUnavailableError),
        (413, InvalidRequestError),
        (429, RateLimitedError),
        (500, ServiceUnavailableError),
        (503, ServiceUnavailableError),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b"{}", b'{"message": 7, "validation_errors": 7}'])
def test_http_errors_whatever_the_body(status: int, error: type[ProviderError], body: bytes) -> None:
    found = http_error(status, body, retry_after=3.0)
    assert (type(found), found.code, found.retry_after) == (error, str(status), 3.0)


def test_http_errors_have_members_of_other_names() -> None:
    body: dict[str, Any] = {
        "status_code": 400,
        "error_type": "invalid_request",
        "message": "Bad request.",
        "validation_errors": [{"error_type": "x", "location": "body.model", "message": "unknown"}, 7],
        "request_id": "r-1",
    }
    found = http_error(400, json.dumps(body).encode())
    assert found.message == "Soniox answered 400 invalid_request: Bad request. body.model: unknown"
    assert found.request_id == "r-1"
    assert "WebSocket names" in str(http_error(400, b'{"error_message": "WebSocket names"}'))
