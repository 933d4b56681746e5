"""An output format for Debabelizer: ``--format md`` writes a transcript as Markdown, a paragraph for each turn."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import groupby

from debabelizer import Segment, Transcript
from debabelizer.plugins import hookimpl

__all__ = ["debabelizer_register_exporters", "to_markdown"]


@hookimpl
def debabelizer_register_exporters(register: Callable[[str, Callable[[Transcript], str]], None]) -> None:
    """Add the format."""
    register("md", to_markdown)


def to_markdown(transcript: Transcript) -> str:
    """A paragraph for each turn of a speaker; where speakers are not told apart, for each segment."""
    turns = (list(turn) for _, turn in groupby(enumerate(transcript.segments), key=_turn))
    paragraphs = [_paragraph([segment for _, segment in turn]) for turn in turns] or [_escaped(transcript.text)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _turn(place: tuple[int, Segment]) -> str | int:
    number, segment = place
    return number if segment.speaker is None else segment.speaker


def _paragraph(segments: list[Segment]) -> str:
    first = segments[0]
    marks = [] if first.start is None else [f"[{timedelta(seconds=int(first.start))}]"]
    if first.speaker is not None:
        marks.append(f"Speaker {_escaped(first.speaker)}:")
    text = _escaped(" ".join(segment.text for segment in segments))
    return f"**{' '.join(marks)}** {text}" if marks else text


def _escaped(text: str) -> str:
    """The text, with what Markdown would take for markup taken as it is."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", text)
