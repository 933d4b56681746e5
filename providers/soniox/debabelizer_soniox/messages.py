"""What Soniox sends: JSON objects with tokens, counters, errors. Checked here, so that nothing behind is surprised.

Every member may be missing or null, and unknown ones are ignored; one of the wrong type is a broken protocol.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from msgspec import DecodeError, Meta, Struct, ValidationError, convert
from msgspec.json import Decoder

from debabelizer.errors import ProtocolError
from debabelizer_soniox.faults import Fault

__all__ = [
    "END",
    "FIN",
    "TRANSLATION",
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

TRANSLATION: Final = "translation"
"""Status of a token that belongs to the translation."""

MemberT = TypeVar("MemberT")

_Amount: TypeAlias = Annotated[float, Meta(ge=0)]


class Token(Struct, frozen=True, gc=False):
    """A piece of a word, as sent: the white space before a word is part of its first token.

    Attributes:
        text: What was said, or a marker.
        is_final: Whether it can no longer change.
        start_ms, end_ms: Milliseconds on the connection's clock; None on markers and translations.
        confidence, speaker, language: None if not sent.
        translation_status: See `translated`.
    """

    text: str | None = None
    is_final: bool | None = None
    start_ms: _Amount | None = None
    end_ms: _Amount | None = None
    confidence: float | None = None
    speaker: str | None = None
    language: str | None = None
    translation_status: str | None = None

    @property
    def translated(self) -> bool:
        """Whether it belongs to the translation and not to what was said."""
        return self.translation_status == TRANSLATION


class Message(Struct, gc=False, rename={"final_ms": "final_audio_proc_ms", "total_ms": "total_audio_proc_ms"}):
    """A message of the real-time service, member for member.

    Attributes:
        tokens: New final tokens, then all that is not final now.
        final_ms, total_ms: Milliseconds covered by final tokens, and by all; None if not sent.
        finished: Whether the session is complete.
        error_code: In quotes too: one client was found to reckon with it.
        error_type, error_message, request_id: See `Fault`.
    """

    tokens: tuple[Token, ...] | None = None
    final_ms: _Amount | None = None
    total_ms: _Amount | None = None
    finished: bool | None = None
    error_code: int | str | None = None
    error_type: str | None = None
    error_message: str | None = None
    request_id: str | None = None

    @property
    def final(self) -> float | None:
        """Connection seconds covered by final tokens."""
        return _seconds(self.final_ms)

    @property
    def total(self) -> float | None:
        """Connection seconds covered by all tokens."""
        return _seconds(self.total_ms)

    @property
    def reached(self) -> float | None:
        """How far the service has listened, in connection seconds; None if not sent."""
        if self.final_ms is None or self.total_ms is None:
            return self.total if self.final_ms is None else self.final
        return max(self.final_ms, self.total_ms) / 1000

    @property
    def fault(self) -> Fault | None:
        """The error it reports. Any one of three members makes one: older ones have no type, one page shows no code."""
        if self.error_code is None and self.error_type is None and self.error_message is None:
            return None
        code = None if self.error_code is None else int(self.error_code)
        return Fault(code, self.error_type, self.error_message, self.request_id)


_message: Final = Decoder(Message)


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
    try:
        message = _message.decode(frame)
    except ValidationError as error:
        raise ProtocolError(f"Soniox sent a frame that breaks its protocol: {error}.") from None
    except (DecodeError, RecursionError):
        raise ProtocolError(f"Soniox sent a frame of {len(frame)} characters that is not JSON.") from None
    if isinstance(code := message.error_code, str) and not (code.isdecimal() and len(code) < 10):
        raise ProtocolError("Soniox sent an `error_code` that is no number.")
    return message


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
    try:
        return convert(tokens, tuple[Token, ...])
    except ValidationError as error:
        raise ProtocolError(f"Soniox sent tokens that break its protocol: {error}.") from None


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
    return Job(status, _seconds(_amount(body, "audio_duration_ms")), fault)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _member(body: Mapping[str, Any], name: str, kind: type[MemberT]) -> MemberT | None:
    value = body.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise ProtocolError(f"Soniox sent a {type(value).__name__} as {name!r}, which is a {kind.__name__}.")


def _amount(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ProtocolError(f"Soniox sent a {type(value).__name__} as {name!r} that is no usable number.")
    return float(value)
