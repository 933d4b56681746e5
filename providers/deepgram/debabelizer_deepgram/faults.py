"""Deepgram's errors, and which of ours each becomes.

A handshake or a call that is refused says why in the header ``dg-error`` and in a body of one of two shapes,
``{err_code, err_msg, request_id}`` or ``{category, message, details, request_id}``. A stream that fails says so in
the reason of its close frame, by a code like ``NET-0001``. (Documentation.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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

__all__ = ["close_error", "http_error", "stream_error"]

_LONGEST: Final = 500  # characters of a message that are shown


class _Row(NamedTuple):
    error: type[ProviderError]
    hint: str | None = None


_REQUEST: Final = _Row(InvalidRequestError, "Change what the message names, in the settings or in the options.")
_KEY: Final = _Row(AuthenticationError, "Check api_key (by default DEEPGRAM_API_KEY).")
_PERMISSION: Final = _Row(AuthenticationError, "Give the key, or its project, access to this model in the Console.")
_BUDGET: Final = _Row(QuotaExceededError, "Add credit in the Deepgram Console.")
_RATE: Final = _Row(RateLimitedError, "Run fewer streams at once, or have the limit raised by Deepgram.")
_FAILED: Final = _Row(ServiceUnavailableError)
_SLOW: Final = _Row(ServiceUnavailableError, "Deepgram takes 10 minutes at most for one file: cut it into parts.")

_BY_NAME: Final[Mapping[str, _Row]] = {
    "INVALID_AUTH": _KEY,
    "INSUFFICIENT_PERMISSIONS": _PERMISSION,
    "ASR_PAYMENT_REQUIRED": _BUDGET,
    "TOO_MANY_REQUESTS": _RATE,
}
_BY_STATUS: Final[Mapping[int, _Row]] = {
    401: _KEY,
    402: _BUDGET,
    403: _PERMISSION,
    408: _FAILED,
    425: _FAILED,
    429: _RATE,
    504: _SLOW,
}
_BY_CLOSE: Final[Mapping[str, tuple[_Row, str]]] = {
    "DATA-0000": (
        _Row(InvalidRequestError, "Is the audio format the right one? A stream takes raw samples."),
        "Deepgram cannot decode the audio",
    ),
    "NET-0000": (_FAILED, "Deepgram answered nothing within its own time limit"),
    "NET-0001": (_Row(SessionExpiredError), "Deepgram got no audio for too long"),
}


def http_error(
    status: int, body: bytes, *, retry_after: float | None = None, headers: Mapping[str, str] | None = None
) -> ProviderError:
    """The typed error of a refused handshake, or of a call that did not succeed.

    Args:
        status: HTTP status.
        body: The first bytes of the answer, whoever it is from: a proxy in between may say anything.
        retry_after: Seconds to wait, if said.
        headers: Of the answer.
    """
    headers = headers or {}
    said = _object(body)
    name = _text(said, "err_code") or _text(said, "category")
    message = " ".join(filter(None, (_text(said, "err_msg") or _text(said, "message"), _text(said, "details"))))
    if not said:
        message = body[: 4 * _LONGEST].decode("utf-8", "replace")
    if reason := headers.get("dg-error"):
        head, _, rest = reason.partition(":")
        name = name or head.strip()
        message = message or rest
    row = _BY_NAME.get(name or "") or _BY_STATUS.get(status) or (_REQUEST if 300 <= status < 500 else _FAILED)
    return _error(
        row,
        f"Deepgram answered {status}{f' {name[:80]}' if name else ''}",
        message,
        code=name or str(status),
        retry_after=retry_after,
        request_id=_text(said, "request_id") or headers.get("dg-request-id"),
    )


def close_error(code: int | None, reason: str) -> ProviderError | None:
    """The typed error behind the close of a stream; None if Deepgram's reason is none that is documented."""
    for name, (row, what) in _BY_CLOSE.items():
        if name in reason:
            return _error(row, what, reason, code=name)
    if code == 1008:  # documented for DATA-0000 alone: the data is refused, and would be again
        return _error(*_BY_CLOSE["DATA-0000"], reason, code="1008")
    return None


def stream_error(name: str, message: str, request_id: str | None) -> ProviderError:
    """The typed error of an ``Error`` message on a stream.

    ``SchemaError`` says that Deepgram could not read a message of ours (official SDK): it could not the next time.
    """
    row = _REQUEST if name == "SchemaError" else _BY_NAME.get(name, _FAILED)
    what = f"Deepgram ended the stream: {name[:80] or 'error'}"
    return _error(row, what, message, code=name or None, request_id=request_id)


def _error(
    row: _Row,
    what: str,
    message: str,
    *,
    code: str | None,
    retry_after: float | None = None,
    request_id: str | None = None,
) -> ProviderError:
    said = " ".join(redact(message).split())[:_LONGEST]
    return row.error(
        f"{what}: {said}" if said else f"{what}.",
        code=code,
        retry_after=retry_after,
        request_id=request_id,
        hint=row.hint,
    )


def _object(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _text(said: Mapping[str, object], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) and value else None
