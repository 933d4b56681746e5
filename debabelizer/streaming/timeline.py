"""`Timeline`: the only place that turns provider time into stream time, and that keeps the order of words."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import le

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
        text, separator = hypothesis.text, hypothesis.separator
        first, last, is_sound = _span(words)
        if self._shifts or not is_sound:
            words = tuple([self._word(word) for word in words])
            first, last, _ = _span(words)
        if hypothesis.final and words:
            fresh = tuple(word for word in words if self._is_new(hypothesis.channel, word.start, word.end))
            if not fresh:
                return None
            if len(fresh) < len(words):
                text, separator = join((word.separator, word.text) for word in fresh), fresh[0].separator
                words = fresh
                first, last, _ = _span(words)
        start = first if hypothesis.start is None else self.seconds(hypothesis.start)
        end = last if hypothesis.end is None else self.seconds(hypothesis.end)
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


def _span(words: Sequence[Word]) -> tuple[float | None, float | None, bool]:
    """When the first of them begins and the last one ends, if all say so; and whether none ends before it begins."""
    starts, ends = [word.start for word in words], [word.end for word in words]
    if not words:
        return None, None, True
    if None not in starts and None not in ends:
        return min(starts), max(ends), all(map(le, starts, ends))  # type: ignore[type-var,arg-type]  # no None in them
    is_sound = all(end is None or (start or 0.0) <= end for start, end in zip(starts, ends, strict=True))
    first = None if None in starts else min(starts)  # type: ignore[type-var]
    return first, None if None in ends else max(ends), is_sound  # type: ignore[type-var]
