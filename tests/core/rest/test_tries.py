from __future__ import annotations

import asyncio
from typing import Any

import pytest

from debabelizer import (
    AuthenticationError,
    CertificateError,
    ConnectError,
    ConnectionLostError,
    DeadlineError,
    ProtocolError,
    ProviderError,
    RateLimitedError,
    ServiceUnavailableError,
)
from debabelizer.rest import any_failure, not_begun, retrying


class Call:
    """Fails so and so often, and remembers for how long one would have slept."""

    def __init__(self, *errors: ProviderError) -> None:
        self.errors = list(errors)
        self.made = 0
        self.pauses: list[float] = []

    async def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def run(self, **options: Any) -> str:
        return asyncio.run(retrying(self, sleep=self.sleep, **options))


def test_what_succeeds_is_called_once() -> None:
    call = Call()
    assert call.run() == "done"
    assert (call.made, call.pauses) == (1, [])


def test_pauses_double_up_to_a_bound() -> None:
    call = Call(*[ServiceUnavailableError("Down.")] * 6)
    assert call.run(tries=7) == "done"
    assert call.pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_the_provider_says_how_long() -> None:
    call = Call(RateLimitedError("Busy.", retry_after=60.0), RateLimitedError("Busy."))
    assert call.run() == "done"
    assert call.pauses == [60.0, 1.0]


def test_a_wait_that_is_too_long_is_left_to_the_user() -> None:
    call = Call(RateLimitedError("Busy.", retry_after=61.0))
    with pytest.raises(RateLimitedError):
        call.run()
    assert (call.made, call.pauses) == (1, [])


@pytest.mark.parametrize("tries", [1, 3])
def test_tries_are_bounded_and_the_last_error_is_told(tries: int) -> None:
    call = Call(*[ConnectError(str(number)) for number in range(10)])
    with pytest.raises(ConnectError, match=str(tries - 1)):
        call.run(tries=tries)
    assert (call.made, len(call.pauses)) == (tries, tries - 1)


@pytest.mark.parametrize(
    ("error", "begun", "failure"),
    [
        (RateLimitedError("x"), True, True),
        (ServiceUnavailableError("x"), True, True),
        (ConnectError("x"), True, True),
        (ConnectionLostError("x"), False, True),
        (DeadlineError("x", seconds=1.0), False, True),
        (ProtocolError("x"), False, True),
        (CertificateError("x"), False, False),
        (AuthenticationError("x"), False, False),
    ],
)
def test_what_is_worth_another_try(error: ProviderError, begun: bool, failure: bool) -> None:
    assert (not_begun(error), any_failure(error)) == (begun, failure)
    call = Call(error)
    if begun:
        assert call.run() == "done"
    else:
        with pytest.raises(type(error)):
            call.run()


def test_what_is_no_error_of_a_provider_goes_through() -> None:
    async def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(retrying(broken, again=any_failure))
