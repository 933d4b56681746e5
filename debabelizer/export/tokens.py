"""Words with times for every one of them, whatever the provider left out: the raw material of subtitles.

A provider may give times for words, for segments only, or for some of them. What lies between two known times is
spread over that stretch in proportion to its characters. A transcript without any time is refused, because
subtitles made of it would be invented.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from debabelizer.errors import CapabilityError
from debabelizer.results import Segment, Transcript

__all__ = ["Token", "tokens", "width"]

# No-break spaces are kept inside a token: a line never begins with the "!" of a French "Bonjour !".
_SPACE: Final = re.compile(r"[^\S\u00a0\u2007\u202f]+")
_WIDE: Final = frozenset("WF")
_OPENING: Final = frozenset({"Ps", "Pi"})
_CLOSING: Final = frozenset({"Pe", "Pf", "Po", "Lm", "Mn", "Mc", "Me", "Cf"})
# Nobody speaks slower: keeps a text whose end is not known from being spread over the silence that follows it.
_SECONDS_PER_CHARACTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Token:
    """The smallest piece of text that is never broken over two lines.

    Attributes:
        text: Without breaking space; no wider than the limit it was made for.
        start, end: Seconds, ``start <= end``; starts never decrease from token to token.
        space: Whether a space stands before it.
        voice: Who says it, as (speaker, channel).
        opens: Whether it is the first of a segment.
    """

    text: str
    start: float = 0.0
    end: float = 0.0
    space: bool = True
    voice: tuple[str | None, int | None] = (None, None)
    opens: bool = False


@dataclass(frozen=True, slots=True)
class _Unit:
    """Tokens between two times of which the provider may have given either, both or none."""

    tokens: tuple[Token, ...]
    start: float | None
    end: float | None


def width(text: str) -> int:
    """Columns that `text` takes on a screen: East Asian wide characters take two."""
    return len(text) + sum(unicodedata.east_asian_width(char) in _WIDE for char in text)


def tokens(transcript: Transcript, *, widest: int) -> tuple[Token, ...]:
    """Cut a transcript into tokens of at most `widest` columns, each with its time.

    Raises:
        CapabilityError: If there is text, but no time at all.
    """
    units = [unit for segment in transcript.segments for unit in _units(segment, widest)]
    if not transcript.segments and transcript.text.strip():
        units = _units(Segment(transcript.text), widest)
    if units and all(unit.start is None and unit.end is None for unit in units):
        provider = transcript.provider or "the provider"
        raise CapabilityError(
            f"Subtitles need times, and {provider} gave none with this transcript.",
            provider=transcript.provider,
            capability="words",
            hint="Use another format, or a provider that gives times for words or segments.",
        )
    return tuple(_in_order(_timed(units, transcript.duration)))


def _units(segment: Segment, widest: int) -> list[_Unit]:
    """Units of one segment; its own times are those of its first and last one, where these have none."""
    voice = (segment.speaker, segment.channel)
    units = [
        _Unit(tuple(_split(word.text, word.separator, widest, (word.speaker or segment.speaker, voice[1]))), *times)
        for word in segment.words
        for times in [(word.start, word.end)]
        if word.text.strip()
    ] or [_Unit(tuple(_split(segment.text, segment.separator, widest, voice)), segment.start, segment.end)]
    if not units[0].tokens:
        return []
    first = replace(units[0].tokens[0], opens=True, space=bool(segment.separator))
    units[0] = replace(units[0], tokens=(first, *units[0].tokens[1:]))
    if units[0].start is None:
        units[0] = replace(units[0], start=segment.start)
    if units[-1].end is None:
        units[-1] = replace(units[-1], end=segment.end)
    return units


def _split(text: str, separator: str, widest: int, voice: tuple[str | None, int | None]) -> Iterator[Token]:
    space = bool(separator)
    for chunk in _SPACE.split(text):
        for piece in _pieces(chunk, widest):
            yield Token(piece, space=space, voice=voice)
            space = False
        space = True


def _pieces(chunk: str, widest: int) -> Iterator[str]:
    """Cut where a line may end: between East Asian characters, elsewhere only what no line could hold."""
    piece, room, previous = "", 0, ""
    for char in chunk:
        columns = width(char)
        if piece and (_may_break(previous, char) or room + columns > widest):
            yield piece
            piece, room = "", 0
        piece, room, previous = piece + char, room + columns, char
    if piece:
        yield piece


def _may_break(before: str, after: str) -> bool:
    if width(before) == width(after) == 1:
        return False
    return unicodedata.category(after) not in _CLOSING and unicodedata.category(before) not in _OPENING


def _timed(units: Sequence[_Unit], duration: float) -> Iterator[Token]:
    """Give every token its time: each run of units between two known times is spread over that stretch."""
    clock, first = 0.0, 0
    while first < len(units):
        last = first
        while last + 1 < len(units) and units[last].end is None and units[last + 1].start is None:
            last += 1
        run = [token for unit in units[first : last + 1] for token in unit.tokens]
        slowest = sum(len(token.text) for token in run) * _SECONDS_PER_CHARACTER
        start, end = units[first].start, units[last].end
        if end is None:
            start = clock if start is None else start
            following = units[last + 1].start if last + 1 < len(units) else None
            end = min(max(start, duration) if following is None else following, start + slowest)
        elif start is None:
            start = max(clock, end - slowest)
        clock = max(start, end)
        yield from _spread(run, start, clock)
        first = last + 1


def _spread(run: Sequence[Token], start: float, end: float) -> Iterator[Token]:
    whole = sum(len(token.text) for token in run)
    done = 0
    for token in run:
        begin, done = done, done + len(token.text)
        yield replace(token, start=start + (end - start) * begin / whole, end=start + (end - start) * done / whole)


def _in_order(timed: Iterator[Token]) -> Iterator[Token]:
    """Two voices may speak at once, and providers round: starts are made never to decrease, nor to lie before 0."""
    clock = 0.0
    for token in timed:
        clock = max(clock, token.start)
        yield replace(token, start=clock, end=max(clock, token.end))
