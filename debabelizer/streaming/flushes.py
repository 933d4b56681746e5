"""`Flushes`: the requests to make pending words final that are not answered yet."""

from __future__ import annotations

from collections.abc import Callable

from debabelizer.results import FlushResult
from debabelizer.streaming.clock import Clock, Signal

__all__ = ["FlushMark", "Flushes"]


class FlushMark:
    """A flush asked for at a position; `confirmed` once everything before it is final."""

    __slots__ = ("confirmed", "position", "trailing_silence")

    def __init__(self, position: int, trailing_silence: float) -> None:
        self.position = position
        self.trailing_silence = trailing_silence
        self.confirmed = False


class Flushes:
    """Marks in the audio, oldest first. They outlive attempts: a new connection is given those that are open.

    Args:
        moved: Notified whenever a mark may have been confirmed, or the stream is over.
        clock: For the wait.
    """

    def __init__(self, moved: Signal, clock: Clock) -> None:
        self.open: list[FlushMark] = []
        self._moved = moved
        self._clock = clock

    async def wait(self, mark: FlushMark, at: float, timeout: float, over: Callable[[], bool]) -> FlushResult:
        """Wait until `mark`, which is open, is confirmed, `timeout` seconds passed, or the stream is `over`."""
        deadline = self._clock.time() + timeout
        try:
            while not mark.confirmed and not over():
                if not await self._moved.wait(deadline):
                    return FlushResult(confirmed=False, at=at, reason="timeout")
        finally:
            self.open.remove(mark)
        return FlushResult(confirmed=mark.confirmed, at=at, reason=None if mark.confirmed else "ended")

    def confirm(self, position: int) -> None:
        """Everything before `position` is final."""
        for mark in self.open:
            mark.confirmed = mark.confirmed or mark.position <= position
