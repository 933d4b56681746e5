"""A comparison in rows short enough to be read: a stretch of the baseline, and what each provider has there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from debabelizer.compare.alignment import Piece
from debabelizer.compare.comparison import Comparison

__all__ = ["Row", "rows"]

_SHORT, _LONG = 8, 14  # words of the baseline in a row: after the first a sentence may end it, at the last it ends
_FEW: Final = 4  # words of the baseline that make no row of their own at its end
_ENDS: Final = tuple(".!?…。\uff01\uff1f")


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of the baseline.

    Attributes:
        baseline: Its words.
        pieces: What each provider that did not fail has there, by name.
    """

    baseline: tuple[str, ...]
    pieces: dict[str, tuple[Piece, ...]]

    @property
    def agreed(self) -> bool:
        """Whether all have the words of the baseline."""
        return all(piece.kind == "equal" for pieces in self.pieces.values() for piece in pieces)


def rows(comparison: Comparison) -> Iterator[Row]:
    """The rows of a comparison, in order; they cover all words of all texts."""
    words, start = comparison.words, 0
    while start < len(words) or start == 0:
        stop = start + 1
        while stop < len(words) and (len(words) - stop < _FEW or not _is_end(words[stop - 1], stop - start)):
            stop += 1
        stop = min(stop, len(words))
        yield Row(
            words[start:stop],
            {it.provider: it.alignment.within(start, stop) for it in comparison.candidates if it.alignment is not None},
        )
        start = max(stop, 1)


def _is_end(word: str, count: int) -> bool:
    return count >= _LONG or (count >= _SHORT and word.endswith(_ENDS))
