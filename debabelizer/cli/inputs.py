"""What ``transcribe`` and ``stream`` are told about their input, in the same words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from debabelizer.cli.report import UsageError
from debabelizer.errors import AudioFormatError

if TYPE_CHECKING:
    from debabelizer.audio.format import AudioFormat

__all__ = ["STDIN", "AudioFormatOption", "LanguageOption", "ProviderOption", "check_stdin", "raw_format"]

STDIN: Final = "-"
"""How standard input is named on the command line."""

ProviderOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--provider", "-p", metavar="NAME", help="Let this provider do it; see `debabelizer providers`."),
]
LanguageOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--language", "-l", metavar="CODE", help="A language to expect, e.g. en; repeatable."),
]
AudioFormatOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--audio-format",
        metavar="FORMAT",
        help="How to read audio without a header: encoding/rate/channels, e.g. pcm_s16le/16000/1 or mulaw/8000.",
    ),
]


def raw_format(text: str | None) -> AudioFormat | None:
    """The format given with ``--audio-format``.

    Raises:
        UsageError: If it cannot be read.
    """
    if text is None:
        return None
    from debabelizer.audio.format import AudioFormat

    try:
        return AudioFormat.parse(text)
    except AudioFormatError as error:
        raise UsageError(error.message, hint=error.hint) from error


def check_stdin() -> None:
    """Make sure that there can be audio on standard input.

    Raises:
        UsageError: If it is the keyboard.
    """
    if sys.stdin.isatty():
        raise UsageError("Standard input is the keyboard.", hint="Pipe audio into it, or name a file.")
