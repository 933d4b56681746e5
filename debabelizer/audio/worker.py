"""`Worker`: a blocking generator in a thread of its own, read from the event loop.

Decoders and files block, so they live in a thread; the event loop must not wait for it, and must always be able
to leave it. The two sides take turns, like a coroutine and its caller: the thread does one step for each item
asked for and then waits, which bounds memory without any buffer. A step may ask back for input, which is how
the bytes of an asynchronous source reach a blocking decoder: they are fetched in the caller's own task.

Threads of executors are joined when the interpreter ends, so one that sits in a read nobody can interrupt would
keep the process alive. These are daemons, and are left behind with a warning in the one case that needs it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from debabelizer.audio.link import ASK, Link, Stopped, resolve
from debabelizer.errors import StreamBusyError, StreamClosedError

__all__ = ["Worker"]

T = TypeVar("T")

_GRACE: Final = 1.0
"""Seconds to wait for a thread that was told to stop."""

_END: Final = object()

_log = logging.getLogger("debabelizer.audio")


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


class Worker(Generic[T]):
    """Runs ``work(link)`` in a thread, one step for each `next`.

    Args:
        work: What it opens it closes itself, in its own thread.
        pull: Fetches input when the work asks for it, empty at the end; awaited in the task that awaits `next`.
        name: How to name what is read, in messages.
    """

    def __init__(
        self, work: Callable[[Link], Generator[T, None, None]], pull: Callable[[], Awaitable[bytes]], name: str
    ) -> None:
        self._work = work
        self._pull = pull
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._link = Link(self._loop)
        self._ended = asyncio.Event()
        self._pending: asyncio.Future[Any] | None = None
        self._is_busy = self._is_over = self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"debabelizer audio {name}", daemon=True)
        self._thread.start()

    async def next(self) -> T:
        """Give the next item. Being cancelled loses none, unless it happens while `pull` is awaited.

        Raises:
            StopAsyncIteration: At the end.
            StreamBusyError: If another task waits for an item.
            StreamClosedError: After `aclose`, or after `pull` was cancelled.
        """
        if self._is_busy:
            raise StreamBusyError(f"{self._name} is already being read by another task.")
        self._is_busy = True
        try:
            message = await self._exchange(b"")
            while message is ASK:
                message = await self._exchange(await self._fetch())
        finally:
            self._is_busy = False
        item: T = message
        return item

    async def aclose(self) -> None:
        """Stop the thread and wait for its end."""
        self._is_closed = True
        self._link.stop()
        if self._pending is not None:
            resolve(self._pending, _Failure(self._closed_error()))
        try:
            async with asyncio.timeout(_GRACE):
                await self._ended.wait()
        except TimeoutError:
            _log.warning("%s is blocked in a read that cannot be interrupted; its thread is left behind", self._name)
        else:
            self._thread.join()

    def abandon(self) -> None:
        """Stop the thread without waiting for it."""
        self._link.stop()

    async def _exchange(self, payload: bytes) -> Any:
        if self._is_over:
            raise StopAsyncIteration
        if self._is_closed:
            raise self._closed_error()
        if self._pending is None:
            self._pending = self._loop.create_future()
            self._link.give((self._pending, payload))
        await asyncio.wait({self._pending})  # unlike awaiting the future, leaves it whole when cancelled
        message, self._pending = self._pending.result(), None
        if isinstance(message, _Failure):
            self._is_over = not self._is_closed
            raise message.error
        if message is _END:
            self._is_over = True
            raise StopAsyncIteration
        return message

    async def _fetch(self) -> bytes:
        try:
            return await self._pull()
        except BaseException:
            # An asynchronous generator is over once it raised or was cancelled; asked again, it would only say that
            # it is at its end, and cut off audio would pass for whole.
            self._is_closed = True
            raise

    def _closed_error(self) -> StreamClosedError:
        return StreamClosedError(f"Reading {self._name} was abandoned.")

    def _run(self) -> None:
        try:
            self._serve(self._link)
        except Stopped:
            pass
        finally:
            self._link.close()
            try:
                self._link.call(self._ended.set)
            except Stopped:
                pass

    def _serve(self, link: Link) -> None:
        link.receive()
        try:
            with closing(self._work(link)) as items:
                for item in items:
                    link.answer(item)
                    link.receive()
        except Stopped:
            raise
        except BaseException as error:  # noqa: BLE001 - not swallowed: it is raised where the item is awaited
            link.answer(_Failure(error))
        else:
            link.answer(_END)
