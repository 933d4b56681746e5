"""Cues written down: SubRip (SRT) and WebVTT.

SubRip has no specification; what is written here is what its own program wrote: a number, comma milliseconds, an
empty line behind each cue, no markup. WebVTT follows https://www.w3.org/TR/webvtt1/: dot milliseconds, ``&``, ``<``
and ``>`` escaped (so that no text can be taken for ``-->``), the speaker as a voice span.
"""

from __future__ import annotations

from typing import Final

from debabelizer.export.cues import cues
from debabelizer.results import Transcript

__all__ = ["to_srt", "to_vtt"]

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_srt(transcript: Transcript) -> str:
    """SubRip subtitles.

    Raises:
        CapabilityError: If the transcript has text, but no time at all.
    """
    return "\n".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n" + "\n".join(cue.lines) + "\n"
        for number, cue in enumerate(cues(transcript), start=1)
    )


def to_vtt(transcript: Transcript) -> str:
    """WebVTT subtitles.

    Raises:
        CapabilityError: If the transcript has text, but no time at all.
    """
    blocks = ["WEBVTT\n"]
    for cue in cues(transcript):
        voice = f"<v {_escape(' '.join(cue.speaker.split()))}>" if cue.speaker and cue.speaker.strip() else ""
        lines = "\n".join(_escape(line) for line in cue.lines)
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{voice}{lines}\n")
    return "\n".join(blocks)


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _clock(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"
