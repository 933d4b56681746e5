"""`NovaRecognizer`: raw audio in, the messages of a Nova stream out. It knows no socket and no clock."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from debabelizer.testing.audio import RawAudio
from debabelizer.testing.script import Ear, SpokenWord
from debabelizer_deepgram.simulator.behaviour import Behaviour
from debabelizer_deepgram.simulator.query import Query
from debabelizer_deepgram.simulator.texts import Speakers, alternative, guess

__all__ = ["Message", "NovaRecognizer"]

Message = dict[str, Any]

_TICK: Final = 0.1  # seconds of audio from one look at it to the next


class NovaRecognizer:
    """Recognizes the audio of one connection.

    Windows cover the audio without a gap. What is in one is said again and again until the window becomes final: when
    somebody pauses, when it has become long, or when a flush asks for it.
    """

    def __init__(self, query: Query, behaviour: Behaviour, raw: RawAudio, ear: Ear, request_id: str) -> None:
        self._query = query
        self._behaviour = behaviour
        self._raw = raw
        self._ear = ear
        self._request_id = request_id
        self._speakers = Speakers()
        self._endpointing = query.number("endpointing", 0, 60_000) if query.get("endpointing") else 10.0
        self._utterance_end = query.number("utterance_end_ms", 1000, 5000)
        self._digest = sha256()
        self._bytes = 0
        self._due = self._tick = max(round(_TICK * raw.sample_rate), 1) * raw.frame_bytes
        self._window = 0.0  # where the window begins
        self._said = 0.0  # when the window was last spoken of
        self._pending: list[SpokenWord] = []  # whole words in the window
        self._last_end = 0.0  # of the last word
        self._utterance = False  # words since the last `speech_final`
        self._gap_open = False  # words since the last `UtteranceEnd`
        self._speech_told = False
        self._finals = 0

    @property
    def seconds(self) -> float:
        """Where the audio clock stands."""
        return self._bytes / self._raw.bytes_per_second

    def hear(self, audio: bytes) -> list[Message]:
        """Recognize more audio."""
        self._digest.update(audio)
        messages: list[Message] = []
        while audio:
            room = self._due - self._bytes
            piece, audio = audio[:room], audio[room:]
            self._bytes += len(piece)
            self._add(self._ear.hear(piece))
            if self._bytes == self._due:
                self._due += self._tick
                messages += self._look()
        return messages

    def finalize(self) -> list[Message]:
        """`Finalize`: answered, unless there is next to nothing to finalize."""
        if not self._pending and self.seconds - self._window < self._behaviour.finalize_least:
            return []
        return [self._final(self._settled(), from_finalize=True)]

    def close(self) -> list[Message]:
        """`CloseStream`: the rest, and the summary."""
        self._add(self._ear.flush())
        rest = [self._final(self.seconds)] if self._pending or self.seconds > self._window else []
        return [*rest, self.summary()]

    def summary(self) -> Message:
        """``Metadata``."""
        return {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self._request_id,
            "sha256": self._digest.hexdigest(),
            "created": "2026-01-01T00:00:00.000Z",
            "duration": round(self.seconds, 6),
            "channels": self._raw.channels,
        }

    def _add(self, words: list[SpokenWord]) -> None:
        for word in words:
            self._pending.append(word)
            self._last_end = word.end
            self._utterance = self._gap_open = True

    def _look(self) -> list[Message]:
        """What there is to say now."""
        now, messages = self.seconds, self._speech_started()
        silence = 0.0 if self._ear.speaking_since is not None else now - self._last_end
        if self._utterance and self._endpointing is not None and silence * 1000 >= self._endpointing:
            self._utterance = self._speech_told = False
            messages.append(self._final(now, speech_final=True))
        elif now - self._window >= self._behaviour.window and self._settled() > self._window:
            messages.append(self._final(self._shortened()))
        elif now - self._said >= self._behaviour.cadence and self._query.flag("interim_results"):
            messages.append(self._results(now, [*self._pending, *guess(self._ear.partial)]))
        if self._gap_open and self._utterance_end is not None and silence * 1000 >= self._utterance_end:
            self._gap_open = False
            messages.append({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": round(self._last_end, 6)})
        return messages

    def _speech_started(self) -> list[Message]:
        since = self._ear.speaking_since
        if not self._query.flag("vad_events") or since is None or self._speech_told:
            return []
        self._speech_told = True
        return [{"type": "SpeechStarted", "channel": [0, 1], "timestamp": round(since, 6)}]

    def _settled(self) -> float:
        """Up to where a window can become final: never within a word."""
        since = self._ear.speaking_since
        return self.seconds if since is None else max(since, self._window)

    def _shortened(self) -> float:
        """The end of a window that has become long: now and then it leaves its last word to the next one."""
        every = self._behaviour.short_finals
        self._finals += 1
        if every and len(self._pending) > 1 and self._finals % every == 0:
            return self._pending[-2].end
        return self._settled()

    def _final(self, through: float, *, speech_final: bool = False, from_finalize: bool = False) -> Message:
        words = [word for word in self._pending if word.end <= through]
        message = self._results(through, words, final=True, speech_final=speech_final, from_finalize=from_finalize)
        self._pending = self._pending[len(words) :]
        self._window = through
        return message

    def _results(
        self,
        through: float,
        words: list[SpokenWord],
        *,
        final: bool = False,
        speech_final: bool = False,
        from_finalize: bool = False,
    ) -> Message:
        self._said = self.seconds
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": round(self._window, 6),
            "duration": round(through - self._window, 6),
            "is_final": final,
            "speech_final": speech_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [alternative(words, self._query, self._speakers)]},
            "metadata": {
                "request_id": self._request_id,
                "model_info": {"name": self._query.model, "version": "simulated", "arch": "simulated"},
                "model_uuid": "00000000-0000-0000-0000-000000000000",
            },
        }
