"""`Traffic`: what passes through a proxy, counted over all of its connections; and what is to happen at which byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

__all__ = ["Traffic", "Way"]

Way: TypeAlias = Literal["up", "down"]
"""``up`` is from the client to the server."""


class Traffic:
    """Counts.

    Attributes:
        turns: Who spoke how many bytes before the other did, in order.
    """

    def __init__(self) -> None:
        self.turns: list[tuple[Way, int]] = []
        self._passed: dict[Way, int] = {"up": 0, "down": 0}
        self._due: dict[Way, list[tuple[int, Callable[[], object]]]] = {"up": [], "down": []}

    def plan(self, way: Way, after: int, action: Callable[[], object]) -> None:
        """Do something when `after` bytes went that way, before the next one does."""
        self._due[way].append((after, action))
        self._due[way].sort(key=lambda due: due[0])

    def strike(self, way: Way) -> None:
        """Another byte is to go that way: what is due happens now."""
        due = self._due[way]
        while due and due[0][0] <= self._passed[way]:
            due.pop(0)[1]()

    def room(self, way: Way) -> int | None:
        """How many bytes may go that way before something is due; None is any number."""
        due = self._due[way]
        return due[0][0] - self._passed[way] if due else None

    def note(self, way: Way, size: int) -> None:
        """So many bytes went that way."""
        self._passed[way] += size
        if self.turns and self.turns[-1][0] == way:
            size += self.turns.pop()[1]
        self.turns.append((way, size))
