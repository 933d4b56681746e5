"""``debabelizer config``: what the configuration comes to, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from debabelizer.cli.common import Choices, configurable
from debabelizer.cli.report import note
from debabelizer.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from debabelizer.config import Settings

__all__ = ["config", "files_of"]

_SHOW_EXAMPLES: Final = """Examples:

$ debabelizer config show --sources

$ debabelizer --profile captions config show
"""

config = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Show or check the configuration.")


@config.command(epilog=_SHOW_EXAMPLES)
@configurable
def show(
    choices: Choices,
    sources: Annotated[bool, typer.Option("--sources", help="Say where each setting was written.")] = False,
) -> None:
    """Show every setting with its value, as lines of TOML. Secrets are hidden, references to them are not.

    Settings without a value are commented out.
    """
    from debabelizer.config import describe

    settings = choices.settings()
    rows = describe(settings, choices.registry(settings))
    lines = [f"{row.key} = {row.value}" if row.value else f"# {row.key} =" for row in rows]
    width = max(map(len, lines)) if sources else 0
    for line, row in zip(lines, rows, strict=True):
        typer.echo(f"{line:<{width}}  # {row.source}" if sources else line)


@config.command()
@configurable
def check(choices: Choices) -> None:
    """Check the whole configuration, with all profiles and the tables of all providers; tell every problem.

    Exit codes: 0 nothing is wrong, 2 something is.
    """
    import debabelizer.config as configuration

    broken: tuple[ConfigProblem, ...] = ()
    try:
        settings = choices.settings()
    except ConfigError as error:
        if error.settings is None:
            raise
        settings, broken = error.settings, error.problems
    report = configuration.check(settings, choices.registry(settings))
    for remark in report.notes:
        note(str(remark))
    if problems := (*broken, *(problem for problem in report.problems if problem not in broken)):
        raise ConfigError(problems)
    files = ", ".join(map(str, files_of(settings)))
    typer.echo(f"Nothing is wrong with {files}." if files else "There is no configuration file: all is default.")


def files_of(settings: Settings) -> list[Path]:
    """The files that the configuration was read from, weak to strong."""
    return [layer.source.name for layer in settings.stack.base if isinstance(layer.source.name, Path)]
