"""`Report`: what became of the words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from debabelizer.results import Segment, StreamingResult, Transcript, Word

__all__ = ["Report", "compare_words"]

TimedText: TypeAlias = tuple[str, float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of the words that were said.

    Attributes:
        expected: How many words were said.
        written: How many words were written, whatever they are.
        lost: Texts of words that were said and not written, in order.
        repeated: Texts of words that were written more often than said.
        out_of_order: Texts of words that were written after a word that was said later.
        damaged: How many pieces of words were written.
        unknown: Texts that were never said.
        time_error: Greatest difference between a time that was written and the true one, in seconds, or None if
            no times were written.
    """

    expected: int
    written: int
    lost: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    out_of_order: tuple[str, ...] = ()
    damaged: int = 0
    unknown: tuple[str, ...] = ()
    time_error: float | None = None

    @property
    def perfect(self) -> bool:
        """Whether every word was written once, whole and in order. Look at `time_error` for the times."""
        return not (self.lost or self.repeated or self.out_of_order or self.damaged or self.unknown)

    def __str__(self) -> str:
        parts = [f"{self.written} words written of {self.expected} said"]
        for name in ("lost", "repeated", "out_of_order", "unknown"):
            if texts := getattr(self, name):
                shown = ", ".join(texts[:5]) + (", ..." if len(texts) > 5 else "")
                parts.append(f"{len(texts)} {name.replace('_', ' ')} ({shown})")
        if self.damaged:
            parts.append(f"{self.damaged} damaged")
        if self.time_error is not None:
            parts.append(f"times within {self.time_error * 1000:.1f} ms")
        return "; ".join(parts)


def compare_words(expected: Sequence[tuple[str, float, float]], results: object, *, damaged: str) -> Report:
    """Compare texts with times that were said with `results`; see `debabelizer.testing.coded.compare`.

    The same text may be said several times. A written word is taken for the one that was said nearest to its
    time; without a time, for the next one with that text.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for index, (text, _, _) in enumerate(expected):
        places[text].append(index)
    found: set[int] = set()
    tally = _Tally()
    for text, start, end in _words(results):
        tally.written += 1
        if text == damaged:
            tally.damaged += 1
        elif text not in places:
            tally.unknown.append(text)
        else:
            index = _place(places[text], expected, found, start)
            tally.see(index, text, repeated=index in found)
            found.add(index)
            tally.time(start, expected[index][1])
            tally.time(end, expected[index][2])
    return Report(
        expected=len(expected),
        written=tally.written,
        lost=tuple(text for index, (text, _, _) in enumerate(expected) if index not in found),
        repeated=tuple(tally.repeated),
        out_of_order=tuple(tally.out_of_order),
        damaged=tally.damaged,
        unknown=tuple(tally.unknown),
        time_error=tally.time_error,
    )


class _Tally:
    def __init__(self) -> None:
        self.written = 0
        self.damaged = 0
        self.repeated: list[str] = []
        self.out_of_order: list[str] = []
        self.unknown: list[str] = []
        self.time_error: float | None = None
        self._last = 0

    def see(self, index: int, text: str, *, repeated: bool) -> None:
        if repeated:
            self.repeated.append(text)
            return
        if index < self._last:
            self.out_of_order.append(text)
        self._last = max(self._last, index)

    def time(self, written: float | None, said: float) -> None:
        if written is not None:
            self.time_error = max(self.time_error or 0.0, abs(written - said))


def _place(
    candidates: Sequence[int], expected: Sequence[tuple[str, float, float]], found: set[int], start: float | None
) -> int:
    if start is not None:
        return min(candidates, key=lambda index: abs(expected[index][1] - start))
    return next((index for index in candidates if index not in found), candidates[-1])


def _words(results: object) -> Iterator[TimedText]:
    """The words in whatever was written, one by one."""
    if isinstance(results, str):
        yield from ((text, None, None) for text in results.split())
    elif isinstance(results, Word):
        yield results.text, results.start, results.end
    elif isinstance(results, Transcript):
        yield from _words(results.segments or results.text)
    elif isinstance(results, (Segment, StreamingResult)):
        if not isinstance(results, StreamingResult) or results.is_final:
            yield from _words(results.words or results.text)
    elif isinstance(results, Iterable):
        for result in results:
            yield from _words(result)
    else:
        raise TypeError(f"cannot find words in {type(results).__name__}")
