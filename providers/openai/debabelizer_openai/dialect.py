"""`RealtimeDialect`: transcription sessions of OpenAI's Realtime API, without I/O.

There are no times of words and no word about progress, so positions are our own affair. They come from the bytes that
were sent when a commit was made, and from the milliseconds of the service's voice activity. Every 0.8 s of audio the
service is asked for something it must answer: ``session.update`` with nothing in it. Events are handled in order, so
the ``session.updated`` that answers proves that all audio before was taken; a refusal would prove it as well, and names
the event that it is about. The same question behind a commit tells that the commit was handled: which of the
``committed`` events is its answer could not be told otherwise.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProtocolError, ProviderError
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
    SpeechStart,
)
from debabelizer_openai.faults import EMPTY_COMMIT, Reported, http_error, provider_error, reported
from debabelizer_openai.items import Item, Items
from debabelizer_openai.languages import language_code
from debabelizer_openai.messages import COMMIT, append, frame, longer, parse, seconds, text
from debabelizer_openai.requests import headers, hears_pauses, realtime_url, session
from debabelizer_openai.settings import OpenAISettings

__all__ = ["RealtimeDialect"]

_QUESTION: Final = "question"
_ASK: Final = frame("session.update", event_id=_QUESTION, session={"type": "transcription"})
_ASK_AFTER: Final = 0.8  # seconds of audio: what is not known to be heard stays less than the core bears with
_LAG: Final = 1.5  # seconds by which the service may notice speech late (inference)
_PADDING: Final = 0.5  # seconds before speech that belong to it, if no others were asked for; OpenAI's default is 0.3
_UNINTELLIGIBLE: Final = "audio_unintelligible"  # nothing was said that can be written (documentation, an example)


@dataclass(frozen=True, slots=True)
class _Question:
    """A ``session.update`` that was sent: behind how many seconds of audio, and what its answer means."""

    at: float
    means: Literal["ready", "heard", "flushed", "ended"] = "heard"


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit of our own: where its utterance began, if that is known, and where it was made."""

    start: float | None
    end: float


class RealtimeDialect(Dialect):
    """One session.

    Args:
        request: What is asked for.
        audio_format: What will be sent.
        env: The environment variable of the key.

    Raises:
        AuthenticationError: If there is no usable key.
    """

    def __init__(self, request: Request[OpenAISettings], audio_format: AudioFormat, *, env: str | None) -> None:
        settings = request.settings
        query = {"intent": "transcription"} | ({"model": settings.model} if settings.model_in_url else {})
        self._opening = Opening(
            url=realtime_url(settings.base_url, **query),
            headers=headers(settings, env=env),
            frames=(frame("session.update", session=session(request, audio_format)),),
            awaits_ready=True,
        )
        self._env = env
        self._title = settings.server.title
        self._ends_utterances = request.endpointing
        padding = settings.prefix_padding_ms
        self._lag = _LAG + (_PADDING if padding is None else padding / 1000)
        self._format = audio_format
        self._finder = None
        if hears_pauses(settings):
            from debabelizer_openai.pauses import PauseFinder

            self._finder = PauseFinder(audio_format, settings.pause)
        self._items = Items()
        self._questions = deque([_Question(0.0, "ready")])
        self._commits: deque[_Commit] = deque()
        self._flushes: deque[frozenset[str]] = deque()  # for each, the utterances that must be final first
        self._news: list[ConnectionEvent] = []
        self._size = 0  # bytes sent
        self._began: float | None = None  # where the utterance began that is being spoken
        self._stopped: float | None = None  # where the service last heard speech end
        self._heard = 0.0
        self._settled = 0.0
        self._end = 0.0  # of the last utterance
        self._interim = ""
        self._ended: float | None = None  # all commits are known; seconds that were sent

    def open(self) -> Opening:
        """See `Dialect`. The session is configured at once: events are handled in order, after its creation."""
        return self._opening

    def audio(self, chunk: bytes) -> Sequence[Frame]:
        """See `Dialect`."""
        frames: list[Frame] = []
        if self._finder is None:
            frames += self._append(chunk)
        else:
            for stretch in self._finder.feed(chunk):
                frames += self._append(stretch.audio)
                if stretch.begun is not None:
                    self._began = stretch.begun
                    self._news.append(SpeechStart(stretch.begun))
                if stretch.over:
                    frames.append(self._commit())
        if self._sent - self._questions_at >= _ASK_AFTER:
            frames.append(self._ask("heard"))
        return frames

    def flush(self, trailing_silence: float) -> Sequence[Frame]:  # noqa: ARG002 - it makes no difference here
        """See `Dialect`."""
        return (*self._rest(), self._commit(), self._ask("flushed"))

    def end(self) -> Sequence[Frame]:
        """See `Dialect`. There is no message for it: the end is proven when every commit was answered."""
        return (*self._rest(), self._commit(), self._ask("ended"))

    def refused(self, status: int, body: bytes, retry_after: float | None) -> ProviderError:
        """See `Dialect`."""
        return http_error(status, body, retry_after, self._title, self._env)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent]:
        """See `Dialect`."""
        event = parse(frame)
        news, self._news = self._news, []
        return [*news, *self._read(event), *self._say()]

    # --- what is sent ---

    @property
    def _sent(self) -> float:
        return self._format.seconds(self._size)

    @property
    def _questions_at(self) -> float:
        """Behind how much audio the last question was asked."""
        return self._questions[-1].at if self._questions else self._heard

    def _append(self, audio: bytes) -> Iterator[Frame]:
        if audio:
            self._size += len(audio)
            yield append(audio)

    def _rest(self) -> Iterator[Frame]:
        """What was held back to look for pauses in it."""
        if self._finder is not None:
            yield from self._append(self._finder.stop())

    def _ask(self, means: Literal["heard", "flushed", "ended"]) -> Frame:
        self._questions.append(_Question(self._sent, means))
        return _ASK

    def _commit(self) -> Frame:
        self._commits.append(_Commit(self._began, self._sent))
        if self._finder is not None:
            self._began = None
        return COMMIT

    # --- what is received ---

    def _read(self, event: Mapping[str, Any]) -> Iterator[ConnectionEvent]:
        match event["type"]:
            case "session.updated":
                yield from self._answer()
            case "input_audio_buffer.speech_started":
                self._began = seconds(event, "audio_start_ms")
                if (item := self._item(event)) is not None:
                    item.start = self._began
                yield SpeechStart(self._began)
            case "input_audio_buffer.speech_stopped":
                self._began, self._stopped = None, seconds(event, "audio_end_ms")
                if (item := self._item(event)) is not None:
                    item.end = self._stopped
            case "input_audio_buffer.committed":
                item = self._items.commit(text(event, "item_id"), text(event, "previous_item_id") or None)
                if item is not None:
                    self._place(item)
            case "conversation.item.input_audio_transcription.delta":
                if (item := self._item(event)) is not None:
                    item.deltas = longer(item.deltas, text(event, "delta"))
            case "conversation.item.input_audio_transcription.completed":
                self._complete(event, text(event, "transcript"))
            case "conversation.item.input_audio_transcription.failed":
                error = reported(event) or Reported("A transcription failed.")
                if error.code != _UNINTELLIGIBLE:
                    raise provider_error(error, self._title, self._env)
                self._complete(event, "")
            case "error" if _concerns(event) == _QUESTION:
                yield from self._answer()
            case "error":
                self._fail(reported(event) or Reported())
            case _:
                pass  # of a conversation, or newer than this dialect

    def _answer(self) -> Iterator[ConnectionEvent]:
        """A question was answered."""
        if not self._questions:
            return
        question = self._questions.popleft()
        self._heard = question.at
        match question.means:
            case "ready":
                yield Ready()
                return
            case "flushed":
                self._flushes.append(self._items.committed)
            case "ended":
                self._ended = question.at
        yield Processed(min(question.at, self._transcribed_until()))

    def _transcribed_until(self) -> float:
        """Where the first utterance ends that is complete and has no text yet: if none ever comes, that is a stall."""
        ends = (item.end for item in self._items if item.committed and item.transcript is None)
        return next((end for end in ends if end is not None), math.inf)

    def _item(self, event: Mapping[str, Any]) -> Item | None:
        """The item of an event; None if it is final already."""
        identifier = text(event, "item_id")
        if not identifier:
            raise ProtocolError(f"The service sent {event['type']!r} without an item.")
        return self._items.get(identifier)

    def _place(self, item: Item) -> None:
        """Say where an utterance lies that was committed: by the service if it said so, else by us."""
        if item.end is not None:
            return
        if self._commits:
            commit = self._commits.popleft()
            announced = self._items.take_announced()  # committed early, an utterance may get a new id
            begun = announced.start if announced is not None else commit.start
            item.start = begun if item.start is None else item.start
            item.end = commit.end
        else:
            item.end = self._stopped

    def _complete(self, event: Mapping[str, Any], transcript: str) -> None:
        item = self._item(event)
        if item is None:
            return
        item.transcript = transcript.strip()
        languages = event.get("languages")
        first = languages[0] if isinstance(languages, list) and languages else None
        item.language = language_code(first.get("code")) if isinstance(first, Mapping) else None

    def _fail(self, error: Reported) -> None:
        if error.code != EMPTY_COMMIT:
            raise provider_error(error, self._title, self._env)
        if self._commits:
            self._commits.popleft()  # there was nothing left to commit

    # --- what it means ---

    def _say(self) -> Iterator[ConnectionEvent]:
        """What is final now, what is still interim, and how far it goes."""
        finals = list(self._finals())
        yield from finals
        interim = " ".join(said for item in self._items if (said := (item.transcript or item.deltas).strip()))
        if interim != self._interim or (interim and finals):
            first = next((item.start for item in self._items), None)
            yield Hypothesis(text=interim, final=False, start=first)
        self._interim = interim
        settled = self._quiet_until()
        if settled > self._settled:
            self._settled = settled
            yield Processed(settled, final=True)
        open_items = self._items.committed
        while self._flushes and not self._flushes[0] & open_items:
            self._flushes.popleft()
            yield Flushed()
        if self._ended is not None and not self._commits and not open_items:
            yield Finished(self._ended)
            self._ended = None

    def _finals(self) -> Iterator[ConnectionEvent]:
        for item in self._items.settled():
            start = max(self._end if item.start is None else item.start, self._end)
            self._end = max(start, self._heard if item.end is None else item.end)
            if item.transcript:
                yield Hypothesis(
                    text=item.transcript,
                    final=True,
                    start=start,
                    end=self._end,
                    language=item.language,
                    ends_utterance=self._ends_utterances,
                )

    def _quiet_until(self) -> float:
        """Up to where everything is final: the last utterance, and the silence behind it."""
        if self._items or self._commits:
            return self._end
        if self._finder is not None:
            return max(self._end, min(self._heard, self._finder.quiet_until))
        if self._began is not None:
            return max(self._end, min(self._began, self._heard))
        return max(self._end, self._heard - self._lag)


def _concerns(event: Mapping[str, Any]) -> object:
    """The client event that an error is about, if it says so."""
    error = event.get("error")
    return error.get("event_id") if isinstance(error, Mapping) else None
