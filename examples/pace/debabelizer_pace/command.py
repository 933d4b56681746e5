"""``debabelizer pace``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["pace", "words_a_minute"]


def pace(transcripts: Annotated[typer.FileText | None, typer.Argument(metavar="[FILE]")] = None) -> None:
    """Say how many words a minute were spoken, in transcripts that were written with --format json.

    Without a file they are read from standard input.
    """
    for number, line in enumerate(transcripts or typer.get_text_stream("stdin"), start=1):
        try:
            typer.echo(told(line))
        except (ValueError, LookupError, TypeError) as error:
            advice = "make one with: debabelizer transcribe --format json"
            raise typer.BadParameter(f"line {number} is no transcript; {advice}") from error


def told(line: str) -> str:
    """What to say of one transcript, an object on a line."""
    transcript = json.loads(line)
    speed = words_a_minute(transcript["text"], transcript["duration"])
    return f"{speed:3.0f} words/min  {Path(transcript['file']).name}"


def words_a_minute(text: str, seconds: float) -> float:
    """How many words a minute; 0.0 when there was no time to say any."""
    return len(text.split()) * 60.0 / seconds if seconds > 0 else 0.0
