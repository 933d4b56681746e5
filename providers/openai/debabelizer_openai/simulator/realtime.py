"""`RealtimeSession`: a transcription session of OpenAI's Realtime API."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from debabelizer.audio.format import AudioFormat, Encoding
from debabelizer.results import Word
from debabelizer.testing.kit.speech import CodedWords
from debabelizer_openai.simulator.behaviour import Behaviour

__all__ = ["RealtimeSession", "Session"]

_FORMATS: Final[dict[str, tuple[Encoding, int]]] = {
    "audio/pcm": ("pcm_s16le", 24000),
    "audio/pcmu": ("mulaw", 8000),
    "audio/pcma": ("alaw", 8000),
}
_MODELS: Final = (
    "gpt-transcribe gpt-live-transcribe gpt-realtime-whisper gpt-4o-transcribe gpt-4o-mini-transcribe "
    "gpt-4o-transcribe-diarize whisper-1"
)
_LIVE: Final = ("gpt-live-transcribe", "gpt-realtime-whisper")
_STEP: Final = 0.02  # seconds of audio that voice activity looks at


class Session(ABC):
    """One stream.

    Attributes:
        query: Of its address.
        received: The client's events, but for the audio in them.
    """

    def __init__(self, query: Mapping[str, str], behaviour: Behaviour) -> None:
        self.query = query
        self.received: list[Mapping[str, Any]] = []
        self._behaviour = behaviour
        self._outbox: asyncio.Queue[str | int | None] = asyncio.Queue()
        self._timers: set[asyncio.TimerHandle] = set()
        self._said = 0

    @abstractmethod
    def begin(self) -> None:
        """The connection is open."""

    @abstractmethod
    def handle(self, event: Mapping[str, Any]) -> None:
        """Take an event of the client."""

    def receive(self, text: str) -> None:
        """Take a frame of the client."""
        event = json.loads(text)
        self.received.append({**event, "audio": "…"} if "audio" in event else event)
        self.handle(event)

    async def talk(self, socket: web.WebSocketResponse) -> None:
        """Send what is said, until it is stopped."""
        try:
            while (said := await self._outbox.get()) is not None:
                if isinstance(said, int):
                    await socket.close(code=said)
                else:
                    await socket.send_str(said)
        except ConnectionError:
            pass  # it is gone, which may happen at any time

    def stop(self) -> None:
        """Say no more."""
        for timer in self._timers:
            timer.cancel()
        self._outbox.put_nowait(None)

    def say(self, kind: str, **members: Any) -> None:
        """Say something."""
        self._said += 1
        self._outbox.put_nowait(json.dumps({"type": kind, "event_id": f"event_{self._said}", **members}))

    def hang_up(self, code: int) -> None:
        """Close the connection."""
        self._outbox.put_nowait(code)

    def later(self, delay: float, call: Callable[[], object]) -> None:
        """Do something after a while."""
        self._timers.add(asyncio.get_running_loop().call_later(delay, call))


class RealtimeSession(Session):
    """A transcription session: items by voice activity or by commits."""

    def __init__(self, query: Mapping[str, str], behaviour: Behaviour) -> None:
        super().__init__(query, behaviour)
        self._config: dict[str, Any] = {}
        self._format = AudioFormat("pcm_s16le", 24000)
        self._ear = CodedWords(self._format)
        self._words: list[Word] = []  # not committed yet
        self._committed = 0.0  # seconds of audio
        self._count = 0  # items
        self._about: str | None = None  # the client's own name for what it said last
        self._previous: str | None = None
        self._speaking = False
        self._quiet_since = 0.0

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self._input.get("transcription", {}).get("model", ""))

    @property
    def _input(self) -> Mapping[str, Any]:
        return dict(self._config.get("audio", {}).get("input", {}))

    def begin(self) -> None:
        """See `Session`."""
        self.say("session.created", session={"type": "transcription", "object": "realtime.transcription_session"})

    def handle(self, event: Mapping[str, Any]) -> None:
        """See `Session`."""
        self._about = event.get("event_id")
        match event.get("type"):
            case "session.update":
                self._update(event.get("session", {}))
            case "input_audio_buffer.append":
                try:
                    self._hear(b64decode(event["audio"], validate=True))
                except (Base64Error, KeyError):
                    self._refuse("invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.")
            case "input_audio_buffer.commit":
                self._commit_by_client()
            case kind:
                self._refuse("invalid_value", f"Invalid value: '{kind}'.")

    def _refuse(self, code: str | None, message: str, kind: str = "invalid_request_error") -> None:
        self.say(
            "error", error={"type": kind, "code": code, "message": message, "param": None, "event_id": self._about}
        )

    def _update(self, session: Mapping[str, Any]) -> None:
        if session.get("type") != "transcription" or self.query.get("intent") != "transcription":
            self._refuse("invalid_session_type", "Passing a transcription session update to another session.")
            return
        if "model" in self.query:
            self._refuse("invalid_session_type", "A model in the URL makes this a conversation.")
            return
        if "audio" in session:
            self._configure(session)
        self.say("session.updated", session={**self._config, "type": "transcription"})

    def _configure(self, session: Mapping[str, Any]) -> None:
        self._config = {**self._config, **session}
        encoding, rate = _FORMATS[self._input["format"]["type"]]
        if self.model not in _MODELS.split():
            self._refuse("model_not_found", f"The model '{self.model}' does not exist.")
        elif self.model in _LIVE and self._input.get("turn_detection") is not None:
            self._refuse("invalid_value", f"Turn detection is not supported with {self.model}.")
        elif self._format != (heard := AudioFormat(encoding, rate)):
            self._format, self._ear = heard, CodedWords(heard)

    def _hear(self, audio: bytes) -> None:
        step = self._format.frames(_STEP) * self._format.frame_bytes
        for at in range(0, len(audio), step):
            words = self._ear.hear(audio[at : at + step])
            self._words += words
            if self.model in _LIVE:
                for word in words:
                    self._delta(f"item_{self._count}", word)
            self._listen()
        limit = self._behaviour.session_seconds
        if limit is not None and self._ear.seconds >= limit:
            self._refuse("session_expired", "Your session hit the maximum duration of 60 minutes.")
            self.hang_up(1001)

    def _listen(self) -> None:
        """Voice activity."""
        detection = self._input.get("turn_detection")
        if detection is None:
            return
        now = self._ear.seconds
        if self._ear.speaking:
            self._quiet_since = now
            if not self._speaking:
                self._speaking = True
                start = max(now - _STEP - detection.get("prefix_padding_ms", 300) / 1000, self._committed)
                start_ms = round(start * 1000)
                self.say("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=f"item_{self._count}")
        elif self._speaking and now - self._quiet_since >= detection.get("silence_duration_ms", 500) / 1000:
            self._speaking = False
            self.say("input_audio_buffer.speech_stopped", audio_end_ms=round(now * 1000), item_id=f"item_{self._count}")
            self._commit()

    def _commit_by_client(self) -> None:
        if (size := self._ear.seconds - self._committed) < 0.1:
            message = (
                f"Error committing input audio buffer: buffer too small. It only has {size * 1000:.2f}ms of audio."
            )
            self._refuse("input_audio_buffer_commit_empty", message)
            return
        self._words += self._ear.finish()
        self._speaking = False
        self._commit()

    def _commit(self) -> None:
        number, item = self._count, f"item_{self._count}"
        self.say("input_audio_buffer.committed", item_id=item, previous_item_id=self._previous)
        self.say("conversation.item.added", previous_item_id=self._previous, item={"id": item, "type": "message"})
        words, self._words, self._committed = self._words, [], self._ear.seconds
        self._count, self._previous = number + 1, item
        delay = self._behaviour.delays[number % len(self._behaviour.delays)]
        self.later(delay, lambda: self._complete(number, item, words))

    def _complete(self, number: int, item: str, words: list[Word]) -> None:
        prefix = "conversation.item.input_audio_transcription"
        if (code := dict(self._behaviour.failures).get(number)) is not None:
            error = {"type": "transcription_error", "code": code, "message": "On purpose.", "param": None}
            self.say(f"{prefix}.failed", item_id=item, content_index=0, error=error)
            return
        if self.model not in _LIVE:
            for word in words:
                self._delta(item, word)
        members: dict[str, Any] = {"usage": {"type": "duration", "seconds": self._ear.seconds}}
        if self.model == "gpt-transcribe":
            members["languages"] = [{"code": self._behaviour.language[0]}] if words else []
        text = " ".join(word.text for word in words)
        self.say(f"{prefix}.completed", item_id=item, content_index=0, transcript=text, **members)

    def _delta(self, item: str, word: Word) -> None:
        kind = "conversation.item.input_audio_transcription.delta"
        self.say(kind, item_id=item, content_index=0, delta=f" {word.text}")
