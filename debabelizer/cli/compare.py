"""``debabelizer compare``: one recording through several providers, side by side."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from debabelizer.cli.common import Choices, configurable
from debabelizer.cli.inputs import STDIN, AudioFormatOption, LanguageOption, raw_format
from debabelizer.cli.output import write_aside, write_stdout
from debabelizer.cli.progress import Display, Report
from debabelizer.cli.report import COMPLETE, FAILED, INCOMPLETE, INTERRUPTED, UsageError, complain, note

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from debabelizer.compare import Candidate, Comparison, Piece
    from debabelizer.processor import VoiceProcessor
    from debabelizer.results import Progress

__all__ = ["EXAMPLES", "compare"]

EXAMPLES: Final = """Examples:

$ debabelizer compare call.wav --providers moonshine,soniox,deepgram

$ debabelizer compare call.wav --providers moonshine,whisper --reference call.txt --html call.html
"""

_WIDE: Final = 120  # columns of what is not a terminal


@configurable
def compare(
    choices: Choices,
    file: Annotated[str, typer.Argument(metavar="FILE", show_default=False, help="A recording in any format.")],
    providers: Annotated[
        str | None,
        typer.Option(
            "--providers", metavar="NAMES", help="Names with commas between; by default those of the configuration."
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            metavar="PATH",
            help="A text file with what was really said; without one, the first provider is the measure.",
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--html", metavar="PATH", help="Write it as a page, too: one file, nothing to load.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object instead of tables.")] = False,
    language: LanguageOption = None,
    audio_format: AudioFormatOption = None,
) -> None:
    """Transcribe a recording with several providers, and show where their words differ.

    With a reference the word error rate is told, in any case how long each took, and what it costs.

    Case and punctuation do not count. The providers work one after another, so that their times are their own.

    Exit codes: 0 all did it, 1 none did, 2 usage or configuration, 3 some failed, 130 interrupted.
    """
    from debabelizer.processor import VoiceProcessor

    if file == STDIN:
        raise UsageError("The recording is read once for each provider.", hint="Name a file.")
    processor = VoiceProcessor(choices.config, profile=choices.profile, sets=choices.sets)
    work = _compare(
        processor,
        file,
        _names(providers, processor),
        reference=_read(reference),
        audio_format=raw_format(audio_format),
        language_hints=tuple(language) if language else None,
    )
    try:
        comparison = asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    _write(comparison, file, page=page, as_json=as_json)
    if choices.verbosity and comparison.has_reference:
        _advise(comparison)
    failed = [it for it in comparison.candidates if it.error is not None]
    raise typer.Exit(COMPLETE if not failed else FAILED if len(failed) == len(comparison.candidates) else INCOMPLETE)


def _advise(comparison: Comparison) -> None:
    """Tell how to choose by what was found."""
    from debabelizer.config.describe import toml

    found = {it.provider: it.alignment.error_rate for it in comparison.candidates if it.alignment is not None}
    rates = {name: round(rate, 4) for name, rate in found.items() if rate is not None}
    note(f'To have the most accurate one asked first: [stt] prefer = "accuracy", accuracy = {toml(rates)}')


def _names(given: str | None, processor: VoiceProcessor) -> list[str]:
    names = [name.strip() for name in given.split(",")] if given is not None else list(processor.settings.stt.provider)
    names = list(dict.fromkeys(name for name in names if name))
    if not names:
        raise UsageError("No provider is named.", hint="For example: --providers moonshine,soniox")
    return names


def _read(reference: Path | None) -> str | None:
    if reference is None:
        return None
    try:
        return reference.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"The reference {reference} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        message = f"The reference {reference} is not UTF-8 text: the byte at {error.start} is wrong."
        raise UsageError(message, hint="Convert it, for example with iconv.") from error


async def _compare(processor: VoiceProcessor, file: str, names: list[str], **wishes: Any) -> Comparison:
    from debabelizer.compare import compare as run

    bars: dict[str, Report] = {}
    with Display(1) as display, ExitStack() as shown:

        def report(provider: str, progress: Progress) -> None:
            if provider not in bars:  # it begins, so the one before is done
                shown.close()
                bars[provider] = shown.enter_context(display.recording(f"{provider}: {file}"))
            bars[provider](progress)

        async with processor:
            return await run(processor, file, names, on_progress=report, **wishes)


def _write(comparison: Comparison, file: str, *, page: Path | None, as_json: bool) -> None:
    from debabelizer.compare import to_html

    for candidate in comparison.candidates:
        if candidate.error is not None:
            complain(candidate.error, about=candidate.provider)
    if page is not None:
        write_aside(page, to_html(comparison, Path(file).name))
    if as_json:
        from debabelizer.export.plain import json_line

        write_stdout(json_line(_record(comparison, file)))
        return
    _show(comparison)
    if page is not None:
        note(f"The page is {page}.")


def _record(comparison: Comparison, file: str) -> dict[str, Any]:
    return {
        "file": file,
        "duration": round(comparison.duration, 3),
        "baseline": comparison.baseline,
        "providers": [_candidate(candidate) for candidate in comparison.candidates],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    record: dict[str, Any] = {"provider": candidate.provider, "seconds": round(candidate.seconds, 3)}
    if candidate.transcript is None or candidate.alignment is None:
        return record | {"error": str(candidate.error)}
    alignment, rate = candidate.alignment, candidate.alignment.error_rate
    return record | {
        "text": candidate.transcript.text,
        "price": candidate.price,
        "error_rate": None if rate is None else round(rate, 6),
        "replaced": alignment.count("replace"),
        "inserted": alignment.count("insert"),
        "deleted": alignment.count("delete"),
    }


def _show(comparison: Comparison) -> None:
    """Two tables: the figures, and the words wherever not all agree."""
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=_WIDE)
    with console.capture() as captured:
        console.print(_figures(comparison))
        console.print()
        console.print(_words(comparison))
    write_stdout("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def _figures(comparison: Comparison) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from debabelizer.compare.figures import figures, headings

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    name, *others = headings(comparison)
    table.add_column(name, min_width=max(len(candidate.provider) for candidate in comparison.candidates))
    for heading in others:
        table.add_column(heading, justify="right")
    for candidate in comparison.candidates:
        cells = figures(candidate) if candidate.error is None else ("failed",)
        table.add_row(Text(candidate.provider), *map(Text, cells))
    return table


def _words(comparison: Comparison) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from debabelizer.compare.rows import rows

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows(comparison):
        if row.agreed:
            table.add_row(Text("all", style="dim"), Text(" ".join(row.baseline), style="dim"))
            continue
        table.add_row(Text(comparison.baseline, style="bold"), Text(" ".join(row.baseline)))
        for provider, pieces in row.pieces.items():
            if provider != comparison.baseline:
                table.add_row(Text(provider, style="bold"), Text(" ").join(map(_piece, pieces)))
    return table


def _piece(piece: Piece) -> Text:
    """Marked with signs as well as colours: not every terminal, nor every eye, has colours."""
    from rich.text import Text

    said, missing = " ".join(piece.words), " ".join(piece.baseline)
    match piece.kind:
        case "equal":
            return Text(said)
        case "replace":
            return Text(f"[{missing}→{said}]", style="yellow")
        case "insert":
            return Text(f"[+{said}]", style="green")
        case "delete":
            return Text(f"[-{missing}]", style="red")
