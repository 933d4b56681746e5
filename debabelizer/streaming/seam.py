"""`Seam`: where one connection goes on with what another one said, although both heard the same audio.

Two connections that hear the same audio hear the same words, but not at quite the same times, and not always as the
same words. When one takes over from the other, everything before the seam was said already, and the rest was not.

The rule: a word is new if its middle lies behind the seam. That is believed only without any doubt, which means
that both heard the same word end there: the same text, at nearly the same time, and no word of the one who takes
over reaches across. With the slightest doubt the connection is refused, and the audio from the seam on is sent to a
new one. That costs a moment, and it is always right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from debabelizer.errors import ProtocolError
from debabelizer.results import Word, join
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Finished,
    Hypothesis,
    Processed,
    SpeechStart,
    UtteranceEnd,
)

__all__ = ["TOLERANCE", "Seam"]

TOLERANCE: Final = 0.15  # seconds by which two providers may differ about where a word ends


class Seam:
    """Lets through what lies behind the seam, until the first final does; from then on everything.

    Args:
        at: Where it is, in seconds of the stream.
        last: The last word that was said before, in seconds of the stream; None if there was none.
        base: Where the connection that takes over began to listen, in seconds of the stream.
    """

    def __init__(self, at: float, last: Word | None, base: float) -> None:
        self.closed = base >= at  # it heard nothing of what was said before
        self._at = at - base  # from here on in seconds of the connection
        self._end = None if last is None or last.end is None else last.end - base
        self._text = "" if last is None else _folded(last.text)
        self._before: Word | None = None

    def admit(self, event: ConnectionEvent) -> ConnectionEvent | None:
        """What of `event` is new; None if nothing is.

        Raises:
            ProtocolError: If that is in doubt.
        """
        if self.closed:
            return event
        match event:
            case Hypothesis(final=True):
                return self._final(event)
            case Hypothesis():
                return self._interim(event)
            case Processed(through=through, final=True):
                return self._close(event) if through > self._at else None
            case Finished():
                return self._close(event)
            case SpeechStart(at=at):
                return event if at >= self._at else None
            case UtteranceEnd(at=at):
                return event if self._ends_here(at) else None
            case _:
                return event

    def _final(self, final: Hypothesis) -> ConnectionEvent | None:
        words = _words(final)
        if any(word.start is None or word.end is None for word in words) or final.channel is not None:
            raise self._doubt("without times that could be compared")
        said = [word for word in words if _middle(word) < self._at]
        new = words[len(said) :]
        if any(_middle(word) < self._at for word in new):
            raise self._doubt("in another order")
        self._before = said[-1] if said else self._before
        if new:
            if _start(new[0]) < self._at - TOLERANCE or (said and (not final.words or final.translation)):
                raise self._doubt("cut differently")
            return self._close(_without(final, said, new))
        return UtteranceEnd(final.end) if final.ends_utterance and self._ends_here(final.end) else None

    def _interim(self, interim: Hypothesis) -> Hypothesis:
        """A guess shows what is behind the seam for sure, or nothing."""
        words = _words(interim)
        if any(word.start is None or word.end is None for word in words):
            return Hypothesis(text="", final=False)
        said = [word for word in words if _middle(word) < self._at]
        new = [word for word in words if _middle(word) >= self._at]
        if not new or (not interim.words and _start(new[0]) < self._at - TOLERANCE):
            return Hypothesis(text="", final=False)
        return _without(interim, said, new)

    def _close(self, event: ConnectionEvent) -> ConnectionEvent:
        if not self._fits():
            raise self._doubt("differently")
        self.closed = True
        return event

    def _fits(self) -> bool:
        """Whether both heard the same word last."""
        before = self._before
        if before is None:
            return self._end is None or self._end <= 0.0  # it listens only since the last word was said
        if before.end is None or self._end is None:
            return False
        return abs(before.end - self._end) <= TOLERANCE and _folded(before.text) == self._text

    def _ends_here(self, at: float | None) -> bool:
        """Whether an utterance that ends then is the one whose last word was said."""
        return self._before is not None and self._fits() and (at is None or at >= self._at - TOLERANCE)

    def _doubt(self, how: str) -> ProtocolError:
        # To be asked again at once: nothing is wrong with the provider.
        return ProtocolError(f"It heard the words at the seam {how}: that audio is heard once more.", retry_after=0.0)


def _words(hypothesis: Hypothesis) -> Sequence[Word]:
    """Its words; text without words is like a single one, whose end is that of its last word."""
    if hypothesis.words or not hypothesis.text:
        return hypothesis.words
    return (Word(hypothesis.text.split()[-1], hypothesis.start, hypothesis.end),)


def _without(hypothesis: Hypothesis, said: Sequence[Word], new: Sequence[Word]) -> Hypothesis:
    if not said:
        return hypothesis
    text = join((word.separator, word.text) for word in new)
    return replace(hypothesis, text=text, words=tuple(new), start=new[0].start, separator=new[0].separator)


def _middle(word: Word) -> float:
    return (_start(word) + (word.end or 0.0)) / 2


def _start(word: Word) -> float:
    return word.start or 0.0


def _folded(text: str) -> str:
    """The text without what vendors write in different ways."""
    return "".join(char for char in text.casefold() if char.isalnum())
