"""`Format`: an exporter with its name, its file suffix, and how several transcripts share one output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from debabelizer.export.plain import to_json, to_text
from debabelizer.export.subtitles import to_srt, to_vtt
from debabelizer.results import Transcript

__all__ = ["BUILT_IN", "Exporter", "Format"]

Exporter: TypeAlias = Callable[[Transcript], str]
"""Turns a transcript into the text of a file: no state, no I/O."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """An output format.

    Attributes:
        name: What users write behind ``--format``.
        summary: One line.
        suffix: Suffix of its files, with the dot.
        together: How several transcripts stand in one output: ``lines`` (one each), ``headings`` (each under the
            name of its file), or ``no`` (a file holds one transcript).
        timed: Whether it needs times, of words or of segments.
        render: Makes the text from the transcript and the name of the recording.
    """

    name: str
    summary: str
    suffix: str
    together: Literal["lines", "headings", "no"] = "no"
    timed: bool = False
    render: Callable[[Transcript, str], str]

    @classmethod
    def of_plugin(cls, name: str, exporter: Exporter) -> Format:
        """The format that a plugin registered. Nothing is known of how its texts could be joined."""
        return cls(name=name, summary="from a plugin", suffix=f".{name}", render=_without_name(exporter))


def _without_name(exporter: Exporter) -> Callable[[Transcript, str], str]:
    return lambda transcript, _name: exporter(transcript)


BUILT_IN: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "text": Format(
            name="text",
            summary="what was said, nothing else",
            suffix=".txt",
            together="headings",
            render=_without_name(to_text),
        ),
        "json": Format(
            name="json",
            summary="one object on one line for each file, with segments, words and times",
            suffix=".json",
            together="lines",
            render=to_json,
        ),
        "srt": Format(name="srt", summary="SubRip subtitles", suffix=".srt", timed=True, render=_without_name(to_srt)),
        "vtt": Format(name="vtt", summary="WebVTT subtitles", suffix=".vtt", timed=True, render=_without_name(to_vtt)),
    }
)
