"""`Reading`: one pass over a source, as an asynchronous iterator of bytes."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator
from types import TracebackType
from typing import Self

from debabelizer.audio.inputs import checked
from debabelizer.audio.link import Link
from debabelizer.audio.notes import Notes
from debabelizer.audio.worker import Worker
from debabelizer.errors import StreamBusyError, StreamClosedError

__all__ = ["Feed", "Original", "Reading"]


class Feed:
    """Fetches the chunks of an asynchronous iterable, for the thread that asks for them; None gives nothing."""

    def __init__(self, chunks: AsyncIterable[bytes] | None, name: str) -> None:
        self._chunks = chunks
        self._name = name
        self._iterator: AsyncIterator[bytes] | None = None
        self._is_running = False

    async def __call__(self) -> bytes:
        """Fetch the next chunk that is not empty; empty at the end."""
        if self._chunks is None:
            return b""
        if self._iterator is None:
            self._iterator = aiter(self._chunks)
        self._is_running = True
        try:
            while not (chunk := checked(await anext(self._iterator), self._name)):
                pass
        except StopAsyncIteration:
            return b""
        finally:
            self._is_running = False
        return chunk

    async def aclose(self) -> None:
        """Close the iterator, if it can be; one that is just running ends with the task that runs it."""
        close = getattr(self._iterator, "aclose", None)
        if close is not None and not self._is_running:
            await close()


class Reading:
    """Made by `AudioSource`: an asynchronous context manager and iterator of bytes.

    Best used with ``async with``, which opens the source; without, it opens at the first item and is released at
    the end of the iteration. Left before that, it warns (`ResourceWarning`) when it is collected.
    """

    def __init__(
        self,
        work: Callable[[Link], Generator[bytes, None, None]],
        feed: Feed,
        name: str,
        notes: Notes,
        begin: Callable[[], None],
        bytes_per_second: int = 0,
    ) -> None:
        self._work = work
        self._feed = feed
        self._name = name
        self._notes = notes
        self._begin = begin
        self._bytes_per_second = bytes_per_second
        self._worker: Worker[bytes] | None = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self._worker is not None and not self._closed

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        worker = self._worker or await self._open()
        try:
            block = await worker.next()
        except (asyncio.CancelledError, StreamBusyError):
            raise  # this wait is over, the reading is not
        except BaseException:
            await self.aclose()
            raise
        if self._bytes_per_second:
            self._notes.position += len(block) / self._bytes_per_second
        return block

    async def aclose(self) -> None:
        """Stop reading and release everything. Idempotent."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._worker is not None:
                await self._worker.aclose()
        finally:
            await self._feed.aclose()

    async def _open(self) -> Worker[bytes]:
        if self._closed:
            raise StreamClosedError(f"Reading {self._name} is over.", hint="Ask the source for a new reading.")
        self._begin()
        self._worker = worker = Worker(self._work, self._feed, self._name)
        try:
            await worker.next()
        except BaseException:
            await self.aclose()
            raise
        return worker

    def __del__(self) -> None:
        if self._worker is not None and not self._closed:
            message = f"The reading of {self._name} was left without being closed."
            warnings.warn(message, ResourceWarning, stacklevel=2, source=self)
            self._worker.abandon()


class Original(Reading):
    """A reading of the bytes as they are, for uploading them.

    Attributes:
        filename: A name for the upload.
    """

    filename: str = "audio"
    header_bytes: int = 0

    @property
    def size(self) -> int | None:
        """How many bytes there are in all, once open; None if that is not known."""
        return None if self._notes.size is None else self._notes.size + self.header_bytes
