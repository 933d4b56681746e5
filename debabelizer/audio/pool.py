"""`EnginePool`: a few engines on threads, shared by all transcriptions of a processor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.utterances import STREAM_CUTTING, CutterPolicy, Decoded

__all__ = ["Engine", "EnginePool", "PoolDecoder"]

T = TypeVar("T")


class Engine(Protocol):
    """What a pool runs: a model in memory. Used by one thread at a time, unless it is lent to several by `load`."""

    def close(self) -> None:
        """Free its memory."""
        ...


EngineT = TypeVar("EngineT", bound=Engine)


class EnginePool(Generic[EngineT]):
    """Runs engines off the event loop.

    Work waits in the order in which it was given; cancelling what waits takes it out of the queue. What already
    runs cannot be interrupted: it ends by itself, and its result is dropped.

    Args:
        load: Makes an engine; called in a thread, at most `size` times, when all engines there are are busy.
        size: How many engines there may be.
        name: What its threads are called.
    """

    def __init__(self, load: Callable[[], EngineT], size: int, *, name: str) -> None:
        self.size = size
        self._load = load
        self._idle: list[EngineT] = []
        self._threads = ThreadPoolExecutor(size, name)
        self._running: set[Future[Any]] = set()

    def use(self, work: Callable[[EngineT], T]) -> asyncio.Future[T]:
        """Queue work for an engine; the future gives what it returns, or raises what it or `load` raises."""
        future = self._threads.submit(self._use, work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return asyncio.wrap_future(future)

    async def aclose(self) -> None:
        """Wait for what runs, then end the threads and free the engines. Idempotent."""
        self._threads.shutdown(wait=False)
        if running := tuple(self._running):  # Copied: the threads take theirs out as they finish.
            ended, _ = await asyncio.wait([asyncio.wrap_future(future) for future in running])
            for future in ended:
                if not future.cancelled():
                    future.exception()  # Looked at, so that asyncio does not complain that nobody did.
        self._threads.shutdown()  # Nothing runs any more, so this does not block.
        while self._idle:
            self._idle.pop().close()

    def _use(self, work: Callable[[EngineT], T]) -> T:
        # There are as many threads as engines may be, so an engine is idle or may be loaded.
        try:
            engine = self._idle.pop()
        except IndexError:
            engine = self._load()
        try:
            return work(engine)
        finally:
            self._idle.append(engine)


class PoolDecoder(Generic[EngineT]):
    """A `LoadableDecoder` that hands utterances to the engines of a pool.

    Args:
        pool: The pool.
        decode: What an engine makes of one utterance; called in a thread.
        cutting: How to cut streams for it; by default as the core does.
    """

    def __init__(
        self,
        pool: EnginePool[EngineT],
        decode: Callable[[EngineT, NDArray[np.float32]], Decoded],
        cutting: CutterPolicy = STREAM_CUTTING,
    ) -> None:
        self.cutting = cutting
        self._pool = pool
        self._decode = decode

    async def load(self) -> None:
        """See `LoadableDecoder`."""
        await self._pool.use(_do_nothing)

    def decode(self, samples: NDArray[np.float32]) -> asyncio.Future[Decoded]:
        """See `UtteranceDecoder`."""
        return self._pool.use(lambda engine: self._decode(engine, samples))


def _do_nothing(engine: Engine) -> None:
    """Take an engine, so that there is one."""
    del engine
