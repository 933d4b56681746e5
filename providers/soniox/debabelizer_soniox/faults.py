"""Soniox's errors, and which of ours each becomes.

Code branches on `error_type`, which is stable; the number is for older servers that send no type, and the message
for people. The names differ between the WebSocket and REST; both end up in a `Fault`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from debabelizer.config import redact
from debabelizer.errors import (
    AuthenticationError,
    InvalidRequestError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
    SessionExpiredError,
)

__all__ = ["Fault", "http_error", "provider_error"]

_LONGEST: Final = 500  # characters of a message that are shown


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as Soniox reports it; each part may be missing.

    Attributes:
        code: A number like an HTTP status.
        kind: Its stable name (``error_type``).
        message: For people; the wording may change.
        request_id: For Soniox's support.
    """

    code: int | None = None
    kind: str | None = None
    message: str | None = None
    request_id: str | None = None


class _Row(NamedTuple):
    error: type[ProviderError]
    hint: str | None = None
    retry_after: float | None = None


_REQUEST = _Row(InvalidRequestError, "Change what the message names, in [providers.soniox] or in the options.")
_KEY = _Row(
    AuthenticationError,
    "Check api_key (by default SONIOX_API_KEY). A key is bound to its region: see the setting `region`.",
)
_TEMPORARY_KEY = _Row(AuthenticationError, "Create a new temporary key.")
_PERMISSION = _Row(AuthenticationError, "Give the key the permission for this service in the Soniox Console.")
_BUDGET = _Row(QuotaExceededError, "Add credit or raise the budget in the Soniox Console.")
_IDLE = _Row(SessionExpiredError)
_AT_ONCE = _Row(SessionExpiredError, retry_after=0.0)
_RATE = _Row(RateLimitedError, "Run fewer streams at once, or have the limit raised in the Soniox Console.")
_FAILED = _Row(ServiceUnavailableError)
# "Please restart the request": sessions are best effort, some are cut early, and a new one is to start at once.
_RESTART = _Row(ServiceUnavailableError, retry_after=0.0)

_BY_KIND: Final[Mapping[str, _Row]] = {
    "invalid_request": _REQUEST,
    "unauthenticated": _KEY,
    "temp_api_key_expired": _TEMPORARY_KEY,
    "temp_api_key_invalid": _TEMPORARY_KEY,
    "temp_api_key_usage_type_mismatch": _TEMPORARY_KEY,
    "organization_balance_exhausted": _BUDGET,
    "organization_monthly_budget_exhausted": _BUDGET,
    "project_monthly_budget_exhausted": _BUDGET,
    "permission_denied": _PERMISSION,
    # The key's longest session is over, but unless it was for a single use or has expired it opens another one.
    # The next attempt finds out: refused, it fails for good with the 401 that says why.
    "temp_api_key_session_expired": _AT_ONCE,
    "request_timeout": _IDLE,
    "max_duration_reached": _AT_ONCE,
    "limit_exceeded": _RATE,
    "internal_error": _FAILED,
    "service_unavailable": _RESTART,
}
_BY_CODE: Final[Mapping[int, _Row]] = {
    400: _REQUEST,
    401: _KEY,
    402: _BUDGET,
    403: _PERMISSION,
    408: _IDLE,
    413: _AT_ONCE,
    429: _RATE,
    503: _RESTART,
}


def provider_error(fault: Fault, *, retry_after: float | None = None) -> ProviderError:
    """The typed error for a fault on the WebSocket; `retry_after` seconds, if said, is stronger than the table."""
    return _error(fault, _BY_KIND.get(fault.kind or "") or _row(fault.code, _BY_CODE), retry_after)


def http_error(status: int, body: bytes, retry_after: float | None = None) -> ProviderError:
    """The typed error for an HTTP answer that is none of success: from REST, or from a refused handshake."""
    fault = _http_fault(status, body)
    # Here 408 and 413 speak of one request, not of a session: too slow, too large.
    rows = {**_BY_CODE, 408: _FAILED, 413: _REQUEST, 425: _FAILED, 503: _FAILED}
    row = _BY_KIND.get(fault.kind or "") or _row(status, rows)
    return _error(fault, row._replace(retry_after=None), retry_after)


def _row(code: int | None, rows: Mapping[int, _Row]) -> _Row:
    if code is None:
        return _Row(ProviderError)
    return rows.get(code) or (_REQUEST if 300 <= code < 500 else _FAILED)


def _error(fault: Fault, row: _Row, retry_after: float | None) -> ProviderError:
    said = " ".join(redact(fault.message or "").split())[:_LONGEST]
    name = " ".join(str(part)[:80] for part in (fault.code, fault.kind) if part is not None)
    return row.error(
        f"Soniox answered {name or 'with an error'}" + (f": {said}" if said else "."),
        code=str(fault.code) if fault.code is not None else fault.kind,
        retry_after=row.retry_after if retry_after is None else retry_after,
        request_id=fault.request_id,
        hint=row.hint,
    )


def _http_fault(status: int, body: bytes) -> Fault:
    """REST says `message` where the WebSocket says `error_message`; a proxy in between may say anything."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Fault(code=status, message=body[: 4 * _LONGEST].decode("utf-8", "replace"))

    def text(name: str) -> str | None:
        return said[name] if isinstance(said.get(name), str) else None

    message = text("message") or text("error_message") or ""
    faults = said.get("validation_errors")
    for item in faults if isinstance(faults, list) else ():
        if isinstance(item, dict):
            message += f" {item.get('location')}: {item.get('message')}"
    return Fault(code=status, kind=text("error_type"), message=message, request_id=text("request_id"))
