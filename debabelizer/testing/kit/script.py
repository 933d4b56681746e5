"""What is said when a recording is made: a sentence that people did say, at the times at which it was said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from debabelizer.testing.coded import CodedWord

__all__ = ["SCRIPT"]

_PHRASES: Final = (  # of John F. Kennedy's inaugural address, 1961
    (0.25, 2.35, "And so, my fellow Americans,"),
    (3.2, 4.5, "ask not"),
    (5.3, 7.75, "what your country can do for you;"),
    (8.1, 11.0, "ask what you can do for your country."),
)
_GAP: Final = 0.06  # seconds between the words of a phrase


def _spoken() -> Iterator[CodedWord]:
    number = 0
    for start, end, phrase in _PHRASES:
        words = phrase.split()
        each = (end - start + _GAP) / len(words)
        for place, text in enumerate(words):
            begun = start + place * each
            yield CodedWord(number, text, round(begun, 3), round(begun + each - _GAP, 3))
            number += 1


SCRIPT: Final = tuple(_spoken())
