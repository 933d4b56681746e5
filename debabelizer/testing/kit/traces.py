"""`Traces`: the tasks, threads and sockets that a case leaves behind, and what it made the loop complain about."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from pathlib import Path
from typing import Any, Final

__all__ = ["Traces", "open_sockets"]

_LAST_BREATH: Final = 1.0
"""Real seconds in which a thread that has said that it is over may really end."""


class Traces:
    """What is there now, to be compared with what is there later."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        asyncio.get_running_loop().set_exception_handler(self._complain)
        self._tasks = asyncio.all_tasks()
        self._threads = set(threading.enumerate())
        self._sockets = open_sockets()

    async def left(self, *, thoroughly: bool = True) -> list[str]:
        """What was made since and is still there, by name; `thoroughly`: also what nobody refers to any more."""
        for _ in range(5):  # closed transports let go of their sockets a few steps later
            await asyncio.sleep(0)
        found = [] if thoroughly else self._found()
        if thoroughly or found:
            gc.collect()  # which takes its time; what a cycle holds is nobody's leak, and says so itself
            found = self._found()
        return found

    def _found(self) -> list[str]:
        tasks = [f"the task {task.get_name()!r}" for task in asyncio.all_tasks() - self._tasks]
        # The loop keeps the threads of `asyncio.to_thread` for the next call.
        threads = [
            thread
            for thread in threading.enumerate()
            if thread not in self._threads and not thread.name.startswith("asyncio_")
        ]
        for thread in threads:
            thread.join(_LAST_BREATH)
        left = [f"the thread {thread.name!r}" for thread in threads if thread.is_alive()]
        sockets = [f"the socket {target}" for target in sorted(open_sockets() - self._sockets)]
        return [*sorted(tasks), *sorted(left), *sockets]

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.complaints.append(f"{context['message']}{f' ({error!r})' if error else ''}")


def open_sockets() -> set[str]:
    """The sockets of this process, where the system tells."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return set()
    found = set()
    for name in os.listdir(folder):  # noqa: PTH208 - names, not paths that may be gone
        try:
            target = str((folder / name).readlink())
        except OSError:
            continue  # the listing's own handle
        if target.startswith("socket:"):
            found.add(target)
    return found
