"""Words as Deepgram sends them, on streams and for files alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from debabelizer.results import Word, join
from debabelizer_deepgram.reading import Node

__all__ = ["joined", "mean_confidence", "primary", "read_words", "runs"]


def read_words(nodes: Sequence[Node], transcript: str, *, speakers: bool = True) -> tuple[Word, ...]:
    """The words of a transcript.

    What stands between them is found in the transcript itself, so that scripts without spaces come out without.

    Args:
        nodes: ``words``.
        transcript: The text they are the words of.
        speakers: Whether the labels of speakers are to be believed.

    Raises:
        ProtocolError: If one is no word.
    """
    words: list[Word] = []
    at = 0
    for node in nodes:
        text = (node.text("punctuated_word") or node.text("word") or "").strip()
        if not text:
            continue
        found = transcript.find(text, at)
        gap = transcript[at:found] if words and found >= 0 else _lead(text)
        at = found + len(text) if found >= 0 else at
        speaker = node.count("speaker") if speakers else None
        words.append(
            Word(
                text=text,
                start=node.seconds("start"),
                end=node.seconds("end"),
                confidence=node.number("confidence"),
                speaker=None if speaker is None else str(speaker),
                language=primary(node.text("language")),
                separator=gap if not gap.strip() else " ",
            )
        )
    return tuple(words)


def _lead(text: str) -> str:
    """What stands before the first word of a transcript, when it follows another one."""
    spaceless = unicodedata.name(text[0], "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI"))
    return "" if spaceless else " "


def runs(words: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    """Words in a row of the same speaker and language."""
    for _, run in groupby(words, key=lambda word: (word.speaker, word.language)):
        yield tuple(run)


def joined(words: Sequence[Word]) -> str:
    """Their text."""
    return join((word.separator, word.text) for word in words)


def mean_confidence(words: Sequence[Word]) -> float | None:
    """The mean of the confidences that are known."""
    known = [word.confidence for word in words if word.confidence is not None]
    return round(sum(known) / len(known), 4) if known else None


def primary(tag: str | None) -> str | None:
    """The language of a BCP-47 tag: ``en`` of ``en-US``."""
    return tag.split("-")[0].lower() or None if tag else None
