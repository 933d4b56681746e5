"""`Interpreter`: what the messages of a Nova stream mean, as events.

Deepgram hears in windows. A window grows, and what was heard in it changes, until it becomes final; the next one
begins where the final one ended. That may be earlier than its last guess went: the rest of the guess then comes
again at the head of the next window. Windows cover the audio without a gap, silence included. (Documentation.)

Three signals tell of the end of an utterance: ``speech_final`` on a final, after a pause; on an empty final, when the
words before were final already; and ``UtteranceEnd``, from the gap between words, which may come with either, or
alone, or before its words are final. They are made one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from debabelizer.results import Word
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Flushed,
    Hypothesis,
    Processed,
    SpeechStart,
    UtteranceEnd,
)
from debabelizer_deepgram.results import Results
from debabelizer_deepgram.words import joined, mean_confidence, runs

__all__ = ["Interpreter"]

_HAIR: Final = 0.001  # seconds: times come rounded
_ROUNDING: Final = 0.1  # seconds by which a signal may miss the place that it is about


class Interpreter:
    """Turns the messages of one connection into events, and remembers what it must from one to the next."""

    def __init__(self) -> None:
        self._guess: tuple[Word, ...] = ()  # the words that are interim
        self._shown = False  # whether an interim stands
        self._settled = 0.0  # where the last final window ended
        self._said = 0.0  # where the last final word ended
        self._utterance: float | None = None  # start of an utterance that is not over, as far as it is final
        self._ends_at: float | None = None  # an utterance ends here whose words are not final yet
        self._speaking = False  # whether the user was told that speech began
        self._flushes: deque[float] = deque()  # positions of flushes without an answer

    def flush_sent(self, at: float) -> None:
        """A flush was sent, `at` seconds."""
        self._flushes.append(at)

    def results(self, heard: Results) -> Iterator[ConnectionEvent]:
        """What a ``Results`` says: finals first, then what is interim now, then how far it goes."""
        if heard.final:
            yield from self._final(heard)
        elif heard.end > self._settled + _HAIR:
            yield from self._interim(heard)

    def speech_started(self, at: float) -> Iterator[ConnectionEvent]:
        """``SpeechStarted``, which may be repeated within an utterance (documentation)."""
        if not self._speaking:
            self._speaking = True
            yield SpeechStart(at)

    def utterance_end(self, last_word_end: float | None) -> Iterator[ConnectionEvent]:
        """``UtteranceEnd``: ends what ``speech_final`` did not, once its words are final."""
        if last_word_end is None or last_word_end < 0:  # which word it was is not said
            last_word_end = self._said
        if any(word.start is not None and word.start < last_word_end for word in self._guess):
            self._ends_at = last_word_end
        elif self._utterance is not None and self._utterance < last_word_end:
            self._end_utterance()
            yield UtteranceEnd(self._said)

    def _final(self, heard: Results) -> Iterator[ConnectionEvent]:
        is_new = heard.end > self._settled + _HAIR
        finals = list(_finals(heard)) if is_new else []
        if finals:
            self._said = max([self._said, *(word.end for word in heard.words if word.end is not None)])
            if self._utterance is None:
                self._utterance = heard.words[0].start if heard.words else heard.start
        ends = heard.speech_final
        if self._ends_at is not None and heard.end >= self._ends_at - _ROUNDING:  # its words are final now
            ends = ends or self._said <= self._ends_at + _ROUNDING
            self._ends_at = None
        if finals:
            yield from finals[:-1]
            yield replace(finals[-1], ends_utterance=ends)
        elif ends and self._utterance is not None:
            yield UtteranceEnd(self._said)
        if ends:
            self._end_utterance()
        if is_new:
            yield from self._guess_again(heard.end)
            yield from self._settle(heard.end)
            yield from self._flushed(heard.end + (_ROUNDING if heard.from_finalize else _HAIR))

    def _interim(self, heard: Results) -> Iterator[ConnectionEvent]:
        words = tuple(word for word in heard.words if _middle(word) > self._said)
        text = joined(words) if heard.words else heard.text
        yield from self._show(words, text, heard.language)
        yield Processed(heard.end)

    def _guess_again(self, settled: float) -> Iterator[ConnectionEvent]:
        """Say anew what is interim: the part of the last guess that lies behind the final window."""
        rest = tuple(word for word in self._guess if _middle(word) > max(settled, self._said))
        yield from self._show(rest, joined(rest), None)

    def _show(self, words: tuple[Word, ...], text: str, language: str | None) -> Iterator[ConnectionEvent]:
        self._guess = words
        if text or self._shown:
            confidence = mean_confidence(words)
            yield Hypothesis(text=text, final=False, words=words, language=language, confidence=confidence)
        self._shown = bool(text)

    def _settle(self, through: float) -> Iterator[ConnectionEvent]:
        """The window is final; but a word of the guess that it cut must be heard again as a whole."""
        self._settled = through
        yield Processed(through)
        starts = (word.start for word in self._guess[:1] if word.start is not None)
        yield Processed(max(min([through, *starts]), self._said), final=True)

    def _flushed(self, through: float) -> Iterator[Flushed]:
        """A flush is answered by what it asked for: finals of all audio before it. Its own answer may never come."""
        while self._flushes and self._flushes[0] <= through:
            self._flushes.popleft()
            yield Flushed()

    def _end_utterance(self) -> None:
        self._utterance = None
        self._speaking = False


def _finals(heard: Results) -> Iterator[Hypothesis]:
    """One final for each run of the same speaker and language."""
    if heard.text and not heard.words:
        yield Hypothesis(text=heard.text, final=True, start=heard.start, end=heard.end, language=heard.language)
    for run in runs(heard.words):
        yield Hypothesis(
            text=joined(run),
            final=True,
            words=run,
            separator=run[0].separator,
            language=run[0].language or heard.language,
            speaker=run[0].speaker,
            confidence=mean_confidence(run),
        )


def _middle(word: Word) -> float:
    """The middle of a word: times of the same word differ by a little from one guess to the next."""
    return ((word.start or 0.0) + (word.end or word.start or 0.0)) / 2
