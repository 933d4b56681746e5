"""Errors of OpenAI and of servers like it, and which of ours each becomes.

OpenAI sends an object (official SDK): ``{"error": {"message", "type", "param", "code"}}``. Others send a text in its
place, or plain text, or leave the object out. An expired session calls itself an ``invalid_request_error``, and a
429 may mean that the money is gone: so the code counts first, then the type, and the HTTP status last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

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

__all__ = ["EMPTY_COMMIT", "Reported", "http_error", "provider_error", "reported"]

EMPTY_COMMIT: Final = "input_audio_buffer_commit_empty"
"""The code of a commit with less than 0.1 s of audio to commit."""

_LONGEST: Final = 500  # characters of a message that are shown


@dataclass(frozen=True, slots=True)
class Reported:
    """An error as a server reports it; each part may be missing."""

    message: str = ""
    kind: str | None = None
    code: str | None = None


class _Row(NamedTuple):
    error: type[ProviderError]
    hint: str | None = None
    retry_after: float | None = None


_REQUEST: Final = _Row(InvalidRequestError, "Change what the message names, in the provider's settings or the options.")
_KEY: Final = _Row(AuthenticationError, "Check api_key, {key}.")
_QUOTA: Final = _Row(QuotaExceededError, "Add credit, or raise the limit of the project.")
_RATE: Final = _Row(RateLimitedError, "Run fewer at once, or have the limit raised.")
_FAILED: Final = _Row(ServiceUnavailableError)

_BY_CODE: Final[Mapping[str, _Row]] = {
    "invalid_api_key": _KEY,
    "insufficient_quota": _QUOTA,
    "billing_hard_limit_reached": _QUOTA,
    "billing_not_active": _QUOTA,
    "rate_limit_exceeded": _RATE,
    "session_expired": _Row(SessionExpiredError, retry_after=0.0),
    "model_not_found": _Row(InvalidRequestError, "Name a model that the server has: see the setting `model`."),
    "processing_error": _FAILED,  # vLLM: its engine failed (its source)
}
_BY_KIND: Final[Mapping[str, _Row]] = {
    "authentication_error": _KEY,
    "permission_error": _KEY,
    "insufficient_quota": _QUOTA,
    "rate_limit_error": _RATE,
    "server_error": _FAILED,
    "api_error": _FAILED,
    "transcription_error": _FAILED,
}
_BY_STATUS: Final[Mapping[int, _Row]] = {
    401: _KEY,
    402: _QUOTA,
    403: _KEY,
    404: _Row(InvalidRequestError, "Look at base_url and model: the server knows no such address, or no such model."),
    408: _FAILED,
    409: _FAILED,
    413: _Row(InvalidRequestError, "Send less at once: see the setting `longest_piece`."),
    425: _FAILED,
    429: _RATE,
    499: _FAILED,  # whisper.cpp: it was told to stop
}


def reported(body: object) -> Reported | None:
    """The error that a message or an answer holds, in whichever shape; None if it holds none."""
    if not isinstance(body, Mapping) or body.get("error") is None:
        return None
    error = body["error"]
    if isinstance(error, Mapping):
        return Reported(_text(error, "message") or "", _text(error, "type"), _text(error, "code"))
    return Reported(str(error), None, _text(body, "code"))


def provider_error(error: Reported, title: str, env: str | None = None) -> ProviderError:
    """The typed error for one reported on a stream, or in an answer that calls itself a success.

    `env` is the environment variable of the key, if there must be one.
    """
    row = _BY_CODE.get(error.code or "") or _BY_KIND.get(error.kind or "")
    if row is None:
        row = _FAILED if error.kind is None and error.code is None else _REQUEST
    return _error(row, error, title, env, None, row.retry_after)


def http_error(
    status: int, body: bytes, retry_after: float | None, title: str, env: str | None = None
) -> ProviderError:
    """The typed error for an HTTP answer that is none of success. `env` as for `provider_error`."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    error = reported(said)
    if error is None and isinstance(said, Mapping):  # vLLM leaves the envelope out, FastAPI has its own
        message = _text(said, "message") or _text(said, "detail")
        error = Reported(message, _text(said, "type")) if message is not None else None
    if error is None:  # a proxy in between may say anything
        error = Reported(body[: 4 * _LONGEST].decode("utf-8", "replace"))
    row = _BY_CODE.get(error.code or "") or _BY_STATUS.get(status)
    if row is None:
        row = _REQUEST if 300 <= status < 500 else _FAILED
    return _error(row, error, title, env, status, retry_after)


def _error(
    row: _Row, error: Reported, title: str, env: str | None, status: int | None, retry_after: float | None
) -> ProviderError:
    said = " ".join(redact(error.message).split())[:_LONGEST]
    code = error.code or error.kind
    key = "which this server asks for" if env is None else f"which by default comes from the variable {env}"
    name = " ".join(str(part)[:80] for part in (status, code) if part is not None)
    return row.error(
        f"{title} answered {name or 'with an error'}" + (f": {said}" if said else "."),
        code=str(status) if status is not None else code,
        retry_after=retry_after,
        hint=row.hint.format(key=key) if row.hint is not None else None,
    )


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return str(value) if isinstance(value, str | int) and value != "" else None
