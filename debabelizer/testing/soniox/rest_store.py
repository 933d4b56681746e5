"""What the file API holds: files and transcriptions, and how a transcription comes about."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from debabelizer.testing.audio import AudioInput, NotAudioError
from debabelizer.testing.script import Line, Words
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.config import StartRequest
from debabelizer.testing.soniox.errors import Refused, error_reply, undecodable
from debabelizer.testing.soniox.tokens import Tokenizer

__all__ = ["StoredFile", "StoredTranscription", "recognize", "timestamp"]

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def timestamp(seconds: float) -> str:
    """Seconds of the simulator's clock as a time of day; the date means nothing."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was uploaded."""

    filename: str
    content: bytes = field(repr=False)
    created_at: str
    client_reference_id: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "filename": self.filename,
            "size": len(self.content),
            "created_at": self.created_at,
            "client_reference_id": self.client_reference_id,
        }


@dataclass(slots=True)
class StoredTranscription:
    """A transcription: ``queued``, ``processing``, then ``completed`` or ``error``.

    It moves on each time it is looked at, so that no test has to wait.

    Attributes:
        request: What the client asked for.
        created_at: When.
        polls: How often it is still looked at before it is done.
        tokens: What was recognized, in the end.
        duration: Seconds of audio.
        error: Type and message, if it failed.
    """

    request: Mapping[str, Any]
    created_at: str
    polls: int
    filename: str
    tokens: list[dict[str, Any]] = field(default_factory=list, repr=False)
    duration: float = 0.0
    error: tuple[str, str] | None = None
    status: str = "queued"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def look(self) -> None:
        """Somebody asks how far it is."""
        if self.polls > 0:
            self.polls -= 1
            self.status = "processing"
        else:
            self.status = "error" if self.error else "completed"

    @property
    def text(self) -> str:
        """The transcript, without translations."""
        spoken = (token for token in self.tokens if token.get("translation_status") != "translation")
        return "".join(token["text"] for token in spoken)

    def json(self) -> dict[str, Any]:
        """As the API shows it."""
        done = self.status in ("completed", "error")
        error_type, error_message = self.error if self.error and done else (None, None)
        return {
            "id": self.id,
            "status": self.status,
            "created_at": self.created_at,
            "model": self.request["model"],
            "audio_url": self.request.get("audio_url"),
            "file_id": self.request.get("file_id"),
            "filename": self.filename,
            "language_hints": self.request.get("language_hints"),
            "enable_speaker_diarization": bool(self.request.get("enable_speaker_diarization")),
            "enable_language_identification": bool(self.request.get("enable_language_identification")),
            "audio_duration_ms": int(self.duration * 1000) if self.status == "completed" else None,
            "error_type": error_type,
            "error_message": error_message,
            "client_reference_id": self.request.get("client_reference_id"),
        }


def recognize(
    content: bytes, options: Mapping[str, Any], words: Words, behaviour: Behaviour
) -> tuple[list[dict[str, Any]], float]:
    """Recognize a whole file; its format is always found out from its header.

    Returns:
        The tokens, and seconds of audio.

    Raises:
        Refused: If it is not audio.
    """
    stream = AudioInput("auto")
    try:
        audio = stream.feed(content)
    except NotAudioError as error:
        raise Refused(undecodable(error)) from None
    if stream.raw is None:
        raise Refused(error_reply(400, "Audio decode error"))
    ear = words.listen(Line(stream.raw, stream.audible))
    tokenizer = Tokenizer(StartRequest(model="", **options), behaviour)
    tokens: list[dict[str, Any]] = []
    for word in [*ear.hear(audio), *ear.flush()]:
        for token in tokenizer.tokens(word):
            tokens += [token.final, *token.translation]
    shown = [{name: value for name, value in token.items() if name != "is_final"} for token in tokens]
    return shown, len(audio) / stream.raw.bytes_per_second
