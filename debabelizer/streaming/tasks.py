"""The only module that creates tasks. Every task has one owner, who spawns it, watches it and stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from debabelizer.streaming.clock import Clock, Signal

__all__ = ["Parting", "spawn", "stop"]

ResultT = TypeVar("ResultT")


def spawn(
    coro: Coroutine[Any, Any, ResultT], *, name: str, on_end: Callable[[], object] | None = None
) -> asyncio.Task[ResultT]:
    """Start a task; `on_end` is called when it ended in whatever way. The caller owns it and must `stop` it."""
    task = asyncio.get_running_loop().create_task(coro, name=name)
    # Looking at the outcome here keeps the loop from reporting it as never retrieved; the owner judges it.
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    if on_end is not None:
        task.add_done_callback(lambda _: on_end())
    return task


async def stop(task: asyncio.Task[Any], clock: Clock, timeout: float) -> bool:
    """Cancel `task` and wait until it ended; False if it did not within `timeout` seconds.

    When the caller itself is cancelled meanwhile, the wait goes on (it is bounded) and the cancellation is
    raised afterwards, so that no task is left behind by a second cancel.
    """
    ended = Signal(clock)
    task.add_done_callback(lambda _: ended.notify())
    deadline = clock.time() + timeout
    cancelled: asyncio.CancelledError | None = None
    task.cancel()
    while not task.done() and clock.time() < deadline:
        try:
            await ended.wait(deadline)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.done()


class Parting:
    """What is being closed beside the work of the owner, all at the same time. Each is bounded by itself."""

    def __init__(self) -> None:
        self._closing: list[asyncio.Task[Any]] = []

    def begin(self, closing: Coroutine[Any, Any, ResultT], *, name: str) -> asyncio.Task[ResultT]:
        """Close something."""
        task = spawn(closing, name=name)
        self._closing = [*self._left(), task]
        return task

    async def end(self) -> None:
        """Wait until all is closed. A cancellation of the caller meanwhile is raised afterwards."""
        cancelled: asyncio.CancelledError | None = None
        while left := self._left():
            try:
                await asyncio.wait(left)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def _left(self) -> list[asyncio.Task[Any]]:
        return [task for task in self._closing if not task.done()]
