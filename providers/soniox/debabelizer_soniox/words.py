"""Tokens to words.

Spacing lives inside the tokens: white space starts a word, and a token without any continues one. So a word is
complete only when what follows it is known. Tokens that are not final are no such knowledge, they are guesses:
after the final " mor" and the guess " e", "ning" may still become final. A final word is therefore held back until
a final token, a marker or the end shows that it is whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from debabelizer.results import Word
from debabelizer_soniox.messages import Token

__all__ = ["WordAssembler", "rounded"]

# Scripts written without spaces: there each token is a word. Thai, Lao, Burmese, Khmer; then everything from the
# CJK symbols to the ideographs but for Hangul, which has spaces; compatibility and full-width forms; plane 2 and 3.
_SPACELESS: Final = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x312F),
    (0x3190, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF00, 0xFF9F),
    (0x20000, 0x3FFFF),
)
_FIRST_SPACELESS: Final = chr(_SPACELESS[0][0])

# Letters of those scripts that only continue: Thai and Lao vowels that follow their consonant, small kana.
_DEPENDENT: Final = frozenset("ะาำๅະາຳぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ")

_WHITE: Final = " \t\n"  # other white space, which is rare, only keeps words in one group

# No word is as long as this; so text of a script that is not listed above is not held back without end.
_LONGEST: Final = 200


@dataclass(slots=True)
class _Growing:
    """A word of which more may come; its times are in milliseconds, as those of its tokens."""

    separator: str
    text: str = ""
    start: float | None = None
    end: float | None = None
    confidence: float = 0.0  # the sum of those given
    rated: int = 0  # tokens that gave one
    speaker: str | None = None
    language: str | None = None

    def grow(self, text: str, token: Token) -> None:
        self.text += text
        if self.start is None:
            self.start = token.start_ms
        if (end := token.end_ms) is not None:
            self.end = end
        if self.speaker is None:
            self.speaker = token.speaker
        if self.language is None:
            self.language = token.language
        if (confidence := token.confidence) is not None:
            self.confidence += confidence
            self.rated += 1

    def copy(self) -> _Growing:
        rated = (self.confidence, self.rated)
        return _Growing(self.separator, self.text, self.start, self.end, *rated, self.speaker, self.language)

    def word(self) -> Word:
        return Word(
            self.text,
            None if self.start is None else self.start / 1000,
            None if self.end is None else self.end / 1000,
            rounded(self.confidence / self.rated) if self.rated else None,
            self.speaker,
            self.language,
            self.separator,
        )


@dataclass(slots=True)
class WordAssembler:
    """Joins tokens into whole words. Joined with their separators the words give exactly the text of the tokens."""

    _word: _Growing | None = None
    _space: str = ""
    _fresh: bool = True  # at the start, or behind an utterance: the first token need not bring its space
    _done: list[Word] = field(default_factory=list)
    _ahead: dict[tuple[Token, ...], tuple[Word, ...]] = field(default_factory=dict)  # what was previewed last

    def add(self, token: Token) -> None:
        """Take the next token."""
        whole = token.text or ""
        text = whole.strip()
        lead = trail = ""
        if len(text) != len(whole):
            lead, _, trail = whole.partition(text) if text else (whole, "", "")
        word = self._word
        if word is not None and (lead or (text and _is_apart(word.text, text))):
            self._done.append(word.word())
            self._word = word = None
        if lead:
            self._space += lead
        if not text:
            return
        if word is None:
            missing = " " if self._fresh and not _is_spaceless(text[0]) else ""
            self._word = word = _Growing(self._space or missing)
            self._fresh, self._space = False, ""
        word.grow(text, token)
        if trail:
            self._complete()
            self._space = trail

    def take(self) -> tuple[Word, ...]:
        """The words completed since the last call."""
        words, self._done = tuple(self._done), []
        return words

    def finish(self) -> None:
        """Nothing more belongs to the word that grows: it is complete."""
        self._complete()

    def end_utterance(self) -> None:
        """The same; and what follows is a new utterance, which stands apart from this one."""
        self._complete()
        self._fresh = True

    @property
    def held(self) -> Word | None:
        """The word that is still growing."""
        return self._word.word() if self._word is not None else None

    def preview(self, tokens: Sequence[Token]) -> tuple[Word, ...]:
        """The words there would be if `tokens` came next and nothing after them; this changes nothing.

        Most of them came before, with the last message, so what they make is remembered from one call to the next.
        """
        if not tokens and self._word is None:
            return ()
        groups = _groups(tokens, spaced=bool(self._space))
        ahead = WordAssembler(self._word and self._word.copy(), self._space, self._fresh)
        words = ahead._whole(groups[0])
        known, self._ahead = self._ahead, {}
        for group in groups[1:]:
            said = known.get(group)
            if said is None:
                said = WordAssembler(_fresh=False)._whole(group)
            self._ahead[group] = said
            words += said
        return words

    def _whole(self, tokens: Sequence[Token]) -> tuple[Word, ...]:
        for token in tokens:
            self.add(token)
        self.finish()
        return self.take()

    def _complete(self) -> None:
        if self._word is not None:
            self._done.append(self._word.word())
            self._word = None


def rounded(confidence: float) -> float:
    """To four digits."""
    return round(confidence * 1e4) / 1e4


def _groups(tokens: Sequence[Token], *, spaced: bool) -> list[tuple[Token, ...]]:
    """Tokens that make words together: what begins with white space depends on nothing before it.

    Unless that ended with white space, which is then a part of the same separator; `spaced`, if it did before all of
    them. The first group is what depends on what was there before; it may be empty.
    """
    groups: list[tuple[Token, ...]] = []
    begin = 0
    for index, token in enumerate(tokens):
        if text := token.text:
            if text[0] in _WHITE and not spaced:
                groups.append(tuple(tokens[begin:index]))
                begin = index
            spaced = text[-1].isspace()
    groups.append(tuple(tokens[begin:]))
    return groups


def _is_apart(before: str, text: str) -> bool:
    """Whether `text`, which follows the word `before` without white space, is a word of its own all the same."""
    if len(before) >= _LONGEST:
        return True
    first, last = text[0], before[-1]
    if first < _FIRST_SPACELESS and last < _FIRST_SPACELESS:
        return False
    kind = unicodedata.category(first)
    if unicodedata.category(last) in {"Ps", "Pi"} or first in _DEPENDENT:
        return False
    if kind[0] == "M" or kind == "Lm" or (kind[0] == "P" and kind not in {"Ps", "Pi"}):
        return False
    return _is_spaceless(first) or _is_spaceless(last)


def _is_spaceless(character: str) -> bool:
    if character < _FIRST_SPACELESS:
        return False
    code = ord(character)
    return any(low <= code <= high for low, high in _SPACELESS)
