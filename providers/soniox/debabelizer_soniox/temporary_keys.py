"""Temporary keys: for clients that must not hold the permanent one, such as browsers and phones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from debabelizer.config import Secret
from debabelizer.errors import InvalidRequestError, ProtocolError
from debabelizer.rest import Json, open_session
from debabelizer_soniox.messages import text_member
from debabelizer_soniox.rest import open_client
from debabelizer_soniox.settings import SonioxSettings

__all__ = ["TemporaryKey", "create_temporary_key"]

_LONGEST_LIFE: Final = 3600
_LONGEST_SESSION: Final = 18_000


@dataclass(frozen=True, slots=True)
class TemporaryKey:
    """A key for opening streams until `expires_at`; a stream that runs then goes on."""

    api_key: Secret
    expires_at: datetime


async def create_temporary_key(
    settings: SonioxSettings,
    *,
    expires_in_seconds: int = 300,
    usage_type: Literal["transcribe_websocket", "tts_rt"] = "transcribe_websocket",
    single_use: bool = False,
    max_session_duration_seconds: int | None = None,
    client_reference_id: str | None = None,
) -> TemporaryKey:
    """Create a temporary key with the permanent one in `settings`.

    Args:
        settings: Say where and with which key.
        expires_in_seconds: How long it may open streams, 1 to 3600.
        usage_type: What for.
        single_use: Whether for one stream only.
        max_session_duration_seconds: Longest stream, 1 to 18000; a longer one is cut.
        client_reference_id: Your own mark in Soniox's usage logs, 1 to 256 characters; by default of `settings`.

    Raises:
        AuthenticationError: If the permanent key is refused, or lacks the permission.
        InvalidRequestError: If a limit is not kept.
        ProviderError: If Soniox fails.
    """
    _check("expires_in_seconds", expires_in_seconds, 1, _LONGEST_LIFE)
    body: dict[str, Any] = {"usage_type": usage_type, "expires_in_seconds": expires_in_seconds}
    if single_use:
        body["single_use"] = True
    if max_session_duration_seconds is not None:
        _check("max_session_duration_seconds", max_session_duration_seconds, 1, _LONGEST_SESSION)
        body["max_session_duration_seconds"] = max_session_duration_seconds
    reference = client_reference_id if client_reference_id is not None else settings.client_reference_id
    if reference is not None:
        _check("the length of client_reference_id", len(reference), 1, 256)
        body["client_reference_id"] = reference
    async with open_session() as session:
        answer = await open_client(session, settings).call("POST", "/auth/temporary-api-key", Json(body))
    return TemporaryKey(Secret(text_member(answer, "api_key")), _time(text_member(answer, "expires_at")))


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidRequestError(f"For Soniox {name} must be {low} to {high}, not {value}.", provider="soniox")


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ProtocolError("Soniox sent an 'expires_at' that is no time.") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
