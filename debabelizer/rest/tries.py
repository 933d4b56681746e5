"""`retrying`: calls that may be made again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar

from debabelizer.errors import CertificateError, ConnectError, ProviderError, RateLimitedError, ServiceUnavailableError

__all__ = ["Sleep", "any_failure", "not_begun", "retrying"]

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
ResultT = TypeVar("ResultT")

_FIRST: Final = 0.5  # seconds before the second try; each pause is twice as long as the one before
_LONGEST: Final = 5.0
_LONGEST_WISH: Final = 60.0  # seconds that a provider may ask us to wait


def any_failure(error: ProviderError) -> bool:
    """For calls that change nothing: try again whenever that can help."""
    return error.retryable and not isinstance(error, CertificateError)


def not_begun(error: ProviderError) -> bool:
    """For calls that cost money: try again only if the provider refused, or was not reached at all."""
    return any_failure(error) and isinstance(error, RateLimitedError | ServiceUnavailableError | ConnectError)


async def retrying(
    call: Callable[[], Awaitable[ResultT]],
    *,
    tries: int = 4,
    again: Callable[[ProviderError], bool] = not_begun,
    sleep: Sleep = asyncio.sleep,
) -> ResultT:
    """Make a call, and make it again if it failed in a way where that can help.

    Args:
        call: Makes it; each time anew, so an upload is prepared within. What can be read only once cannot be
            uploaded twice: `tries` is 1 then.
        tries: How often at most.
        again: Which failures are worth another try: `not_begun` or `any_failure`.
        sleep: For the pauses. If the provider says how long to wait, it gets that; more than a minute is left to
            the user.

    Raises:
        ProviderError: That of the last try.
    """
    pause = _FIRST
    for _ in range(tries - 1):
        try:
            return await call()
        except ProviderError as error:
            if not again(error) or (error.retry_after or 0.0) > _LONGEST_WISH:
                raise
            wait = error.retry_after or pause
        await sleep(wait)
        pause = min(pause * 2, _LONGEST)
    return await call()
