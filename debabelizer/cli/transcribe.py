"""``debabelizer transcribe``: recordings to text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Final

import typer

from debabelizer.cli.common import Choices, configurable
from debabelizer.cli.inputs import (
    STDIN,
    AudioFormatOption,
    LanguageOption,
    ProviderOption,
    check_stdin,
    raw_format,
)
from debabelizer.cli.output import plan
from debabelizer.cli.report import INTERRUPTED, UsageError

if TYPE_CHECKING:
    from debabelizer.export import Format
    from debabelizer.processor import VoiceProcessor
    from debabelizer.results import Transcript

__all__ = ["EXAMPLES", "transcribe"]

EXAMPLES: Final = """Examples:

$ debabelizer transcribe meeting.m4a

$ debabelizer transcribe talk.mp4 --format srt --output talk.srt

$ debabelizer transcribe *.mp3 --format json > transcripts.jsonl

$ curl -s https://example.org/talk.ogg | debabelizer transcribe -
"""


@configurable
def transcribe(
    choices: Choices,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="Recordings in any audio or video format; - is standard input.",
        ),
    ],
    made: Annotated[
        str,
        typer.Option("--format", "-f", metavar="NAME", help="What to write: text, json, srt, vtt, or a plugin's."),
    ] = "text",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Write to this file; or into this folder (with a slash at its end), a file for each recording.",
        ),
    ] = None,
    provider: ProviderOption = None,
    language: LanguageOption = None,
    audio_format: AudioFormatOption = None,
) -> None:
    """Transcribe recordings, several at once, in any audio or video format.

    Transcripts go to standard output in the order of the recordings, everything else to standard error.

    A recording that fails does not keep the others from being done.

    Exit codes: 0 complete, 1 something failed, 2 usage or configuration, 3 incomplete, 130 interrupted.
    """
    from debabelizer.cli.batch import Batch
    from debabelizer.processor import VoiceProcessor

    raw = raw_format(audio_format)
    _check_stdin(files)
    processor = VoiceProcessor(choices.config, profile=choices.profile, provider=provider, sets=choices.sets)
    wanted = _format(made, processor)
    batch = Batch(
        processor=processor,
        files=tuple(files),
        made=wanted,
        output=plan(output, files, wanted),
        audio_format=raw,
        language_hints=tuple(language) if language else None,
        verbose=choices.verbosity > 0,
    )
    try:
        code = asyncio.run(batch.run())
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code)


def _check_stdin(files: Sequence[str]) -> None:
    if files.count(STDIN) > 1:
        raise UsageError("Standard input can be read only once.", hint="Give - once.")
    if STDIN in files:
        check_stdin()


def _format(name: str, processor: VoiceProcessor) -> Format:
    """The format of that name; plugins are asked only for one that is not built in."""
    from debabelizer.export import BUILT_IN, Exporter, Format
    from debabelizer.plugins.isolation import isolate

    formats = dict(BUILT_IN)
    if name not in formats:

        def register(name: str, exporter: Exporter) -> None:
            if not re.fullmatch("[a-z0-9]+", name):  # it becomes the suffix of files
                raise ValueError(f"{name!r} is no name for a format: use lower case letters and digits")

            def render(transcript: Transcript) -> str:
                return isolate(name, "failed to write a transcript", exporter, transcript)

            formats.setdefault(name, Format.of_plugin(name, render))

        processor.registry.hook.debabelizer_register_exporters(register=register)
    if name not in formats:
        nearest = get_close_matches(name, formats, n=1)
        hint = f"Did you mean {nearest[0]}?" if nearest else f"There are {', '.join(formats)}."
        raise UsageError(f"There is no format {name!r}.", hint=hint)
    return formats[name]
