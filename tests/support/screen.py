"""A terminal's screen, as far as the command line uses one: what is on it after some output, and what of it is grey."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rich.cells import get_character_cell_size

_PARTS = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n])")


@dataclass
class Row:
    """One row. A wide character takes two cells, of which the second is empty."""

    cells: list[tuple[str, bool]] = field(default_factory=list)  # each with whether it is grey
    goes_on: bool = False  # the text was too long, and goes on in the next row


class Screen:
    """Understands what our output consists of; anything else is an error.

    Rows that were scrolled out are kept. When the width changes, long rows are wrapped anew, as terminals do.
    """

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.width, self.height = width, height
        self.rows = [Row()]
        self.colours: set[str] = set()
        self.cursor_is_shown = True
        self._row = self._column = 0
        self._grey = False

    def __str__(self) -> str:
        return "\n".join("".join(char for char, _ in row.cells).rstrip() for row in self.rows).rstrip("\n")

    @property
    def grey(self) -> str:
        """What is grey."""
        return "".join(char for row in self.rows for char, grey in row.cells if grey)

    def feed(self, output: str) -> None:
        end = 0
        for part in _PARTS.finditer(output):
            assert part.start() == end, f"the screen does not know {output[end : part.start()]!r}"
            end = part.end()
            numbers, verb, move, char = part.groups()
            if verb:
                self._control(numbers, verb)
            elif move == "\r":
                self._column = 0
            elif move == "\n":
                self._down()
                self._column = 0
            else:
                self._write(char)
        assert end == len(output), output[end:]

    def resize(self, width: int) -> None:
        lines: list[list[tuple[str, bool]]] = []
        joined = False
        for index, row in enumerate(self.rows):
            if index == self._row:
                place = (len(lines) - joined, len(lines[-1]) * joined + self._column)
            lines[-1:] = [lines[-1] + row.cells] if joined else [*lines[-1:], list(row.cells)]
            joined = row.goes_on
        self.width, self.rows = width, []
        for index, line in enumerate(lines):
            first = len(self.rows)
            for start in range(0, max(len(line), 1), width):
                self.rows.append(Row(line[start : start + width], start + width < len(line)))
            if index == place[0]:
                down = min(place[1] // width, len(self.rows) - first - 1)
                self._row, self._column = first + down, place[1] - down * width

    def _control(self, numbers: str, verb: str) -> None:
        match verb:
            case "A":
                top = max(len(self.rows) - self.height, 0)
                assert self._row - int(numbers or 1) >= top, "the cursor cannot leave the screen"
                self._row -= int(numbers or 1)
            case "K":
                self.rows[self._row] = Row()
            case "m":
                self._grey = numbers == "2" or (self._grey and numbers not in ("", "0"))
                self.colours |= {number for number in numbers.split(";") if number and number not in "02"}
            case "h" | "l":
                assert numbers == "?25"
                self.cursor_is_shown = verb == "h"
            case _:
                raise AssertionError(f"the screen does not know {numbers}{verb}")

    def _write(self, char: str) -> None:
        size = get_character_cell_size(char)
        if self._column + size > self.width:
            self.rows[self._row].goes_on = True
            self._down()
            self._column = 0
        cells = self.rows[self._row].cells
        cells += [(" ", False)] * (self._column - len(cells))
        cells[self._column : self._column + size] = [(char, self._grey), *[("", False)] * (size - 1)]
        self._column += size

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.rows):
            self.rows.append(Row())
