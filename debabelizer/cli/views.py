"""Where the events of a stream go: a terminal, a pipe, or lines of JSON."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from debabelizer.cli.events import event_line
from debabelizer.cli.lines import Lines
from debabelizer.cli.output import write_stdout
from debabelizer.cli.report import note, warn
from debabelizer.results import Progress, ProviderChanged, Reconnected, Reconnecting, StreamEvent, StreamingResult

__all__ = ["JsonView", "PipeView", "TextView", "View", "view"]


class View(ABC):
    """Shows a stream while it is entered.

    Attributes:
        interim: Whether it has a use for results that may still change.
    """

    interim = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Show what is still held back, however the stream ended."""

    @abstractmethod
    def show(self, event: StreamEvent) -> None:
        """Show an event now.

        Raises:
            OutputError: If it cannot be written.
            BrokenPipeError: If nobody reads standard output any more.
        """


class JsonView(View):
    """Every event on a line of its own."""

    def show(self, event: StreamEvent) -> None:
        """See `View`."""
        write_stdout(event_line(event))

    def close(self) -> None:
        """See `View`: nothing is held back."""


class TextView(View):
    """What was said on standard output, and what happened meanwhile on standard error."""

    def __init__(self) -> None:
        self.lines = Lines()

    def show(self, event: StreamEvent) -> None:
        """See `View`."""
        match event:
            case StreamingResult():
                self.result(event)
            case Reconnecting(cause=cause, delay=delay):
                note(f"{' '.join(str(cause).split()).rstrip('.')}. The next attempt is in {delay:.1f} s.")
            case Reconnected(replayed=replayed, gap=gap):
                note(f"Connected again; {replayed:.1f} s of audio are sent once more.")
                if gap:
                    warn(f"{gap:.1f} s of audio are lost.")
            case ProviderChanged(provider=provider, at=at):
                note(f"From {at:.1f} s on, {provider} does the work.")
            case Progress(note=str() as text):
                note(text)
            case _:
                pass

    @abstractmethod
    def result(self, result: StreamingResult) -> None:
        """Show a result."""


class PipeView(TextView):
    """A line for each utterance, as soon as it is over."""

    interim = False

    def close(self) -> None:
        """See `View`."""
        if self.lines.rest:
            write_stdout(f"{self.lines.take()}\n")

    def result(self, result: StreamingResult) -> None:
        """See `TextView`."""
        if result.is_final:
            for line in self.lines.add(result):
                write_stdout(f"{line}\n")


def view(*, as_json: bool) -> View:
    """What suits standard output."""
    if as_json:
        return JsonView()
    if sys.stdout.isatty():
        from rich.console import Console

        from debabelizer.cli.screen import ScreenView

        console = Console(highlight=False)
        if console.is_interactive:
            return ScreenView(console)
    return PipeView()
