"""What faster-whisper says, as segments and words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from debabelizer.audio.utterances import Decoded
from debabelizer.results import Segment, Word, join

__all__ = ["decoded_of", "segments_of", "text_of"]


class SpokenWord(Protocol):
    """A word of faster-whisper: its text begins with a space if one stands before it."""

    start: float
    end: float
    word: str
    probability: float


class SpokenSegment(Protocol):
    """A segment of faster-whisper."""

    start: float
    end: float
    text: str
    avg_logprob: float
    words: Sequence[SpokenWord] | None


def segments_of(segments: Iterable[SpokenSegment], language: str) -> tuple[Segment, ...]:
    """Segments with their words; the numbers of faster-whisper are numpy's, and its words overlap at times."""
    return tuple(_segments(segments, language))


def text_of(segments: Iterable[Segment]) -> str:
    """The text of segments, in one."""
    return join((segment.separator, segment.text) for segment in segments)


def decoded_of(segments: Sequence[Segment]) -> Decoded:
    """All segments of an utterance as one."""
    words = tuple(word for segment in segments for word in segment.words)
    return Decoded(text_of(segments), words, segments[0].language if segments else None)


def _segments(segments: Iterable[SpokenSegment], language: str) -> Iterator[Segment]:
    at = 0.0
    for segment in segments:
        words = []
        for spoken in segment.words or ():
            if text := spoken.word.strip():
                start = max(float(spoken.start), at)
                at = max(float(spoken.end), start)
                probability = min(max(float(spoken.probability), 0.0), 1.0)
                words.append(Word(text, start, at, probability, language=language, separator=_before(spoken.word)))
        if text := segment.text.strip():
            yield Segment(
                text,
                words[0].start if words else float(segment.start),
                words[-1].end if words else float(segment.end),
                tuple(words),
                language,
                confidence=min(math.exp(segment.avg_logprob), 1.0),
                separator=_before(segment.text),
            )


def _before(text: str) -> str:
    """What stands before a text of faster-whisper."""
    return " " if text[:1].isspace() else ""
