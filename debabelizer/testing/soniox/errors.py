"""The error frames of the service, row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from debabelizer.testing.audio import NotAudioError

__all__ = ["ERRORS", "ErrorReply", "Refused", "error_reply", "undecodable"]


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """What the service answers when it refuses to go on.

    Attributes:
        code: Like an HTTP status.
        type: The stable name that clients branch on.
        message: Wording that may change.
    """

    code: int
    type: str
    message: str

    def frame(self, request_id: str, *, tokens: bool = True, modern: bool = True) -> dict[str, Any]:
        """The frame on the WebSocket.

        Args:
            request_id: What the service calls this session.
            tokens: Whether it carries an empty list of tokens; both have been seen.
            modern: Without it, the frame has only the members of 2025: a code and a message.
        """
        frame: dict[str, Any] = {"tokens": []} if tokens else {}
        frame["error_code"] = self.code
        if modern:
            frame["error_type"] = self.type
        frame["error_message"] = self.message
        if modern:
            frame["more_info"] = f"https://soniox.com/docs/api-reference/errors#{self.type}"
            frame["request_id"] = request_id
        return frame


class Refused(Exception):
    """Ends the work on a request with an error reply."""

    def __init__(self, reply: ErrorReply) -> None:
        super().__init__(reply.message)
        self.reply = reply


ERRORS: Final = (
    ErrorReply(400, "invalid_request", "Invalid model specified."),
    ErrorReply(401, "unauthenticated", "Invalid API key."),
    ErrorReply(401, "temp_api_key_invalid", "Invalid/expired temporary API key."),
    ErrorReply(401, "temp_api_key_expired", "Invalid/expired temporary API key."),
    ErrorReply(401, "temp_api_key_usage_type_mismatch", "Temporary API key was not made for this usage."),
    ErrorReply(402, "organization_balance_exhausted", "Organization balance exhausted."),
    ErrorReply(402, "organization_monthly_budget_exhausted", "Organization monthly budget exhausted."),
    ErrorReply(402, "project_monthly_budget_exhausted", "Project monthly budget exhausted."),
    ErrorReply(403, "permission_denied", "The API key lacks the permission for this request."),
    ErrorReply(403, "temp_api_key_session_expired", "Temporary API key session expired."),
    ErrorReply(408, "request_timeout", "Request timeout."),
    ErrorReply(413, "max_duration_reached", "Maximum stream duration reached."),
    ErrorReply(429, "limit_exceeded", "Rate limit for your project has been exceeded."),
    ErrorReply(500, "internal_error", "The server had an error processing your request."),
    ErrorReply(503, "service_unavailable", "Cannot continue request (code 4). Please restart the request."),
)
"""Every row of the service's table of errors, with a typical message."""


def error_reply(which: int | str, message: str | None = None) -> ErrorReply:
    """The first row with that code, or the row of that type; with another message if one is given.

    Raises:
        ValueError: If there is no such row.
    """
    for row in ERRORS:
        if which in (row.code, row.type):
            return row if message is None else replace(row, message=message)
    raise ValueError(f"no error {which!r}; there are {', '.join(f'{row.code} {row.type}' for row in ERRORS)}")


def undecodable(error: NotAudioError) -> ErrorReply:
    """What the service says of bytes that are no audio: at once of a broken file, after a while of what is unknown."""
    if error.container is None:
        return error_reply(408, "Audio data decode timeout")
    return error_reply(400, "Audio decode error")
