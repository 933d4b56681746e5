"""Where a simulated service has its words from: a script, or the audio itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from debabelizer.testing.audio import RawAudio
from debabelizer.testing.coded import DAMAGED, HeardWord, WordReader, plan_words

__all__ = ["CodedWords", "Ear", "Line", "Script", "SpokenWord", "Words"]


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word, with all that a service may say about it.

    Attributes:
        text: With its punctuation, without surrounding space.
        start, end: Seconds of the connection's audio. Coded words have the times at which they are heard.
        speaker: Any label; the service numbers speakers itself, anew on every connection.
        language: Two-letter code, or None for the first hint.
        translation: Its translation; empty for a word whose translation is part of another's.
        interim: What the service takes it for until it is final.
        confidence: 0.0 to 1.0.
        separator: What stands before it: a space, or nothing in scripts without spaces.
    """

    text: str
    start: float = 0.0
    end: float = 0.0
    speaker: str | None = None
    language: str | None = None
    translation: str = ""
    interim: str | None = None
    confidence: float = 0.97
    separator: str = " "


@dataclass(frozen=True, slots=True)
class Line:
    """What a source of words is told about a connection.

    Attributes:
        raw: The format of its audio.
        audible: Whether the bytes can be read as samples: compressed audio is not decoded.
        number: The connection's number, counted from 0.
    """

    raw: RawAudio
    audible: bool = True
    number: int = 0


class Ear(Protocol):
    """Hears the words in the audio of one connection."""

    def hear(self, audio: bytes) -> list[SpokenWord]:
        """Listen on; returns the words that ended."""

    @property
    def partial(self) -> SpokenWord | None:
        """The word that is being heard, as far as it came."""

    @property
    def speaking_since(self) -> float | None:
        """Where the speech began that is not over yet, in seconds."""

    def flush(self) -> list[SpokenWord]:
        """No more audio: what becomes of a word that is not over."""


class Words(Protocol):
    """A source of words."""

    def listen(self, line: Line) -> Ear:
        """Begin to listen on a connection."""


class Script:
    """Words at given times of each connection's audio, whatever the audio is.

    Args:
        words: In order of time; or one such sequence for each connection, the last one for all further ones.
    """

    def __init__(self, *words: Sequence[SpokenWord]) -> None:
        self._words = words or ((),)

    @classmethod
    def of(cls, text: str, *, length: float = 0.25, gap: float = 0.08) -> Script:
        """A script that says `text` at an even pace."""
        plan = plan_words(text.split(), length=length, gap=gap)
        return cls([SpokenWord(word.text, word.start, word.end) for word in plan])

    def listen(self, line: Line) -> Ear:
        """See `Words`."""
        return _ScriptEar(self._words[min(line.number, len(self._words) - 1)], line.raw)


class CodedWords:
    """Words that are encoded in the audio; see `debabelizer.testing.coded`.

    The audio says which word it is, and when. What the service writes for it is ``word42`` for number 42, or
    what stands at that place of `words`.

    Args:
        words: Texts, or words with all their attributes; their times are not used.
    """

    def __init__(self, words: Iterable[str | SpokenWord] = ()) -> None:
        self._words = [SpokenWord(word) if isinstance(word, str) else word for word in words]

    def listen(self, line: Line) -> Ear:
        """See `Words`."""
        return _CodedEar(self, line.raw) if line.audible else _ScriptEar((), line.raw)

    def word(self, number: int | None, start: float, end: float) -> SpokenWord:
        """The word of that number; None is a damaged word."""
        if number is None:
            word = SpokenWord(DAMAGED, confidence=0.1)
        elif number < len(self._words):
            word = self._words[number]
        else:
            word = SpokenWord(f"word{number}")
        return replace(word, start=start, end=end)


class _ScriptEar:
    def __init__(self, words: Sequence[SpokenWord], raw: RawAudio) -> None:
        self._words = words
        self._next = 0
        self._bytes = 0
        self._rate = raw.bytes_per_second

    def hear(self, audio: bytes) -> list[SpokenWord]:
        self._bytes += len(audio)
        first = self._next
        while self._next < len(self._words) and self._words[self._next].end <= self._now:
            self._next += 1
        return list(self._words[first : self._next])

    @property
    def _now(self) -> float:
        return self._bytes / self._rate

    @property
    def partial(self) -> SpokenWord | None:
        if self._next < len(self._words) and self._words[self._next].start < self._now:
            return replace(self._words[self._next], end=self._now)
        return None

    @property
    def speaking_since(self) -> float | None:
        partial = self.partial
        return partial.start if partial else None

    def flush(self) -> list[SpokenWord]:
        partial = self.partial
        self._next += partial is not None
        return [partial] if partial else []


class _CodedEar:
    def __init__(self, words: CodedWords, raw: RawAudio) -> None:
        self._words = words
        self._reader = WordReader(raw.encoding, raw.channels)
        self._rate = raw.sample_rate

    def hear(self, audio: bytes) -> list[SpokenWord]:
        return [self._word(word) for word in self._reader.feed(audio)]

    @property
    def partial(self) -> SpokenWord | None:
        partial = self._reader.partial
        return self._word(partial) if partial else None

    @property
    def speaking_since(self) -> float | None:
        since = self._reader.speaking_since
        return None if since is None else since / self._rate

    def flush(self) -> list[SpokenWord]:
        return [self._word(word) for word in self._reader.flush()]

    def _word(self, word: HeardWord) -> SpokenWord:
        return self._words.word(word.number, word.start / self._rate, word.end / self._rate)
