"""`Timeline`: the only place that turns provider time into stream time, and that keeps the order of words."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from debabelizer.results import StreamingResult, Word, join
from debabelizer.streaming.dialect import Hypothesis

__all__ = ["Timeline"]

_log = logging.getLogger("debabelizer.streaming")


class Timeline:
    """Turns hypotheses into results on the stream's clock.

    One connection after another hangs its own clock, which starts at zero, onto the stream's: `attach` says
    where. Words are told apart by time, never by text (people do say "yes, yes"): a final word that starts
    before the last word of an earlier final of its channel, or spans exactly the same time, was said before and
    is dropped. Within one final all words are new or old by that, in whatever order or at the same time.
    """

    def __init__(self) -> None:
        self._base = 0.0
        self._provider = ""
        self._epoch = 0
        self._shifts = True  # whether words need other times or speakers than they come with
        self._last: dict[int | None, tuple[float, float]] = {}
        self._edge: dict[int | None, float] = {}  # where the last final ended
        self._spoken = False  # whether any final text was delivered: the first has no separator
        self.dropped = 0

    def attach(self, base: float, provider: str) -> None:
        """A new connection's zero is `base` stream seconds."""
        self._base = base
        self._provider = provider
        self._epoch += 1
        self._shifts = base != 0.0 or self._epoch > 1

    def seconds(self, connection_seconds: float) -> float:
        """Connection seconds as stream seconds, to the microsecond."""
        return round((self._base + connection_seconds) * 1e6) / 1e6  # a tenth of what rounding to digits costs

    def result(self, hypothesis: Hypothesis) -> StreamingResult | None:
        """The result for a hypothesis, or None if all of it was final before."""
        words = hypothesis.words
        if self._shifts or not _are_sound(words):
            words = tuple([self._word(word) for word in words])
        text, separator = hypothesis.text, hypothesis.separator
        if hypothesis.final and words:
            fresh = tuple(word for word in words if self._is_new(hypothesis.channel, word.start, word.end))
            if not fresh:
                return None
            if len(fresh) < len(words):
                text, separator = join((word.separator, word.text) for word in fresh), fresh[0].separator
                words = fresh
        start, end = self._span(hypothesis, words)
        if hypothesis.final:
            if text and not words and not self._is_new(hypothesis.channel, start, end):
                return None
            self._advance(hypothesis.channel, words or ((Word(text, start, end),) if text else ()))
            if start is not None and text:
                # Vendors let neighbouring spans overlap by a few milliseconds; finals do not.
                start = max(start, min(self._edge.get(hypothesis.channel, 0.0), start if end is None else end))
                self._edge[hypothesis.channel] = start if end is None else end
        if not self._spoken:
            separator = ""
            self._spoken = hypothesis.final and bool(text)
        return StreamingResult(
            text=text,
            is_final=hypothesis.final,
            start=start,
            end=end,
            words=words,
            language=hypothesis.language,
            speaker=self._speaker(hypothesis.speaker),
            confidence=hypothesis.confidence,
            channel=hypothesis.channel,
            separator=separator,
            ends_utterance=hypothesis.ends_utterance,
            translation=hypothesis.translation,
            provider=self._provider,
        )

    def _word(self, word: Word) -> Word:
        start = None if word.start is None else self.seconds(word.start)
        end = None if word.end is None else max(self.seconds(word.end), start or 0.0)
        return replace(word, start=start, end=end, speaker=self._speaker(word.speaker))

    def _span(self, hypothesis: Hypothesis, words: Sequence[Word]) -> tuple[float | None, float | None]:
        """Start and end: those that the hypothesis gives, or of its words if all of them have one."""
        start, end = hypothesis.start, hypothesis.end
        if start is None:
            starts = [word.start for word in words]
            first = None if None in starts else min(starts, default=None)  # type: ignore[type-var]  # no None in it
        else:
            first = self.seconds(start)
        if end is None:
            ends = [word.end for word in words]
            return first, None if None in ends else max(ends, default=None)  # type: ignore[type-var]
        return first, self.seconds(end)

    def _speaker(self, label: str | None) -> str | None:
        """Vendors number speakers anew on each connection, so from the second on the label says which one."""
        return label if label is None or self._epoch == 1 else f"{self._epoch}/{label}"

    def _is_new(self, channel: int | None, start: float | None, end: float | None) -> bool:
        """Whether a final span was not said by an earlier final."""
        last = self._last.get(channel)
        if start is None or last is None:
            return True
        span = (start, start if end is None else end)
        if start >= last[0] and (span != last or span[1] == span[0]):
            return True
        self.dropped += 1
        _log.debug("dropped a final at %.3f s that was said before", start)
        return False

    def _advance(self, channel: int | None, words: Iterable[Word]) -> None:
        """Remember the last of the words that became final."""
        for word in words:
            if word.start is not None:
                span = (word.start, word.start if word.end is None else word.end)
                self._last[channel] = max(span, self._last.get(channel, span))


def _are_sound(words: Iterable[Word]) -> bool:
    """Whether no word ends before it begins."""
    for word in words:  # noqa: SIM110 - for every message, and a generator costs more than all of this
        if word.end is not None and word.end < (word.start or 0.0):
            return False
    return True
