"""An event loop on which nobody waits long: while nothing happens, time goes by two hundred times as fast.

For what needs real sockets or threads, which virtual time cannot have: half a minute of patience with a peer that is
silent takes a sixth of a second. Work takes the time it takes, so a slow machine does not run into deadlines.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

__all__ = ["HastyLoop", "run"]

ArgsT = TypeVarTuple("ArgsT")
ResultT = TypeVar("ResultT")

_SLICE: Final = 0.001  # real seconds in which whatever is under way on loopback is seen
_HASTE: Final = 200
_LULL: Final = 50  # slices in which nothing happened: then nothing but a deadline will, and time flies
_FLIGHT: Final = 2000


class _HastySelector(selectors.DefaultSelector):  # type: ignore[misc,valid-type,unused-ignore]  # differs by system
    """Waits for a slice of what it should, and says that more has passed.

    Attributes:
        skipped: Seconds that never were.
        idle: Slices in a row in which nothing happened.
        busy: Calls that threads are at work on; meanwhile time goes by as it does.
    """

    skipped = 0.0
    idle = 0
    busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `selectors.BaseSelector.select`."""
        if timeout is None or timeout <= 0 or self.busy:
            return super().select(timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(min(timeout, _SLICE))
        self.idle = 0 if ready else self.idle + 1
        if not ready:
            haste = _HASTE if self.idle < _LULL else _FLIGHT
            self.skipped += max(min(timeout, _SLICE * haste) - _SLICE, 0.0)
        return ready


class HastyLoop(asyncio.SelectorEventLoop):
    """See the module. Servers and clients are real."""

    def __init__(self) -> None:
        self._hasty = _HastySelector()
        super().__init__(self._hasty)

    def time(self) -> float:
        """Seconds, with those that never were."""
        return super().time() + self._hasty.skipped

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[ArgsT]], ResultT], *args: *ArgsT
    ) -> asyncio.Future[ResultT]:
        """See `asyncio.loop.run_in_executor`."""
        future = super().run_in_executor(executor, func, *args)
        self._hasty.busy += 1
        future.add_done_callback(self._rest)
        return future

    def _rest(self, _: object) -> None:
        self._hasty.busy -= 1


def run(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    """As `asyncio.run`, in haste."""
    with asyncio.Runner(loop_factory=HastyLoop) as runner:
        return runner.run(main)
