"""What tests leave behind: tasks, threads, sockets, and complaints of an event loop that nobody heard."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any, Final
from weakref import WeakKeyDictionary

import pytest

from debabelizer.testing.kit.traces import open_sockets

__all__ = ["Loops", "Things"]


_GRACE: Final = 1.0  # seconds for a thread to end

# Only tests run a server of aiohttp's. It keeps its tasks for a while for a client that left within a call.
_SERVER: Final = "RequestHandler."


class Loops:
    """Looks at every event loop of the process, whoever makes it and runs it.

    Attributes:
        test: The test that runs now.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.test = ""
        self._found: list[str] = []
        self._makers: WeakKeyDictionary[asyncio.AbstractEventLoop, str] = WeakKeyDictionary()
        base, runner = asyncio.BaseEventLoop, asyncio.Runner
        made, complain, close, end = base.__init__, base.call_exception_handler, base.close, runner.close

        def note_made(loop: asyncio.BaseEventLoop) -> None:
            made(loop)
            self._makers[loop] = self.test

        def note_complaint(loop: asyncio.BaseEventLoop, context: dict[str, Any]) -> None:
            error = context.get("exception")
            self._note(loop, context["message"] + (f" ({error!r})" if error else ""))
            complain(loop, context)

        def note_tasks(loop: asyncio.BaseEventLoop) -> None:
            if not loop.is_closed():
                self._note_pending(loop)
            close(loop)

        def note_tasks_of_main(ended: asyncio.Runner) -> None:
            # They are about to be cancelled, and would be gone when the loop is closed.
            loop = ended.get_loop()
            if asyncio.all_tasks(loop):
                loop.run_until_complete(_last_steps())
            self._note_pending(loop)
            end(ended)

        patch.setattr(base, "__init__", note_made)
        patch.setattr(base, "call_exception_handler", note_complaint)
        patch.setattr(base, "close", note_tasks)
        patch.setattr(runner, "close", note_tasks_of_main)

    def take(self) -> list[str]:
        """What was found since the last call."""
        found, self._found = self._found, []
        return found

    def _note_pending(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in sorted(asyncio.all_tasks(loop), key=asyncio.Task.get_name):
            what = getattr(task.get_coro(), "__qualname__", "?")
            if not what.startswith(_SERVER):
                self._note(loop, f"the task {task.get_name()!r} ({what}) was running when the loop ended")

    def _note(self, loop: asyncio.AbstractEventLoop, what: str) -> None:
        # A task may be collected, and complained about, long after the test that left it behind.
        maker = self._makers.get(loop, self.test)
        self._found.append(what if maker == self.test else f"{what}, of {maker}")


async def _last_steps() -> None:
    """Let end what is ending: a server's task for a connection that was closed just now, say."""
    for _ in range(5):
        await asyncio.sleep(0)


class Things:
    """The threads and sockets of the process, to be compared with those there are later."""

    def __init__(self) -> None:
        self._threads, self._sockets = set(threading.enumerate()), open_sockets()

    def left(self) -> list[str]:
        """What there is now, and was not before."""
        if self._now():
            gc.collect()  # what a failed assertion or a cycle holds is nobody's leak
            for thread in threading.enumerate():
                if thread not in self._threads:
                    thread.join(_GRACE)  # one that was told to stop does so in its own time, which is not virtual
        return self._now()

    def _now(self) -> list[str]:
        threads = [f"the thread {thread.name!r}" for thread in threading.enumerate() if thread not in self._threads]
        return threads + [f"the socket {name}" for name in sorted(open_sockets() - self._sockets)]
