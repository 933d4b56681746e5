"""``debabelizer providers``: who could do the work, and whether they can do it here."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from debabelizer.cli.common import Choices, configurable

if TYPE_CHECKING:
    from rich.table import Table

    from debabelizer.plugins import ProviderRow
    from debabelizer.spec import Capabilities

__all__ = ["abilities", "providers"]

EXAMPLES: Final = """Examples:

$ debabelizer providers

$ debabelizer providers --json | jq -r '.[] | select(.status == "ready").name'
"""

_WIDE: Final = 10_000
"""Columns of what is not a terminal: lines there are for programs, which do not want them wrapped."""

_MOST_LANGUAGES: Final = 8


@configurable
def providers(
    choices: Choices,
    as_json: Annotated[bool, typer.Option("--json", help="Write a JSON array with everything that is known.")] = False,
) -> None:
    """Show the installed providers: what they can do, whether they can do it here and, if not, what to do.

    None of their own code is loaded for it.
    """
    rows = choices.rows()
    if as_json:
        typer.echo(json.dumps([row.to_dict() for row in rows], indent=2, ensure_ascii=False))
        return
    if not rows:
        typer.echo('No provider is installed. Type: pip install "debabelizer[moonshine]>=0.3"')
        return
    from rich.console import Console

    console = Console() if sys.stdout.isatty() else Console(width=_WIDE)
    with console.capture() as table:
        console.print(_table(rows))
    for line in table.get().splitlines():
        typer.echo(line.rstrip())


def _table(rows: tuple[ProviderRow, ...]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("provider", "version", "here", "what it can do"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        here = Text(row.status, style="green" if row.status == "ready" else "yellow")
        table.add_row(Text(row.name), Text(row.version or ""), here, Text(_about(row)))
    return table


def _about(row: ProviderRow) -> str:
    lines = [abilities(row.spec.capabilities)] if row.spec else []
    lines += [text for text in (row.reason, row.hint) if text]
    return "\n".join(lines)


def abilities(capabilities: Capabilities) -> str:
    """What a provider can do, as one line."""
    features = {
        "files": capabilities.batch,
        "streams": capabilities.streaming or capabilities.batch,
        "interims": capabilities.interims,
        "word times": capabilities.words == "word",
        "segment times": capabilities.words == "segment",
        "speakers": capabilities.diarization,
        "language identification": capabilities.language_identification,
        "translation": capabilities.translation,
        "vocabulary": capabilities.vocabulary,
    }
    where = "on this machine" if capabilities.local else "over the network"
    return "; ".join([", ".join(name for name, can in features.items() if can), where, _languages(capabilities)])


def _languages(capabilities: Capabilities) -> str:
    codes = capabilities.languages
    if "*" in codes:
        return "many languages"
    if len(codes) > _MOST_LANGUAGES:
        return f"{len(codes)} languages"
    return f"languages: {', '.join(codes)}" if codes else "languages not said"
