"""`ScreenView`: interims that move and finals that stay, on a terminal."""

from __future__ import annotations

import sys
from math import ceil
from typing import Final, Self

from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from debabelizer.cli.lines import printable
from debabelizer.cli.views import TextView
from debabelizer.results import StreamingResult

__all__ = ["ScreenView", "tail"]

_ROW_ABOVE: Final = (ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))

_SPARE: Final = 2
"""Columns left free on the right: what the terminal echoes for Ctrl-C must not start a new row."""


class ScreenView(TextView):
    """Lines that are over scroll away like any output; below them move the rows of the line that is not.

    These are its finals and, in grey, the end of the interim, one row of it at most. What is written to
    standard error meanwhile, by whomever, stands above them.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._interim = Text()
        self._drawn: list[int] = []  # how wide each moving row is, in cells
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=sys.stderr.isatty(),
            vertical_overflow="visible",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def close(self) -> None:
        """See `View`."""
        self._interim = Text()
        self._draw([self.lines.take()] if self.lines.rest else [])
        self._live.stop()

    def result(self, result: StreamingResult) -> None:
        """See `TextView`."""
        over: list[str] = []
        if result.is_final:
            self._interim = Text()  # what it said is in this final, or comes again with the next interim
            over = self.lines.add(result)
        else:
            text = tail(printable(result.text), self._console.width - _SPARE)
            self._interim = Text(text and printable(result.separator) + text, "dim")
            if not self.lines.rest:
                self._interim = Text(text, "dim")
        self._draw(over)

    def _draw(self, over: list[str]) -> None:
        """Draw the moving rows anew, and above them the lines that are over, all in one write: nothing flickers."""
        with self._console:
            self._unfold()
            rows = self._rows()
            self._drawn = [row.cell_len for row in rows]
            self._live.update(Text("\n").join(rows), refresh=True)
            for line in over:
                self._console.print(Text(line), soft_wrap=True)

    def _rows(self) -> list[Text]:
        width, height = self._console.width - _SPARE, self._console.height
        text = Text(self.lines.rest) + self._interim
        return list(text.wrap(self._console, max(width, 1)))[-max(height - 1, 1) :]

    def _unfold(self) -> None:
        """Erase what a terminal that became narrower made of the rows: each one that no longer fits is now several."""
        width = self._console.width
        more = sum(ceil(cells / width) - 1 for cells in self._drawn if cells)
        self._console.control(Control(*_ROW_ABOVE * more))


def tail(text: str, width: int) -> str:
    """The end of a text that fits into `width` cells, with an ellipsis for what is left out."""
    if cell_len(text) <= width:
        return text
    room, start = width - 1, len(text)
    while start > 0 and (room := room - get_character_cell_size(text[start - 1])) >= 0:
        start -= 1
    while start < len(text) and not get_character_cell_size(text[start]):
        start += 1  # an accent without its letter
    return f"…{text[start:].lstrip()}"
