"""`TurnRecognizer`: raw audio in, the messages of a Flux stream out. It knows no socket and no clock."""

from __future__ import annotations

from typing import Any

from debabelizer.testing.audio import RawAudio
from debabelizer.testing.script import Ear, SpokenWord
from debabelizer_deepgram.simulator.behaviour import Behaviour
from debabelizer_deepgram.simulator.nova import Message
from debabelizer_deepgram.simulator.query import Query
from debabelizer_deepgram.simulator.texts import guess, languages, transcript

__all__ = ["TurnRecognizer"]


class TurnRecognizer:
    """Recognizes the audio of one connection, a step at a time. Its only clock is the audio."""

    def __init__(self, query: Query, behaviour: Behaviour, raw: RawAudio, ear: Ear, request_id: str) -> None:
        self._query = query
        self._behaviour = behaviour
        self._raw = raw
        self._ear = ear
        self._request_id = request_id
        self._silence = behaviour.turn_silence if (query.number("eot_threshold", 0.5, 1.0) or 0.7) < 1.0 else None
        self._timeout = (query.number("eot_timeout_ms", 500, 60_000) or 5000.0) / 1000
        self._eager = behaviour.eager_silence if query.get("eager_eot_threshold") else None
        self._step = max(round(behaviour.step * raw.sample_rate), 1) * raw.frame_bytes
        self._unheard = b""
        self._bytes = 0
        self._sequence = 0
        self._turn = 0
        self._start: float | None = None  # of the open turn
        self._words: list[SpokenWord] = []  # whole words of the open turn
        self._announced = False

    @property
    def seconds(self) -> float:
        """How far it has transcribed."""
        return self._bytes / self._raw.bytes_per_second

    def connected(self) -> Message:
        """The first message."""
        return self._numbered({"type": "Connected"})

    def hear(self, audio: bytes) -> list[Message]:
        """Recognize more audio."""
        messages = []
        self._unheard += audio
        while len(self._unheard) >= self._step:
            piece, self._unheard = self._unheard[: self._step], self._unheard[self._step :]
            self._listen(piece)
            messages.append(self._look())
        return messages

    def force_end(self) -> list[Message]:
        """`ForceEndTurn`: ends the turn on what was transcribed so far; ignored when there is none."""
        return [] if self._start is None else [self._end("manual")]

    def close(self) -> list[Message]:
        """`CloseStream`: what is left of the audio. The turn stays open, and no summary follows."""
        piece, self._unheard = self._unheard, b""
        self._listen(piece)
        self._words += self._ear.flush()
        return [self._look(ends=False)]

    def error(self, code: str, description: str) -> Message:
        """An error, after which the connection closes."""
        return self._numbered({"type": "Error", "code": code, "description": description})

    def _listen(self, audio: bytes) -> None:
        self._bytes += len(audio)
        self._words += self._ear.hear(audio)

    def _look(self, *, ends: bool = True) -> Message:
        """What there is to say now: one thing."""
        partial = guess(self._ear.partial)
        if self._start is None:
            if not self._words and not partial:
                return self._info("Update", [])
            self._start = (self._words or partial)[0].start
            return self._info("StartOfTurn", [*self._words, *partial])
        silence = self.seconds - self._words[-1].end if self._words and self._ear.speaking_since is None else 0.0
        if ends and self._silence is not None and silence >= self._silence:
            return self._end("model")
        if ends and silence >= self._timeout:
            return self._end("timeout")
        if self._eager is not None and (silence >= self._eager) != self._announced:
            self._announced = not self._announced
            event = "EagerEndOfTurn" if self._announced else "TurnResumed"
            return self._info(event, [*self._words, *partial])
        return self._info("Update", [*self._words, *partial])

    def _end(self, trigger: str) -> Message:
        message = self._info("EndOfTurn", self._words) | {"trigger": trigger, "end_of_turn_confidence": 0.9}
        self._turn += 1
        self._start, self._words, self._announced = None, [], False
        return message

    def _info(self, event: str, words: list[SpokenWord]) -> Message:
        return self._numbered(
            {
                "type": "TurnInfo",
                "event": event,
                "turn_index": self._turn,
                "audio_window_start": round(self._start or 0.0, 6),
                "audio_window_end": round(self.seconds, 6),
                "transcript": transcript(words),
                "words": [self._word(word) for word in words],
                "end_of_turn_confidence": 0.1,
                **({"languages": languages(words)} if self._query.is_multilingual and words else {}),
            }
        )

    def _word(self, word: SpokenWord) -> dict[str, Any]:
        times = {"start": round(word.start, 6), "end": round(word.end, 6)} if self._behaviour.word_times else {}
        return {"word": word.text, "confidence": word.confidence, **times}

    def _numbered(self, message: Message) -> Message:
        self._sequence += 1
        return {**message, "request_id": self._request_id, "sequence_id": self._sequence - 1}
