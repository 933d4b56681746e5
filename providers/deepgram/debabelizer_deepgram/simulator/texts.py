"""Words as the service writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from debabelizer.results import join
from debabelizer.testing.script import SpokenWord
from debabelizer_deepgram.simulator.query import Query

__all__ = ["Speakers", "alternative", "guess", "languages", "transcript", "utterances"]

_UTTERANCE_GAP = 0.8


class Speakers:
    """Numbers speakers in the order in which they are heard, anew for each request."""

    def __init__(self) -> None:
        self._numbers: dict[str | None, int] = {}

    def number(self, label: str | None) -> int:
        """The number of a speaker."""
        return self._numbers.setdefault(label, len(self._numbers))


def alternative(words: Sequence[SpokenWord], query: Query, speakers: Speakers) -> dict[str, Any]:
    """A member of ``alternatives``."""
    return {
        "transcript": transcript(words),
        "confidence": round(sum(word.confidence for word in words) / len(words), 6) if words else 0.0,
        "words": [_word(word, query, speakers) for word in words],
        **({"languages": languages(words)} if query.is_multilingual and words else {}),
    }


def transcript(words: Sequence[SpokenWord]) -> str:
    """Their text."""
    return join((word.separator, word.text) for word in words)


def languages(words: Sequence[SpokenWord]) -> list[str]:
    """The languages of words, most frequent first."""
    return [name for name, _ in Counter(word.language or "en" for word in words).most_common()]


def guess(partial: SpokenWord | None) -> list[SpokenWord]:
    """What a word is taken for that is not over: its first half."""
    if partial is None:
        return []
    text = partial.interim or partial.text[: max(len(partial.text) // 2, 1)]
    return [SpokenWord(text, partial.start, partial.end, partial.speaker, partial.language, confidence=0.5)]


def utterances(words: Sequence[SpokenWord], query: Query, speakers: Speakers, channel: int = 0) -> list[dict[str, Any]]:
    """The ``utterances`` of a file: cut at pauses, and where the speaker changes."""
    gap = query.number("utt_split", 0.0, 60.0) or _UTTERANCE_GAP
    rows: list[list[SpokenWord]] = []
    for word in words:
        last = rows[-1][-1] if rows else None
        if last is None or word.start - last.end >= gap or (query.diarizes and word.speaker != last.speaker):
            rows.append([])
        rows[-1].append(word)
    return [_utterance(row, query, speakers, channel) for row in rows]


def _utterance(words: Sequence[SpokenWord], query: Query, speakers: Speakers, channel: int) -> dict[str, Any]:
    said = alternative(words, query, speakers)
    first, last = said["words"][0], said["words"][-1]
    return {
        "start": first["start"],
        "end": last["end"],
        "confidence": said["confidence"],
        "channel": channel,
        "transcript": said["transcript"],
        "words": said["words"],
        "id": f"utterance-{first['start']}",
        **({"speaker": first["speaker"]} if query.diarizes else {}),
    }


def _word(word: SpokenWord, query: Query, speakers: Speakers) -> dict[str, Any]:
    plain = word.text.lower().strip(".,;:?!")
    return {
        "word": plain or word.text,
        "start": round(word.start, 6),
        "end": round(word.end, 6),
        "confidence": word.confidence,
        **({"punctuated_word": word.text} if query.flag("punctuate") or query.flag("smart_format") else {}),
        **({"speaker": speakers.number(word.speaker)} if query.diarizes else {}),
        **({"language": word.language or "en"} if query.is_multilingual else {}),
    }
