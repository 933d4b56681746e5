"""`EnginePool`: a few engines on threads, shared by all transcriptions of a processor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.utterances import Decoded

__all__ = ["EnginePool", "UtteranceEngine"]

P = ParamSpec("P")
T = TypeVar("T")


class UtteranceEngine(Protocol):
    """What the pool runs; see `debabelizer_moonshine.engine.Engine`. Used by one thread at a time."""

    def decode(self, samples: NDArray[np.float32]) -> Decoded:
        """Decode one utterance; blocks."""
        ...

    def close(self) -> None:
        """Free its memory."""
        ...


class EnginePool:
    """Runs engines and voice activity off the event loop; an `UtteranceDecoder`.

    Work waits in the order in which it was given; cancelling what waits takes it out of the queue. What already
    runs in the library cannot be interrupted: it ends by itself, within about a second, and its result is dropped.

    Args:
        load: Makes an engine; called in a thread, at most `size` times, when all engines there are are busy.
        size: How many engines there may be.
    """

    def __init__(self, load: Callable[[], UtteranceEngine], size: int) -> None:
        self.size = size
        self._load = load
        self._idle: list[UtteranceEngine] = []
        self._decoding = ThreadPoolExecutor(size, "moonshine")
        # Voice activity costs a tenth of decoding, and must not wait behind it: it is what fills the queue.
        self._listening = ThreadPoolExecutor(1, "moonshine-vad")
        self._running: set[Future[Any]] = set()

    def decode(self, samples: NDArray[np.float32]) -> asyncio.Future[Decoded]:
        """Queue an utterance; the future gives the text, or raises what `Engine.decode` raises."""
        return self._submit(self._decoding, self._decode, samples)

    def listen(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Run a short function in the thread for voice activity."""
        return self._submit(self._listening, function, *args, **kwargs)

    def warm_up(self) -> None:
        """Begin to load an engine if there is none, for work that will come soon.

        Nobody waits for it: if it fails, then so does the first decoding, which tries again and says why.
        """
        if not self._idle and not self._running:
            self._start(self._decoding, lambda: self._idle.append(self._load()))

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
        return asyncio.wrap_future(self._start(executor, function, *args, **kwargs))

    def _start(
        self, executor: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        future = executor.submit(function, *args, **kwargs)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def _decode(self, samples: NDArray[np.float32]) -> Decoded:
        # There are as many threads as engines may be, so an engine is idle or may be loaded.
        try:
            engine = self._idle.pop()
        except IndexError:
            engine = self._load()
        try:
            return engine.decode(samples)
        finally:
            self._idle.append(engine)
