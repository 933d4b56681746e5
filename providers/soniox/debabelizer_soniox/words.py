"""Tokens to words.

Spacing lives inside the tokens: white space starts a word, and a token without any continues one. So a word is
complete only when what follows it is known. Tokens that are not final are no such knowledge, they are guesses:
after the final " mor" and the guess " e", "ning" may still become final. A final word is therefore held back until
a final token, a marker or the end shows that it is whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from debabelizer.results import Word
from debabelizer_soniox.messages import Token

__all__ = ["WordAssembler", "rounded"]

# Scripts written without spaces: there each token is a word. Thai, Lao, Burmese, Khmer; then everything from the
# CJK symbols to the ideographs but for Hangul, which has spaces; compatibility and full-width forms; plane 2 and 3.
_SPACELESS: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\uff00-\uff9f\U00020000-\U0003ffff]"
)

# Tokens, one a line, that make words by their spaces alone: at most one space, at the beginning, and then text.
_PLAIN: Final = re.compile(r"\S*+(?:\n ?\S++)*+")

# Letters of those scripts that only continue: Thai and Lao vowels that follow their consonant, small kana.
_DEPENDENT: Final = frozenset("ะาำๅະາຳぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ")

# No word is as long as this; so text of a script that is not listed above is not held back without end.
_LONGEST: Final = 200


@dataclass(slots=True)
class _Growing:
    """A word of which more may come, and the tokens that it is made of."""

    separator: str
    text: str = ""
    tokens: tuple[Token, ...] = ()

    def word(self) -> Word:
        return _word(self.separator, self.text, self.tokens)


@dataclass(slots=True)
class WordAssembler:
    """Joins tokens into whole words. Joined with their separators the words give exactly the text of the tokens."""

    _word: _Growing | None = None
    _space: str = ""
    _fresh: bool = True  # at the start, or behind an utterance: the first token need not bring its space
    _done: list[Word] = field(default_factory=list)

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
            missing = " " if self._fresh and not _SPACELESS.match(text) else ""
            self._word = word = _Growing(self._space or missing)
            self._fresh, self._space = False, ""
        word.text += text
        word.tokens += (token,)
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

        Spaces tell the words of nearly all text, so it is cut by them as a whole: this is done for every message, with
        all that is not final. What they do not tell takes the way of `add`.
        """
        growing = self._word
        if not tokens:
            return () if growing is None else (growing.word(),)
        if growing is None:
            growing = _Growing(" " if self._fresh else "")
        lines = "\n".join([growing.text, *[token.text or "" for token in tokens]])
        first, *others = lines.split("\n ")
        if self._space or lines.count("\n") != len(tokens) or not _is_plain(lines):
            return WordAssembler(self._word and replace(growing), self._space, self._fresh)._whole(tokens)
        end = first.count("\n")
        words = []
        if first:
            words.append(_word(growing.separator, first.replace("\n", ""), (*growing.tokens, *tokens[:end])))
        for part in others:
            begin, end = end, end + part.count("\n") + 1
            words.append(_word(" ", part.replace("\n", ""), tokens[begin:end]))
        return tuple(words)

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


def _word(separator: str, text: str, tokens: Iterable[Token]) -> Word:
    """The word that tokens make: it has all their time, and what its first token does not say from a later one."""
    start = end = speaker = language = None
    confidence, rated = 0.0, 0
    for token in tokens:
        if start is None:
            start = token.start_ms
        if token.end_ms is not None:
            end = token.end_ms
        if token.confidence is not None:
            confidence += token.confidence
            rated += 1
        if speaker is None:
            speaker = token.speaker
        if language is None:
            language = token.language
    return Word(
        text,
        None if start is None else start / 1000,
        None if end is None else end / 1000,
        round(confidence / rated * 1e4) / 1e4 if rated else None,
        speaker,
        language,
        separator,
    )


def _is_plain(lines: str) -> bool:
    """Whether spaces alone tell where the words of tokens begin, one token a line."""
    return (
        _PLAIN.fullmatch(lines) is not None
        and (lines.isascii() or not _SPACELESS.search(lines))
        and (len(lines) <= _LONGEST or max(map(len, lines.split("\n "))) <= _LONGEST)
    )


def _is_apart(before: str, text: str) -> bool:
    """Whether `text`, which follows the word `before` without white space, is a word of its own all the same."""
    if len(before) >= _LONGEST:
        return True
    first, last = text[0], before[-1]
    if not _SPACELESS.match(first) and not _SPACELESS.match(last):
        return False
    kind = unicodedata.category(first)
    if unicodedata.category(last) in {"Ps", "Pi"} or first in _DEPENDENT:
        return False
    return not (kind[0] == "M" or kind == "Lm" or (kind[0] == "P" and kind not in {"Ps", "Pi"}))
