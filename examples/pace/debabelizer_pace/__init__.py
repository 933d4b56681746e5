"""A command for Debabelizer: ``debabelizer pace`` says how fast somebody speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debabelizer.plugins import hookimpl

if TYPE_CHECKING:
    import typer

__all__ = ["debabelizer_register_commands"]


@hookimpl
def debabelizer_register_commands(cli: typer.Typer) -> None:
    """Add the command; its module is imported here, and so not when providers are listed."""
    from debabelizer_pace.command import pace

    cli.command()(pace)
