"""`Recognizer`: raw audio in, responses out. What becomes final when, and how the counters move."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeAlias

from debabelizer.testing.audio import RawAudio
from debabelizer.testing.script import Ear, SpokenWord
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.config import StartRequest
from debabelizer.testing.soniox.tokens import END, FIN, Token, Tokenizer

__all__ = ["Recognizer", "Response"]

Response: TypeAlias = dict[str, Any]


class Recognizer:
    """Recognizes the audio of one connection.

    A response comes each time the audio clock passes a multiple of the cadence, so that the same audio gives
    the same responses, however it is cut into messages.
    """

    def __init__(self, request: StartRequest, behaviour: Behaviour, raw: RawAudio, ear: Ear) -> None:
        self._request = request
        self._behaviour = behaviour
        self._raw = raw
        self._ear = ear
        self._tokenizer = Tokenizer(request, behaviour)
        self._bytes = 0
        self._step = max(round(behaviour.cadence * raw.sample_rate), 1) * raw.frame_bytes
        self._due = self._step
        self._pending: deque[Token] = deque()  # heard whole, not final
        self._shown = False  # whether the last response had non-final tokens
        self._last_end = 0.0  # of the last word
        self._utterance = False  # words since the last <end>
        self._final = 0.0  # all words before it are final

    @property
    def seconds(self) -> float:
        """Where the audio clock stands."""
        return self._bytes / self._raw.bytes_per_second

    def hear(self, audio: bytes) -> list[Response]:
        """Recognize more audio."""
        responses = []
        while audio:
            room = self._due - self._bytes
            piece, audio = audio[:room], audio[room:]
            self._bytes += len(piece)
            self._add(self._ear.hear(piece))
            if self._bytes == self._due:
                self._due += self._step
                clears, response = self._shown, self._respond()
                if response["tokens"] or clears or self._behaviour.empty_responses:
                    responses.append(response)
        return responses

    def finalize(self) -> Response:
        """Make all words final that were heard whole. A word that is being heard stays pending."""
        tokens = [*self._finals(self.seconds), FIN]
        self._advance(self.seconds)
        return self._response(tokens)

    def finish(self) -> list[Response]:
        """The audio is over: what was not final yet, and the proof that everything was processed."""
        self._add(self._ear.flush())
        tokens = self._finals(self.seconds)
        self._final = self.seconds
        return [*([self._response(tokens)] if tokens else []), self.finished()]

    def finished(self) -> Response:
        """The last response, with the counters where they stand."""
        return {**self._response([]), "finished": True}

    def _add(self, words: list[SpokenWord]) -> None:
        for word in words:
            self._pending.extend(self._tokenizer.tokens(word))
            self._last_end = word.end
            self._utterance = True

    def _respond(self) -> Response:
        through = self.seconds - self._behaviour.final_delay
        ended = self._endpoint()
        finals = self._finals(self.seconds if ended else through)
        if ended:
            finals.append(END)
            self._utterance = False
        self._advance(self.seconds if ended else through)
        interims = [token.interim for token in self._pending if token.interim]
        if partial := self._ear.partial:
            interims += self._tokenizer.guess(partial)
        return self._response(finals + interims)

    def _endpoint(self) -> bool:
        """Whether the utterance ends here."""
        silence = min(self._behaviour.endpoint_silence, self._request.max_endpoint_delay)
        return (
            self._request.endpoint_detection
            and self._utterance
            and self._ear.speaking_since is None
            and self.seconds - self._last_end >= silence
        )

    def _finals(self, through: float) -> list[dict[str, Any]]:
        """Take the tokens that end before `through`: originals first, then their translations."""
        finals: list[dict[str, Any]] = []
        translations: list[dict[str, Any]] = []
        while self._pending and self._pending[0].end <= through:
            token = self._pending.popleft()
            finals.append(token.final)
            translations.extend(token.translation)
            self._final = max(self._final, token.end)
        return finals + translations

    def _advance(self, through: float) -> None:
        """Move the final position on through silence, up to the first speech that is not final."""
        if not self._behaviour.silence_is_final:
            return
        since = self._pending[0].start if self._pending else self._ear.speaking_since
        self._final = max(self._final, through if since is None else min(through, since))

    def _response(self, tokens: list[dict[str, Any]]) -> Response:
        self._shown = bool(tokens) and not tokens[-1]["is_final"]
        return {
            "tokens": tokens,
            "final_audio_proc_ms": int(self._final * 1000),
            "total_audio_proc_ms": int(self.seconds * 1000),
        }
