"""`VllmSession`: a Realtime session of vLLM, which means other things by the same names."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from debabelizer.audio.format import AudioFormat
from debabelizer.results import Word
from debabelizer.testing.kit.speech import CodedWords
from debabelizer_openai.simulator.behaviour import Behaviour
from debabelizer_openai.simulator.realtime import Session

__all__ = ["VllmSession"]

_STEP: Final = 0.08  # seconds of audio for which the model makes a step


class VllmSession(Session):
    """Audio is heard between a commit and a final one; what comes outside of that is lost."""

    def __init__(self, query: Mapping[str, str], behaviour: Behaviour) -> None:
        super().__init__(query, behaviour)
        self._format = AudioFormat()
        self._model: str | None = None
        self._ear = CodedWords(self._format)
        self._words: list[Word] = []
        self._queue = b""
        self._is_begun = False
        self._is_ending = False
        self._steps = 0
        self._count = 0

    def begin(self) -> None:
        """See `Session`."""
        self.say("session.created", id="sess-1", created=0)

    def handle(self, event: Mapping[str, Any]) -> None:
        """See `Session`."""
        match event.get("type"):
            case "session.update":
                self._model = event["model"]
            case "input_audio_buffer.append":
                if not (audio := b64decode(event["audio"])):
                    self.say("error", error="Invalid audio data", code="invalid_audio")
                self._queue += audio
                self._work()
            case "input_audio_buffer.commit" if self._model is None:
                self.say("error", error="Model not validated.", code="model_not_validated")
            case "input_audio_buffer.commit" if event.get("final"):
                self._is_ending = True
                delay = self._behaviour.delays[self._count % len(self._behaviour.delays)]
                self.later(delay, self._finish)
            case "input_audio_buffer.commit":
                self._is_begun = True  # while one is under way, this is passed over
                self._work()
            case kind:
                self.say("error", error=f"Unknown event type: {kind}", code="unknown_event")

    def _work(self) -> None:
        if not self._is_begun or self._is_ending:
            return
        audio, self._queue = self._queue, b""
        words = self._ear.hear(audio)
        self._words += words
        for _ in range(self._steps, round(self._ear.seconds / _STEP)):
            self._steps += 1
            self.say("transcription.delta", delta=f" {words.pop(0).text}" if words else "")
        for word in words:
            self.say("transcription.delta", delta=f" {word.text}")

    def _finish(self) -> None:
        self._words += self._ear.finish()
        self.say("transcription.done", text=" ".join(word.text for word in self._words), usage={"total_tokens": 0})
        self._ear, self._words, self._queue, self._steps = CodedWords(self._format), [], b"", 0
        self._is_begun = self._is_ending = False
        self._count += 1
