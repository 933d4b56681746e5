"""Plain text, and JSON with one object on one line."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final

from debabelizer.results import Segment, Transcript, Word

__all__ = ["json_line", "to_json", "to_text"]

# Not escaped by JSON, yet the end of a line to many a reader of lines (str.splitlines among them).
_LINE_ENDS: Final = str.maketrans({"\x85": r"\u0085", "\u2028": r"\u2028", "\u2029": r"\u2029"})


def to_text(transcript: Transcript) -> str:
    """What was said and nothing else; empty if nothing was said."""
    return f"{transcript.text}\n" if transcript.text else ""


def to_json(transcript: Transcript, file: str = "") -> str:
    """One object on one line: ``file``, ``text``, ``segments``, ``words``, ``language``, ``duration``, ``provider``.

    ``translation`` and ``warnings`` are there when there are any. Segments and words hold ``text``, ``start``,
    ``end`` (seconds, or null when the provider does not say) and what else the provider tells of them.
    """
    record: dict[str, Any] = {
        "file": file,
        "text": transcript.text,
        "segments": [_record(segment) for segment in transcript.segments],
        "words": [_record(word) for word in transcript.words],
        "language": transcript.language,
        "duration": _rounded(transcript.duration),
        "provider": transcript.provider,
    }
    if transcript.translation is not None:
        record["translation"] = transcript.translation
    if transcript.warnings:
        record["warnings"] = list(transcript.warnings)
    return json_line(record)


def json_line(record: dict[str, Any]) -> str:
    """The record as JSON on a line of its own, whatever it holds and whoever reads the lines."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS) + "\n"


def _record(part: Segment | Word) -> dict[str, Any]:
    record: dict[str, Any] = {"text": part.text, "start": _rounded(part.start), "end": _rounded(part.end)}
    for name in ("confidence", "speaker", "language", "channel"):
        value = getattr(part, name, None)
        if value is not None:
            record[name] = _rounded(value) if isinstance(value, float) else value
    return record


def _rounded(number: float | None) -> float | None:
    """To the millisecond; what is no number in JSON becomes null."""
    return round(number, 3) if number is not None and isfinite(number) else None
