"""From the tokens of a finished transcription to a `Transcript`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from debabelizer.results import Segment, Transcript, Word, join
from debabelizer_soniox.messages import list_member, parse_tokens
from debabelizer_soniox.words import WordAssembler

__all__ = ["read_transcript", "segments"]

_SLICE: Final = 1000  # tokens worked on before others have their turn: five hours of speech are 100,000
_PAUSE: Final = 1.0  # seconds of silence that end a segment
_SENTENCE_PAUSE: Final = 0.3  # that do so after a sentence
_SENTENCE_ENDS: Final = tuple(".?!…。？！।؟")  # noqa: RUF001 - the same marks in other scripts


async def read_transcript(body: Mapping[str, Any], duration: float | None) -> Transcript:
    """Read an answer of ``GET /transcriptions/{id}/transcript``.

    Raises:
        ProtocolError: If it is none.
    """
    tokens = list_member(body, "tokens")
    spoken, translated = WordAssembler(), WordAssembler()
    for start in range(0, len(tokens), _SLICE):
        for token in parse_tokens(tokens[start : start + _SLICE]):
            (translated if token.translated else spoken).add(token)
        await asyncio.sleep(0)
    spoken.finish()
    translated.finish()
    words, translation = spoken.take(), translated.take()
    languages = Counter(word.language for word in words if word.language is not None)
    seconds = duration if duration is not None else max((word.end or 0.0 for word in words), default=0.0)
    return Transcript(
        text=_text(words),
        segments=tuple(segments(words)),
        language=languages.most_common(1)[0][0] if languages else None,
        duration=seconds,
        audio_seconds=seconds,
        translation=_text(translation) if translation else None,
    )


def segments(words: Iterable[Word]) -> Iterator[Segment]:
    """Cut where speaker or language change, at pauses, and at shorter ones between sentences."""
    segment: list[Word] = []
    for word in words:
        if segment and _is_cut(segment[-1], word):
            yield _segment(segment)
            segment = []
        segment.append(word)
    if segment:
        yield _segment(segment)


def _is_cut(before: Word, word: Word) -> bool:
    if (before.speaker, before.language) != (word.speaker, word.language):
        return True
    if before.end is None or word.start is None:
        return False
    pause = word.start - before.end
    ends_sentence = before.text.rstrip("\"'»”’)]」』").endswith(_SENTENCE_ENDS)  # noqa: RUF001
    return pause >= (_SENTENCE_PAUSE if ends_sentence else _PAUSE)


def _segment(words: list[Word]) -> Segment:
    confidences = [word.confidence for word in words if word.confidence is not None]
    return Segment(
        text=_text(words),
        start=words[0].start,
        end=words[-1].end,
        words=tuple(words),
        language=words[0].language,
        speaker=words[0].speaker,
        confidence=round(sum(confidences) / len(confidences), 4) if confidences else None,
        separator=words[0].separator,
    )


def _text(words: Iterable[Word]) -> str:
    return join((word.separator, word.text) for word in words)
