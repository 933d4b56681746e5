"""Subtitle cues: what is shown, when, and where its line breaks.

The conventions of subtitling: at most two lines of 42 columns, balanced; a cue stays 1 to 7 seconds and long enough
to be read at 20 characters a second where the time allows; cues never overlap; they begin and end where sentences,
clauses, pauses and speakers do. Of all ways to cut a transcript into cues that obey the hard limits, the one with
the least badness is taken (the same idea by which TeX breaks paragraphs), in time linear in the transcript.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

from debabelizer.export.tokens import Token, tokens, width
from debabelizer.results import Transcript, join

__all__ = ["Cue", "cues"]

LINE_WIDTH: Final = 42
MAX_LINES: Final = 2
MIN_SECONDS: Final = 1.0
MAX_SECONDS: Final = 7.0
READING_SPEED: Final = 20.0
"""Characters a second that people read with ease."""

_PAUSE: Final = 1.5
"""Seconds of silence that always end a cue: text should not stand before it is spoken."""

# Punctuation of several scripts, some of it look-alikes on purpose.
# ruff: noqa: RUF001
_SENTENCE_END: Final = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_CLAUSE_END: Final = (",", ";", ":", "–", "—", "、", "，", "；", "：", "،")
_QUOTES: Final = "\"'”’»)]}」』）】"


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle.

    Attributes:
        start, end: Whole milliseconds, ``start < end``.
        lines: One or two.
        speaker: Who says it, if the provider tells.
    """

    start: int
    end: int
    lines: tuple[str, ...]
    speaker: str | None = None


def cues(transcript: Transcript) -> tuple[Cue, ...]:
    """Cut a transcript into cues.

    Every word of it is in exactly one cue, in order. Word times are used where the provider gives them; otherwise
    the text of a segment is spread over the segment's time.

    Raises:
        CapabilityError: If the transcript has text, but no time at all.
    """
    pieces = tokens(transcript, widest=LINE_WIDTH)
    groups = [pieces[first:last] for first, last in pairwise(_cuts(pieces))]
    return tuple(_shown(groups, transcript.duration))


def _cuts(pieces: Sequence[Token]) -> list[int]:
    """Where cues begin, and the end: the cheapest path over all places where one may be cut."""
    best = [0.0] + [inf] * len(pieces)
    back = [0] * (len(pieces) + 1)
    for first in range(len(pieces)):
        for last, badness in _candidates(pieces, first):
            if best[first] + badness < best[last]:
                best[last], back[last] = best[first] + badness, first
    cuts = [len(pieces)]
    while cuts[-1] > 0:
        cuts.append(back[cuts[-1]])
    return cuts[::-1]


def _candidates(pieces: Sequence[Token], first: int) -> Iterator[tuple[int, float]]:
    """All cues that may begin with the token `first`: the index behind each, and its badness."""
    begin = pieces[first].start
    rows, columns, characters, silence = 1, 0, 0, 0.0
    for last in range(first, len(pieces)):
        token = pieces[last]
        if last > first:
            gap = token.start - pieces[last - 1].end
            if gap >= _PAUSE or token.voice != pieces[first].voice or token.end - begin > MAX_SECONDS:
                return
            silence += max(0.0, gap)
        room = width(token.text) + (token.space and columns > 0)
        if columns + room > LINE_WIDTH:
            rows, room, columns = rows + 1, width(token.text), 0
            if rows > MAX_LINES:
                return
        columns += room
        characters += len(token.text) + token.space
        following = pieces[last + 1] if last + 1 < len(pieces) else None
        time = (following.start if following else inf) - begin
        yield last + 1, 1.0 + silence + _cut_badness(token, following) + _time_badness(characters, time)


def _cut_badness(token: Token, following: Token | None) -> float:
    """How much it hurts to end a cue between two tokens."""
    if following is None or following.voice != token.voice:
        return 0.0
    pause = following.start - token.end
    if _ends(token.text, _SENTENCE_END) or pause >= 0.5:
        return 0.0
    if following.opens or _ends(token.text, _CLAUSE_END) or pause >= 0.2:
        return 0.7
    return 3.0


def _time_badness(characters: int, time: float) -> float:
    """How much it hurts that `characters` can be shown for `time` seconds only."""
    flash = max(0.0, 1.0 - time / MIN_SECONDS)
    rush = max(0.0, characters / READING_SPEED - time)
    return 4.0 * flash + rush


def _ends(text: str, marks: tuple[str, ...]) -> bool:
    return text.rstrip(_QUOTES).endswith(marks)


def _shown(groups: Sequence[Sequence[Token]], duration: float) -> Iterator[Cue]:
    """Give each cue its time on the screen: that of its speech, stretched into free time as far as needed."""
    free_from = 0
    for index, group in enumerate(groups):
        text = _text(group)
        start = max(_milliseconds(group[0].start), free_from)
        spoken = _milliseconds(group[-1].end)
        limit = groups[index + 1][0].start if index + 1 < len(groups) else max(duration, group[-1].end)
        free_to = max(_milliseconds(limit), start + 1)
        wanted = start + _milliseconds(max(MIN_SECONDS, len(text) / READING_SPEED))
        end = min(max(spoken, wanted, start + 1), free_to, start + _milliseconds(MAX_SECONDS))
        if end - start < _milliseconds(MIN_SECONDS):  # the next cue stands close: be early instead
            start = max(free_from, end - _milliseconds(MIN_SECONDS))
        yield Cue(start, end, _lines(group), group[0].voice[0])
        free_from = end


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _text(group: Sequence[Token]) -> str:
    return join((" " if token.space else "", token.text) for token in group)


def _lines(group: Sequence[Token]) -> tuple[str, ...]:
    """One line if it fits, else two of about the same width, rather broken behind punctuation."""
    text = _text(group)
    if width(text) <= LINE_WIDTH:
        return (text,)
    splits = [(_text(group[:index]), _text(group[index:])) for index in range(1, len(group))]
    fitting = [split for split in splits if max(map(width, split)) <= LINE_WIDTH]
    return min(fitting, key=_imbalance)


def _imbalance(split: tuple[str, str]) -> float:
    above, below = split
    bonus = 30 if _ends(above, _SENTENCE_END) else 20 if _ends(above, _CLAUSE_END) else 0
    return abs(width(above) - width(below)) - bonus
