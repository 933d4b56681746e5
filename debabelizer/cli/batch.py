"""Many recordings at once: each transcribed, written, and told of by itself."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from debabelizer.cli.inputs import STDIN
from debabelizer.cli.output import Output
from debabelizer.cli.progress import Display, Report
from debabelizer.cli.report import COMPLETE, FAILED, USAGE, complain, exit_code, warn
from debabelizer.cli.usage import tell_usage
from debabelizer.errors import DebabelizerError
from debabelizer.export import Format

if TYPE_CHECKING:
    from debabelizer.audio.format import AudioFormat
    from debabelizer.processor import VoiceProcessor

__all__ = ["Batch"]


@dataclass(slots=True, kw_only=True)
class Batch:
    """One run of ``transcribe``.

    Attributes:
        processor: Does the work.
        files: The recordings as given; ``-`` is standard input.
        made: What to make of the transcripts.
        output: Where to put it.
        audio_format: How to read headerless audio, or None.
        language_hints: Languages to expect, or None for what the configuration says.
        verbose: Whether to tell at the end what the providers were given.
        code: The exit code so far.
    """

    processor: VoiceProcessor
    files: tuple[str, ...]
    made: Format
    output: Output
    audio_format: AudioFormat | None = None
    language_hints: tuple[str, ...] | None = None
    verbose: bool = False
    code: int = field(default=COMPLETE, init=False)

    async def run(self) -> int:
        """Do it; returns the exit code.

        Raises:
            DebabelizerError: What no other recording could change: it ends the whole run.
            BrokenPipeError: If nobody reads standard output any more.
        """
        places = asyncio.Semaphore(self.processor.settings.stt.concurrency)
        with Display(len(self.files)) as display:
            async with self.processor:
                try:
                    async with asyncio.TaskGroup() as group:
                        for index in range(len(self.files)):
                            group.create_task(self._one(index, places, display))
                except ExceptionGroup as failed:
                    raise failed.exceptions[0] from None
            self.output.close()
        if self.verbose:
            tell_usage(self.processor.usage)
        return self.code

    async def _one(self, index: int, places: asyncio.Semaphore, display: Display) -> None:
        name = "standard input" if self.files[index] == STDIN else self.files[index]
        text: str | None = None
        async with places:
            with display.recording(name) as report:
                try:
                    text = await self._text(self.files[index], name, report)
                except DebabelizerError as error:
                    if exit_code(error) == USAGE:
                        raise
                    complain(error, about=name)
                    # A failure weighs more than an incomplete transcript.
                    self.code = FAILED if self.code == FAILED else exit_code(error)
            with display.aside():
                self.output.put(index, text)

    async def _text(self, file: str, name: str, report: Report) -> str:
        transcript = await self.processor.transcribe(
            sys.stdin.buffer if file == STDIN else file,
            audio_format=self.audio_format,
            language_hints=self.language_hints,
            require={"words": "segment"} if self.made.timed else None,
            on_progress=report,
        )
        for warning in transcript.warnings:
            warn(warning, about=name)
        return self.made.render(transcript, file)
