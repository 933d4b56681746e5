"""Two texts side by side, word by word: which words agree, and the fewest changes that make one of the other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from debabelizer.errors import DebabelizerError

__all__ = ["Alignment", "Kind", "Piece", "align", "split"]

Kind: TypeAlias = Literal["equal", "replace", "insert", "delete"]

# Scripts that put no space between words are compared letter by letter.
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that agree with the baseline, or differ from it.

    Attributes:
        kind: ``equal``; ``replace``, one word for one other; ``insert``, words that the baseline does not have;
            ``delete``, words of the baseline that are missing.
        start: Index of the first word of the baseline concerned, or in front of which words were inserted.
        baseline: The words of the baseline.
        words: The words of the text.
    """

    kind: Kind
    start: int
    baseline: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def stop(self) -> int:
        """Index behind the last word of the baseline concerned."""
        return self.start + len(self.baseline)

    def within(self, start: int, stop: int) -> Piece | None:
        """The part that concerns the baseline from `start` to before `stop`, or None if there is none."""
        if self.kind == "insert":
            return self if start <= self.start < stop else None
        first, last = max(self.start, start), min(self.stop, stop)
        if first >= last:
            return None
        cut = slice(first - self.start, last - self.start)
        return Piece(self.kind, first, self.baseline[cut], self.words[cut])


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a text differs from a baseline.

    Attributes:
        pieces: In order; they make up the whole of both.
        length: Words of the baseline.
    """

    pieces: tuple[Piece, ...]
    length: int

    def count(self, kind: Kind) -> int:
        """How many words are of that kind."""
        return sum(max(len(piece.baseline), len(piece.words)) for piece in self.pieces if piece.kind == kind)

    @property
    def errors(self) -> int:
        """Words replaced, inserted and deleted."""
        return self.count("replace") + self.count("insert") + self.count("delete")

    @property
    def error_rate(self) -> float | None:
        """Errors for each word of the baseline; None if it has no words."""
        return self.errors / self.length if self.length else None

    def within(self, start: int, stop: int) -> tuple[Piece, ...]:
        """The pieces that concern the baseline from `start` to before `stop`.

        What was inserted behind the last word belongs to the part that ends there.
        """
        stop = stop + 1 if stop == self.length else stop
        return tuple(part for piece in self.pieces if (part := piece.within(start, stop)) is not None)


def split(text: str) -> tuple[str, ...]:
    """The words of a text as they are written; letters, where the script does not separate words."""
    return tuple(word for word in _WORD.findall(text) if _key(word))


def align(baseline: Sequence[str], words: Sequence[str]) -> Alignment:
    """Align words with those of a baseline, by the fewest changes.

    Words agree when they differ in nothing but case, punctuation and the way letters are encoded. Ways to write the
    same, such as "10" and "ten", differ.

    Raises:
        DebabelizerError: If the extra ``compare`` is not installed.
    """
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise DebabelizerError(
            "To compare texts, the package 'rapidfuzz' is needed, which is not installed.",
            hint='Install it: pip install "debabelizer[compare]>=0.3"',
        ) from error
    codes = Levenshtein.opcodes([_key(word) for word in baseline], [_key(word) for word in words])
    pieces = (
        Piece(
            cast("Kind", code.tag),
            code.src_start,
            tuple(baseline[code.src_start : code.src_end]),
            tuple(words[code.dest_start : code.dest_end]),
        )
        for code in codes
    )
    return Alignment(tuple(pieces), len(baseline))


def _key(word: str) -> str:
    """What two words must have in common to be the same: letters, digits and signs of money, without case."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LMN" or sign in "$\u20ac\u00a3\u00a5")
