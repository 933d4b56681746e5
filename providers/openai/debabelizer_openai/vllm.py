"""`VllmDialect`: the Realtime sessions of vLLM, without I/O.

The names are OpenAI's, the meanings are not (documentation and source of vLLM): audio has 16 kHz, ``commit`` begins
an utterance, ``commit`` with ``final`` ends it, and ``transcription.done`` answers that. An utterance has no end but
the one that is asked for, and nothing is final before, so they are ended here, at pauses. What is sent between the end
of one and its answer would be thrown away, so it is held back until then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProviderError
from debabelizer.provider import Request
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Dialect,
    Finished,
    Flushed,
    Frame,
    Hypothesis,
    Opening,
    Processed,
    Ready,
    Reply,
    SpeechStart,
)
from debabelizer_openai.faults import Reported, http_error, provider_error, reported
from debabelizer_openai.messages import COMMIT, append, frame, longer, parse, text
from debabelizer_openai.pauses import PauseFinder, Stretch
from debabelizer_openai.requests import authorization, realtime_url
from debabelizer_openai.settings import VllmRealtimeSettings

__all__ = ["VllmDialect"]

_TITLE: Final = "vLLM"
_END: Final = frame("input_audio_buffer.commit", final=True)
_LONGEST_SILENCE: Final = 20.0  # seconds after which an utterance without a word is ended: a model has its limits
_LEAST: Final = 0.1  # seconds of audio in an utterance: of none at all vLLM would make an error


class VllmDialect(Dialect):
    """One session.

    Args:
        request: What is asked for.
        audio_format: What will be sent.

    Raises:
        AuthenticationError: If there is a key that no header can hold.
    """

    def __init__(self, request: Request[VllmRealtimeSettings], audio_format: AudioFormat) -> None:
        settings = request.settings
        self._opening = Opening(
            url=realtime_url(settings.base_url),
            headers=authorization(settings.api_key, provider="vllm_realtime", env=None),
            frames=(frame("session.update", model=settings.model), COMMIT),
            awaits_ready=True,
        )
        self._format = audio_format
        self._finder = PauseFinder(audio_format, settings.pause)
        self._ends_utterances = request.endpointing
        self._waiting: deque[Stretch | None] = deque()  # not sent yet; None asks for the end of the utterance
        self._news: list[ConnectionEvent] = []
        self._is_open = True  # an utterance is begun, and its end was not asked for
        self._size = 0  # bytes sent
        self._first = 0  # of them before the utterance
        self._said = 0.0  # where the last utterance ended
        self._begun: float | None = None
        self._deltas = ""
        self._flushes: deque[int] = deque()  # for each, bytes that must be final first
        self._has_ended = False

    def open(self) -> Opening:
        """See `Dialect`."""
        return self._opening

    def audio(self, chunk: bytes) -> Sequence[Frame]:
        """See `Dialect`."""
        self._waiting += self._finder.feed(chunk)
        return list(self._due())

    def flush(self, trailing_silence: float) -> Sequence[Frame]:  # noqa: ARG002 - it makes no difference here
        """See `Dialect`."""
        self._stop()
        waiting = sum(len(stretch.audio) for stretch in self._waiting if stretch is not None)
        self._flushes.append(self._size + waiting)
        return list(self._due())

    def end(self) -> Sequence[Frame]:
        """See `Dialect`."""
        self._has_ended = True
        self._stop()
        return list(self._due())

    def refused(self, status: int, body: bytes, retry_after: float | None) -> ProviderError:
        """See `Dialect`."""
        return http_error(status, body, retry_after, _TITLE)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        """See `Dialect`."""
        event = parse(frame)
        news, self._news = self._news, []
        match event["type"]:
            case "session.created":
                return [*news, Ready()]
            case "transcription.delta":
                # One comes for each step of the model, also in silence (its source): a sign of life.
                self._deltas = longer(self._deltas, text(event, "delta"))
                shown = Hypothesis(text=self._deltas.strip(), final=False, start=self._begun)
                return [*news, *((shown,) if text(event, "delta").strip() else ()), Processed(self._sent)]
            case "transcription.done":
                return [*news, *self._done(text(event, "text").strip())]
            case "error":
                raise provider_error(reported(event) or Reported(), _TITLE)
        return news  # newer than this dialect

    @property
    def _sent(self) -> float:
        return self._format.seconds(self._size)

    def _stop(self) -> None:
        """Ask for the end of the utterance, behind everything there is."""
        rest = self._finder.stop()
        self._waiting += (Stretch(rest, 0.0), None)

    def _due(self) -> Iterator[Frame]:
        """What may be sent now."""
        while self._waiting and self._is_open:
            stretch = self._waiting.popleft()
            if stretch is not None:
                if stretch.begun is not None:
                    self._begun = stretch.begun
                    self._news.append(SpeechStart(stretch.begun))
                if stretch.audio:
                    self._size += len(stretch.audio)
                    yield append(stretch.audio)
                if not stretch.over and not self._is_silent_for_long():
                    continue
            elif (lacking := round(_LEAST * self._format.sample_rate) - self._frames) > 0:
                yield append(bytes(lacking * self._format.frame_bytes))
            self._is_open = False
            yield _END

    @property
    def _frames(self) -> int:
        """Samples of the utterance."""
        return (self._size - self._first) // self._format.frame_bytes

    def _is_silent_for_long(self) -> bool:
        return self._begun is None and self._frames > _LONGEST_SILENCE * self._format.sample_rate

    def _done(self, transcript: str) -> Iterator[ConnectionEvent | Reply]:
        """The utterance is over; what was held back begins the next one."""
        start = max(self._said if self._begun is None else self._begun, self._said)
        self._said = max(start, self._sent)
        if transcript:
            yield Hypothesis(
                text=transcript, final=True, start=start, end=self._said, ends_utterance=self._ends_utterances
            )
        if self._deltas.strip():
            yield Hypothesis(text="", final=False)
        yield Processed(self._said, final=True)
        self._begun, self._deltas, self._first = None, "", self._size
        while self._flushes and self._flushes[0] <= self._size:
            self._flushes.popleft()
            yield Flushed()
        if self._has_ended and not self._waiting:
            yield Finished(self._sent)
            return
        self._is_open = True
        yield Reply((COMMIT, *self._due()))
