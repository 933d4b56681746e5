"""What the end of a connection's task means, and what a failure says of the provider: every rule about causes."""

from __future__ import annotations

import asyncio

from debabelizer.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DeadlineError,
    DebabelizerError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
)

__all__ = ["cause_of", "is_for_good", "is_of_provider", "is_out"]


def cause_of(task: asyncio.Task[None], provider: str) -> Exception:
    """Why an attempt failed whose `task` has ended: raised, returned early or cancelled are failures alike."""
    if task.cancelled():
        return ConnectionLostError("The connection was cancelled from outside.", provider=provider)
    error = task.exception()
    if error is None:
        return ConnectionLostError("The connection ended before the end of audio.", provider=provider)
    if isinstance(error, ProviderError):
        error.provider = error.provider or provider
    return error if isinstance(error, Exception) else ConnectionLostError(repr(error), provider=provider)


def is_for_good(cause: BaseException) -> bool:
    """Whether asking the same provider again cannot help: a wrong key, a refused request, a missing setting."""
    return isinstance(cause, DebabelizerError) and not (isinstance(cause, ProviderError) and cause.retryable)


def is_out(cause: BaseException) -> bool:
    """Whether the provider itself is out, and not just this connection to it.

    A connection that broke, or a message that makes no sense, says little: the same provider deserves a second
    try. So does one that asks for a new request at once.
    """
    if isinstance(cause, ProviderError) and cause.retry_after == 0.0:
        return False
    return is_for_good(cause) or isinstance(
        cause, (ConnectError, DeadlineError, RateLimitedError, ServiceUnavailableError)
    )


def is_of_provider(cause: BaseException) -> bool:
    """Whether other streams have to expect the same: not if just this request, or its settings, were refused."""
    return not is_for_good(cause) or isinstance(cause, (AuthenticationError, QuotaExceededError))
