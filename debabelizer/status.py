"""What an HTTP answer that is none of success means, over REST and in a refused handshake alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from debabelizer.errors import (
    AuthenticationError,
    InvalidRequestError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
)

__all__ = ["retry_seconds", "status_error"]

_BY_STATUS: Final[Mapping[int, type[ProviderError]]] = {
    401: AuthenticationError,
    402: QuotaExceededError,
    403: AuthenticationError,
    408: ServiceUnavailableError,
    425: ServiceUnavailableError,
    429: RateLimitedError,
}


def status_error(
    status: int, detail: str, *, retry_after: float | None = None, request_id: str | None = None
) -> ProviderError:
    """The typed error for an HTTP status: 3xx and 4xx are the caller's fault, except for 408, 425 and 429."""
    default = InvalidRequestError if 300 <= status < 500 else ServiceUnavailableError
    kind = _BY_STATUS.get(status, default)
    message = f"The provider answered with status {status}" + (f": {detail}" if detail else ".")
    return kind(message, code=str(status), retry_after=retry_after, request_id=request_id)


def retry_seconds(retry_after: str | None) -> float | None:
    """The value of a Retry-After header when it is a number; the date form is not worth a wall clock."""
    return float(retry_after) if retry_after is not None and retry_after.strip().isdecimal() else None
