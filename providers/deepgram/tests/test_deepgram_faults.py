from __future__ import annotations

import json
from typing import Any

import pytest
from debabelizer_deepgram.faults import close_error, http_error, stream_error

from debabelizer import (
    AuthenticationError,
    InvalidRequestError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
    SessionExpiredError,
)
from debabelizer.config import remember


def old(code: str, message: str = "Why.") -> bytes:
    return json.dumps({"err_code": code, "err_msg": message, "request_id": "r-1"}).encode()


def new(category: str, message: str = "Why.") -> bytes:
    return json.dumps({"category": category, "message": message, "details": "More.", "request_id": "r-1"}).encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Bad Request", InvalidRequestError),
        (401, "INVALID_AUTH", AuthenticationError),
        (401, "INSUFFICIENT_PERMISSIONS", AuthenticationError),
        (402, "ASR_PAYMENT_REQUIRED", QuotaExceededError),
        (403, "INSUFFICIENT_PERMISSIONS", AuthenticationError),
        (404, "NOT_FOUND", InvalidRequestError),
        (408, "SLOW_UPLOAD", ServiceUnavailableError),
        (413, "PAYLOAD_TOO_LARGE", InvalidRequestError),
        (429, "TOO_MANY_REQUESTS", RateLimitedError),
        (500, "INTERNAL", ServiceUnavailableError),
        (503, "UNAVAILABLE", ServiceUnavailableError),
        (504, "TIMEOUT", ServiceUnavailableError),
        (302, "FOUND", InvalidRequestError),
    ],
)
@pytest.mark.parametrize("shape", [old, new])
def test_a_refusal_by_status_and_name(status: int, code: str, kind: type[Exception], shape: Any) -> None:
    error = http_error(status, shape(code))
    assert type(error) is kind
    assert (error.code, error.request_id) == (code, "r-1")
    assert f"{status} {code}: Why." in str(error)


def test_the_name_is_stronger_than_the_status() -> None:
    assert type(http_error(400, old("INVALID_AUTH"))) is AuthenticationError


def test_headers_tell_what_the_body_does_not() -> None:
    error = http_error(401, b"", headers={"dg-error": "INVALID_AUTH: Invalid credentials.", "dg-request-id": "r-2"})
    assert (type(error), error.code, error.request_id) == (AuthenticationError, "INVALID_AUTH", "r-2")
    assert str(error).startswith("Deepgram answered 401 INVALID_AUTH: Invalid credentials.")


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[1]", b'{"err_msg": 7}', b"\xff", b"[" * 100_000])
def test_any_body_will_do(body: bytes) -> None:
    assert type(http_error(502, body)) is ServiceUnavailableError


def test_retry_after_is_passed_on() -> None:
    assert http_error(429, old("TOO_MANY_REQUESTS"), retry_after=7.0).retry_after == 7.0


@pytest.mark.parametrize(
    ("code", "reason", "kind", "retryable"),
    [
        (1008, "DATA-0000", InvalidRequestError, False),
        (1008, "The payload cannot be decoded. See https://dpgr.am/data0000", InvalidRequestError, False),
        (1011, "NET-0000: no response", ServiceUnavailableError, True),
        (1011, "NET-0001: no audio", SessionExpiredError, True),
    ],
)
def test_a_close_by_its_reason(code: int, reason: str, kind: type[Exception], retryable: bool) -> None:
    error = close_error(code, reason)
    assert type(error) is kind
    assert error is not None
    assert error.retryable is retryable
    assert reason in str(error)


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1011, ""), (1006, "?"), (None, "")])
def test_a_close_that_says_nothing_is_left_to_the_core(code: int | None, reason: str) -> None:
    assert close_error(code, reason) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("SchemaError", InvalidRequestError), ("TOO_MANY_REQUESTS", RateLimitedError), ("", ServiceUnavailableError)],
)
def test_an_error_message(name: str, kind: type[Exception]) -> None:
    assert type(stream_error(name, "Why.", "r-3")) is kind


def test_no_secret_and_no_endless_text_is_shown() -> None:
    remember("canary-0123456789")
    error = http_error(400, old("Bad Request", f"{'x ' * 1000} canary-0123456789"))
    assert len(str(error)) < 800
    assert "canary" not in str(http_error(400, old("Bad Request", "the key canary-0123456789 is wrong")))
