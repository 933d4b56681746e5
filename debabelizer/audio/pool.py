"""`EnginePool`: a few engines on threads, shared by all transcriptions of a processor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.utterances import Decoded

__all__ = ["Engine", "EnginePool", "PoolDecoder"]

P = ParamSpec("P")
T = TypeVar("T")


class Engine(Protocol):
    """What a pool runs: a model in memory. Used by one thread at a time, unless it is lent to several by `load`."""

    def close(self) -> None:
        """Free its memory."""
        ...


EngineT = TypeVar("EngineT", bound=Engine)


class EnginePool(Generic[EngineT]):
    """Runs engines and voice activity off the event loop.

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
        self._decoding = ThreadPoolExecutor(size, name)
        # Voice activity costs a tenth of decoding, and must not wait behind it: it is what fills the queue.
        self._listening = ThreadPoolExecutor(1, f"{name}-vad")
        self._running: set[Future[Any]] = set()

    def use(self, work: Callable[[EngineT], T]) -> asyncio.Future[T]:
        """Queue work for an engine; the future gives what it returns, or raises what it or `load` raises."""
        return self._submit(self._decoding, self._use, work)

    def listen(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Run a short function in the thread for voice activity."""
        return self._submit(self._listening, function, *args, **kwargs)

    async def aclose(self) -> None:
        """Wait for what runs, then end the threads and free the engines. Idempotent."""
        executors = (self._decoding, self._listening)
        for executor in executors:
            executor.shutdown(wait=False)
        if running := tuple(self._running):  # Copied: the threads take theirs out as they finish.
            ended, _ = await asyncio.wait([asyncio.wrap_future(future) for future in running])
            for future in ended:
                if not future.cancelled():
                    future.exception()  # Looked at, so that asyncio does not complain that nobody did.
        for executor in executors:
            executor.shutdown()  # Nothing runs any more, so this does not block.
        while self._idle:
            self._idle.pop().close()

    def _submit(
        self, executor: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        future = executor.submit(function, *args, **kwargs)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return asyncio.wrap_future(future)

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
    """

    def __init__(self, pool: EnginePool[EngineT], decode: Callable[[EngineT, NDArray[np.float32]], Decoded]) -> None:
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
