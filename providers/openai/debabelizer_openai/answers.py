"""`Heard`: what an answer says of one piece of a recording, from whichever server.

Servers agree on the names and on little else: words stand beside the segments (OpenAI, Groq) or within them
(whisper.cpp), are words or pieces of words, with spaces or without; a language is a code or an English name; times are
seconds or, from LocalAI, nanoseconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from debabelizer.errors import ConnectionLostError, ProtocolError
from debabelizer.rest import Event
from debabelizer.results import Segment, Word, join
from debabelizer_openai.faults import provider_error, reported
from debabelizer_openai.flavours import Flavour
from debabelizer_openai.languages import language_code

__all__ = ["Heard", "read_body", "read_events"]

_UNLIKELY: Final = 100_000  # seconds that no piece lasts: a time beyond that is in nanoseconds


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a piece, in seconds from its beginning.

    Attributes:
        segments: Empty if nothing was said. A server that tells no times gives one segment without.
        language: Two-letter code, or None.
    """

    segments: tuple[Segment, ...] = ()
    language: str | None = None

    @property
    def text(self) -> str:
        """All of it."""
        return join((segment.separator, segment.text) for segment in self.segments)


def read_body(text: bytes, flavour: Flavour) -> Heard:
    """Read a whole answer. What it says of its own content type is not asked: whisper.cpp says HTML.

    Raises:
        ProtocolError: If it makes no sense.
        ProviderError: The error that it reports: whisper.cpp does so with status 200.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError(f"{flavour.title} sent an answer of {len(text)} bytes that is not JSON.") from None
    return _heard(body, flavour)


async def read_events(events: AsyncIterator[Event], flavour: Flavour) -> Heard:
    """Read an answer that comes as Server-Sent Events.

    Raises:
        ConnectionLostError: If it ends before it was proven complete.
        ProtocolError: If it makes no sense.
        ProviderError: The error that it reports.
    """
    deltas: list[str] = []
    segments: list[Any] = []
    async for event in events:
        if event.data == "[DONE]":
            break
        try:
            body = json.loads(event.data)
        except (ValueError, RecursionError):
            raise ProtocolError(f"{flavour.title} sent an event that is not JSON.") from None
        kind = body.get("type") if isinstance(body, dict) else None
        if kind == "transcript.text.delta":
            deltas.append(str(body.get("delta") or ""))
        elif kind == "transcript.text.segment":
            segments.append(body)
        elif kind == "transcript.text.done":
            return _heard({**body, "segments": segments}, flavour)
        elif reported(body) is not None:
            return _heard(body, flavour)  # raises it
    if flavour.done:
        raise ConnectionLostError(f"{flavour.title}'s answer ended before it was complete.")
    return _heard({"text": "".join(deltas), "segments": segments}, flavour)


def _heard(body: Any, flavour: Flavour) -> Heard:
    if error := reported(body):
        raise provider_error(error, flavour.title)
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        raise ProtocolError(f"{flavour.title} sent an answer without a text.")
    language = _language(body) if flavour.identifies else None
    segments = [_segment(item) for item in _list(body, "segments")]
    if words := [_word(item) for item in _list(body, "words")]:
        segments = _shared_out(words, segments)
    text = body["text"].strip()
    if not segments and text:
        segments = [Segment(text)]
    scale = 1e-9 if flavour.nanoseconds and any((each.end or 0.0) > _UNLIKELY for each in segments) else 1.0
    kept = (
        _finished(replace(segment, language=language), scale)
        for segment in segments
        if segment.text and segment.text not in flavour.silent
    )
    return Heard(tuple(kept), language)


def _language(body: Mapping[str, Any]) -> str | None:
    """The (main) language: `gpt-transcribe` lists what it heard, Whisper names one."""
    listed = [item.get("code") for item in _list(body, "languages") if isinstance(item, Mapping)]
    return language_code(listed[0] if listed else body.get("language"))


def _segment(item: Any) -> Segment:
    if not isinstance(item, Mapping):
        raise ProtocolError(f"There is a {type(item).__name__} where a segment belongs.")
    text = item.get("text")
    speaker = item.get("speaker")
    return Segment(
        text.strip() if isinstance(text, str) else "",
        _number(item, "start"),
        _number(item, "end"),
        words=tuple(_word(word) for word in _list(item, "words")),
        speaker=speaker if isinstance(speaker, str) else None,
    )


def _word(item: Any) -> Word:
    if not isinstance(item, Mapping) or not isinstance(item.get("word"), str):
        raise ProtocolError(f"There is a {type(item).__name__} where a word belongs.")
    return Word(item["word"], _number(item, "start"), _number(item, "end"), _number(item, "probability"))


def _shared_out(words: Sequence[Word], segments: Sequence[Segment]) -> list[Segment]:
    """Give words that stand beside the segments to those in whose time they fall; without segments, to one."""
    if not segments:
        text = join((" ", word.text.strip()) for word in words)
        return [Segment(text, words[0].start, words[-1].end, tuple(words))]
    ends = [segment.end if segment.end is not None else math.inf for segment in segments[:-1]]
    edges = [-math.inf, *ends, math.inf]
    return [
        replace(segment, words=tuple(word for word in words if begin <= _middle(word) < end))
        for segment, (begin, end) in zip(segments, pairwise(edges), strict=True)
    ]


def _finished(segment: Segment, scale: float) -> Segment:
    """The segment with whole words that are spelled as in its text, and in seconds."""
    words = _spelled(_whole(segment.words), segment.text)
    if any("\ufffd" in word.text for word in words):
        words = ()  # whisper.cpp tears letters of several bytes apart (its source)
    return replace(
        segment,
        start=_scaled(segment.start, scale),
        end=_scaled(segment.end, scale),
        words=tuple(replace(w, start=_scaled(w.start, scale), end=_scaled(w.end, scale)) for w in words),
    )


def _whole(pieces: Iterable[Word]) -> tuple[Word, ...]:
    """Whole words of what may be pieces of words: then only the first piece of each begins with a space."""
    pieces = tuple(pieces)
    if not any(piece.text.startswith(" ") for piece in pieces):
        return pieces
    words: list[Word] = []
    for piece in pieces:
        if words and not piece.text.startswith(" "):
            last = words[-1]
            known = [each.confidence for each in (last, piece) if each.confidence is not None]
            words[-1] = replace(
                last, text=last.text + piece.text, end=piece.end, confidence=min(known) if known else None
            )
        else:
            words.append(piece)
    return tuple(replace(word, text=word.text.strip()) for word in words if word.text.strip())


def _spelled(words: Sequence[Word], text: str) -> tuple[Word, ...]:
    """Words as the text spells them: OpenAI's Whisper leaves punctuation out of its words."""
    spelled = text.split()
    if len(spelled) != len(words):
        return tuple(words)
    return tuple(replace(word, text=spelling) for word, spelling in zip(words, spelled, strict=True))


def _middle(word: Word) -> float:
    start = word.start or 0.0
    return (start + (word.end if word.end is not None else start)) / 2


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else round(value * scale, 6)


def _list(body: Mapping[str, Any], name: str) -> Iterator[Any]:
    value = body.get(name)
    return iter(value) if isinstance(value, list) else iter(())


def _number(item: Mapping[str, Any], name: str) -> float | None:
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)
