"""What Soniox sends: JSON objects with tokens, counters, errors. Checked here, so that nothing behind is surprised.

Every member may be missing or null, and unknown ones are ignored; one of the wrong type is a broken protocol.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from debabelizer.errors import ProtocolError
from debabelizer_soniox.faults import Fault

__all__ = [
    "END",
    "FIN",
    "Job",
    "Message",
    "Token",
    "list_member",
    "parse_job",
    "parse_message",
    "parse_object",
    "parse_tokens",
    "text_member",
]

END: Final = "<end>"
"""Text of the token that ends an utterance."""

FIN: Final = "<fin>"
"""Text of the token that answers a finalize."""

MemberT = TypeVar("MemberT")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a word, as sent: the white space before a word is part of its first token.

    Attributes:
        text: What was said, or a marker.
        final: Whether it can still change.
        start, end: Connection seconds; None on markers and translations.
        confidence, speaker, language: None if not sent.
        translated: Whether it belongs to the translation and not to what was said.
    """

    text: str
    final: bool = True
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    speaker: str | None = None
    language: str | None = None
    translated: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the real-time service.

    Attributes:
        tokens: New final tokens, then all that is not final now.
        final, total: Connection seconds covered by final tokens, and by all; None if not sent.
        finished: Whether the session is complete.
        fault: The error it reports, or None.
    """

    tokens: tuple[Token, ...] = ()
    final: float | None = None
    total: float | None = None
    finished: bool = False
    fault: Fault | None = None

    @property
    def reached(self) -> float | None:
        """How far the service has listened, in connection seconds; None if not sent."""
        return max((position for position in (self.final, self.total) if position is not None), default=None)


@dataclass(frozen=True, slots=True)
class Job:
    """The state of a file's transcription.

    Attributes:
        status: ``queued``, ``processing``, ``completed`` or ``error``.
        duration: Seconds of audio, once completed.
        fault: Why it is in error.
    """

    status: str
    duration: float | None = None
    fault: Fault | None = None


def parse_message(frame: str | bytes) -> Message:
    """Read a frame of the real-time service.

    Raises:
        ProtocolError: If it is none.
    """
    if not isinstance(frame, str):
        raise ProtocolError(f"Soniox sent a binary frame of {len(frame)} bytes; it speaks text only.")
    body = parse_object(frame, "a frame")
    return Message(
        tokens=parse_tokens(list_member(body, "tokens")),
        final=_seconds(body, "final_audio_proc_ms"),
        total=_seconds(body, "total_audio_proc_ms"),
        finished=_member(body, "finished", bool) or False,
        fault=_fault(body),
    )


def parse_object(text: str | bytes, what: str) -> Mapping[str, Any]:
    """Read a JSON object; `what` names it in errors.

    Raises:
        ProtocolError: If it is none. The text is not repeated: it may be long, and may hold anything.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise ProtocolError(f"Soniox sent {what} of {len(text)} characters that is not JSON.") from None
    if not isinstance(body, dict):
        raise ProtocolError(f"Soniox sent {what} with a JSON {type(body).__name__} where an object belongs.")
    return body


def parse_tokens(tokens: Sequence[Any]) -> tuple[Token, ...]:
    """Read tokens.

    Raises:
        ProtocolError: If one is none.
    """
    return tuple(_token(token) for token in tokens)


def list_member(body: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list, empty if it is not there.

    Raises:
        ProtocolError: If it is something else.
    """
    return _member(body, name, list) or ()


def text_member(body: Mapping[str, Any], name: str) -> str:
    """A text that must be there.

    Raises:
        ProtocolError: If it is not.
    """
    text = _member(body, name, str)
    if not text:
        raise ProtocolError(f"Soniox sent no {name!r}.")
    return text


def parse_job(body: Mapping[str, Any]) -> Job:
    """Read the state of a file's transcription.

    Raises:
        ProtocolError: If it is none, or in a state that is not known.
    """
    status = text_member(body, "status")
    if status not in {"queued", "processing", "completed", "error"}:
        raise ProtocolError(f"Soniox sent the unknown state {status[:20]!r} of a transcription.")
    fault = None
    if status == "error":
        fault = Fault(kind=_member(body, "error_type", str), message=_member(body, "error_message", str))
    return Job(status, _seconds(body, "audio_duration_ms"), fault)


def _token(body: Any) -> Token:
    if not isinstance(body, dict):
        raise ProtocolError(f"Soniox sent a {type(body).__name__} where a token belongs.")
    return Token(
        text=_member(body, "text", str) or "",
        final=_member(body, "is_final", bool) or False,
        start=_seconds(body, "start_ms"),
        end=_seconds(body, "end_ms"),
        confidence=_number(body, "confidence"),
        speaker=_member(body, "speaker", str),
        language=_member(body, "language", str),
        translated=_member(body, "translation_status", str) == "translation",
    )


def _fault(body: Mapping[str, Any]) -> Fault | None:
    """Any one of three members makes a message an error: older ones have no type, and one page shows no code."""
    code = body.get("error_code")
    if isinstance(code, str) and code.isdecimal():  # one client was found to reckon with digits in quotes
        code = int(code)
    elif code is not None and type(code) is not int:
        raise ProtocolError(f"Soniox sent a {type(code).__name__} as 'error_code'.")
    kind, message = _member(body, "error_type", str), _member(body, "error_message", str)
    if code is None and kind is None and message is None:
        return None
    return Fault(code=code, kind=kind, message=message, request_id=_member(body, "request_id", str))


def _member(body: Mapping[str, Any], name: str, kind: type[MemberT]) -> MemberT | None:
    value = body.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise ProtocolError(f"Soniox sent a {type(value).__name__} as {name!r}, which is a {kind.__name__}.")


def _number(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ProtocolError(f"Soniox sent a {type(value).__name__} as {name!r} that is no usable number.")
    return float(value)


def _seconds(body: Mapping[str, Any], name: str) -> float | None:
    milliseconds = _number(body, name)
    if milliseconds is not None and milliseconds < 0:
        raise ProtocolError(f"Soniox sent a negative {name!r}.")
    return None if milliseconds is None else milliseconds / 1000
