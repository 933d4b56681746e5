"""`Link`: what a thread sees of the event loop that it works for."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

__all__ = ["ASK", "Link", "Stopped", "Turn", "resolve"]

Turn: TypeAlias = "tuple[asyncio.Future[Any], bytes]"
"""Where the thread puts its next message, and the input that it asked for with the last one."""

ASK: Final = object()
"""The message by which the thread asks for input."""


class Stopped(Exception):
    """Raised within the thread, at its next step, when it was told to stop.

    It is no `BaseException`, because those are lost in the callbacks of decoders.
    """


class Link:
    """Joins a thread and an event loop that take turns; one message of the thread for each turn it is given."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._turns: SimpleQueue[Turn | None] = SimpleQueue()
        self._future: asyncio.Future[Any] | None = None
        self._is_stopping = False
        self._lock = threading.Lock()
        self._wake: tuple[int, int] | None = None

    # -- in the thread

    def receive(self) -> bytes:
        """Wait for a turn.

        Raises:
            Stopped: If there will be none.
        """
        self.check()  # a decoder may ask again after its first question was answered so
        turn = self._turns.get()
        if turn is None:
            raise Stopped
        self._future, payload = turn
        return payload

    def answer(self, message: object) -> None:
        """End the turn with a message; with none taken, when it failed while stopping, there is nobody to answer."""
        future, self._future = self._future, None
        if future is not None:
            self.call(resolve, future, message)

    def ask(self) -> bytes:
        """Get more input from the event loop; empty at its end."""
        self.answer(ASK)
        return self.receive()

    def check(self) -> None:
        """Raise `Stopped` if the thread shall stop."""
        if self._is_stopping:
            raise Stopped

    def wait_readable(self, descriptor: int) -> None:
        """Wait until a descriptor can be read.

        Raises:
            Stopped: If the thread shall stop; also in the middle of the wait.
        """
        poll = select.poll()
        with self._lock:
            self.check()
            if self._wake is None:
                self._wake = os.pipe()
            poll.register(self._wake[0], select.POLLIN)
        poll.register(descriptor, select.POLLIN)
        poll.poll()
        self.check()

    def call(self, callback: Callable[..., object], *arguments: object) -> None:
        """Call something on the event loop.

        Raises:
            Stopped: If the loop is closed: then there is nobody left to work for.
        """
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            raise Stopped from None

    def close(self) -> None:
        """Release what the waits needed."""
        with self._lock:
            for descriptor in self._wake or ():
                os.close(descriptor)
            self._wake = None

    # -- on the event loop

    def give(self, turn: Turn) -> None:
        """Let the thread do one step."""
        self._turns.put(turn)

    def stop(self) -> None:
        """Tell the thread to stop, also while it waits for a turn or a descriptor. May be called from any thread."""
        with self._lock:
            self._is_stopping = True
            if self._wake is not None:
                os.write(self._wake[1], b"\0")
        self._turns.put(None)


def resolve(future: asyncio.Future[Any], message: object) -> None:
    """Put a message, unless the wait for it was given up."""
    if not future.done():
        future.set_result(message)
