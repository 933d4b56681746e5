"""Progress bars on a terminal; nothing at all anywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TypeAlias

from debabelizer.results import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

__all__ = ["Display", "Report"]

Report: TypeAlias = Callable[[Progress], None]
"""Takes how far one recording is."""


class Display:
    """A bar for each recording that is being worked on, and one for all, on standard error, while it is entered.

    What is written to standard error meanwhile appears above the bars. Standard output is another stream that may
    well be the same terminal: write to it inside `aside`.
    """

    def __init__(self, files: int) -> None:
        self._bars = _bars() if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else None
        if self._bars is not None:
            self._all = self._bars.add_task(f"{files} recordings", total=files, note="", visible=files > 1)

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    @contextmanager
    def recording(self, name: str) -> Iterator[Report]:
        """Show the bar of one recording; gives what is to be called with its progress."""
        if self._bars is None:
            yield _ignore
            return
        bars = self._bars
        bar = bars.add_task(name, total=None, note="")

        def report(progress: Progress) -> None:
            bars.update(bar, completed=progress.done, total=progress.total, note=progress.note or "")

        try:
            yield report
        finally:
            bars.remove_task(bar)
            bars.advance(self._all)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bars away while something is written to standard output."""
        if self._bars is None or not sys.stdout.isatty():
            yield
            return
        self._bars.stop()
        try:
            yield
        finally:
            self._bars.start()


def _ignore(_progress: Progress) -> None:
    """Take no notice."""


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.table import Column

    return Bars(
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False, style="yellow"),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        expand=False,
    )
