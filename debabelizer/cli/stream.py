"""``debabelizer stream``: live audio to text."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any, Final

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
from debabelizer.cli.report import INTERRUPTED, UsageError

__all__ = ["EXAMPLES", "stream"]

EXAMPLES: Final = """Examples:

$ debabelizer stream --mic

$ debabelizer stream lecture.mp3 --json

$ arecord -q -f S16_LE -r 16000 -t raw | debabelizer stream - --audio-format pcm_s16le/16000
"""


@configurable
def stream(
    choices: Choices,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="A recording in any audio or video format; - is standard input, heard as it comes.",
        ),
    ] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Listen to the microphone.")] = False,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="NAME", help="Which microphone: its number, or a part of its name. Implies --mic."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write every event as a JSON object on a line.")] = False,
    no_interim: Annotated[bool, typer.Option("--no-interim", help="Only what is final.")] = False,
    provider: ProviderOption = None,
    language: LanguageOption = None,
    audio_format: AudioFormatOption = None,
) -> None:
    """Transcribe while the audio comes: from a microphone, a pipe, or a file.

    On a terminal, what may still change is grey and moves, and what is final stays. In a pipe there is a line
    for each utterance as soon as it is over. Everything else goes to standard error.

    Ctrl-C ends the audio, and what was said is still transcribed; a second one abandons that.

    Exit codes: 0 complete, 1 failed, 2 usage or configuration, 3 incomplete, 130 abandoned.
    """
    from debabelizer.cli.live import listen
    from debabelizer.cli.views import view
    from debabelizer.processor import VoiceProcessor

    raw = raw_format(audio_format)
    mic = mic or device is not None
    source = _source(file, mic=mic, device=device, is_raw=raw is not None)
    processor = VoiceProcessor(choices.config, profile=choices.profile, provider=provider, sets=choices.sets)
    shown = view(as_json=as_json)
    options: dict[str, Any] = {
        "audio_format": raw,
        "language_hints": tuple(language) if language else None,
        # None leaves it to the configuration; an engine need not work for what nobody sees.
        "interim": None if shown.interim and not no_interim else False,
        "explain": choices.verbosity > 0,
        "account": choices.verbosity > 0,
    }
    greeting = "Listening. Ctrl-C ends it." if mic and sys.stderr.isatty() else None
    try:
        code = asyncio.run(listen(processor, source, shown, greeting=greeting, **options))
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code)


def _source(file: str | None, *, mic: bool, device: str | None, is_raw: bool) -> Any:
    if not mic:
        if file is None:
            raise UsageError("There is nothing to listen to.", hint="Name a file, - for standard input, or --mic.")
        if file != STDIN:
            return file
        check_stdin()
        return sys.stdin.buffer
    if file is not None:
        raise UsageError("There are two things to listen to.", hint=f"Name either {file} or a microphone.")
    if is_raw:
        raise UsageError("The microphone has its own audio format.", hint="Leave out --audio-format.")
    from debabelizer.audio.microphone import microphone

    return microphone(device=int(device) if device is not None and device.isdecimal() else device)
