"""`Tape`: a growing stretch of samples, addressed by position, of which the beginning can be forgotten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tape"]


class Tape:
    """Samples from a position on, appended at the end.

    A view handed out stays valid and never changes, whatever happens to the tape: memory is only ever written
    behind its filled part, and when it is full, what is still needed moves to new memory. So a growing utterance
    can be looked at again and again, also from another thread, without copying it.

    Args:
        capacity: Samples of one piece of memory. It should be a few times what is kept, so that moving is rare.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._memory = np.empty(capacity, np.float32)
        self._origin = 0
        self._kept_from = 0
        self.end = 0
        """Position behind the last sample."""

    def append(self, samples: NDArray[np.float32]) -> None:
        """Add samples at the end."""
        if self.end - self._origin + len(samples) > len(self._memory):
            self._move(len(samples))
        start = self.end - self._origin
        self._memory[start : start + len(samples)] = samples
        self.end += len(samples)

    def view(self, start: int, end: int) -> NDArray[np.float32]:
        """Read-only samples between two positions that were not forgotten."""
        if not self._kept_from <= start <= end <= self.end:
            raise IndexError(f"Samples {start} to {end} are not on the tape: it holds {self._kept_from} to {self.end}.")
        view = self._memory[start - self._origin : end - self._origin]
        view.flags.writeable = False
        return view

    def forget(self, before: int) -> None:
        """Give up all samples before a position."""
        self._kept_from = min(max(self._kept_from, before), self.end)

    def _move(self, extra: int) -> None:
        kept = self.view(self._kept_from, self.end)
        self._memory = np.empty(max(self._capacity, len(kept) + extra), np.float32)
        self._memory[: len(kept)] = kept
        self._origin = self._kept_from
