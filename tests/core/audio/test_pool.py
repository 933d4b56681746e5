from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from debabelizer.audio.pool import EnginePool, PoolDecoder
from debabelizer.audio.utterances import Decoded, LoadableDecoder, UtteranceDecoder
from debabelizer.errors import ProviderError

T = TypeVar("T")


class FakeEngine:
    """Says how long the audio is, when it is allowed to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.closed = False
        world.engines.append(self)

    def decode(self, samples: NDArray[np.float32]) -> Decoded:
        self.world.decoded.append(len(samples))
        self.world.started.release()
        assert self.world.go.acquire(timeout=30)
        if not len(samples):
            raise ProviderError("empty")
        return Decoded(str(len(samples)))

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class World:
    def __init__(self, *, free: bool = True) -> None:
        self.engines: list[FakeEngine] = []
        self.decoded: list[int] = []
        self.started = threading.Semaphore(0)
        self.go = threading.Semaphore(1000 if free else 0)

    def load(self) -> FakeEngine:
        return FakeEngine(self)

    async def busy(self) -> None:
        await asyncio.to_thread(self.started.acquire)


def utterance(length: int) -> NDArray[np.float32]:
    return np.zeros(length, np.float32)


def pool_of(load: Callable[[], FakeEngine], size: int) -> EnginePool[FakeEngine]:
    return EnginePool(load, size, name="test")


def decode(pool: EnginePool[FakeEngine], length: int) -> asyncio.Future[Decoded]:
    return pool.use(lambda engine: engine.decode(utterance(length)))


def run(case: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(20):
            return await case()

    return asyncio.run(bounded(), debug=True)


def test_each_utterance_gets_its_own_text() -> None:
    async def case() -> None:
        world = World()
        pool = pool_of(world.load, 2)
        decoder: UtteranceDecoder = PoolDecoder(pool, FakeEngine.decode)
        texts = await asyncio.gather(*(decoder.decode(utterance(length)) for length in range(1, 50)))
        assert [text.text for text in texts] == [str(length) for length in range(1, 50)]
        await pool.aclose()

    run(case)


def test_engines_are_loaded_when_they_are_needed_and_not_more_than_asked_for() -> None:
    async def case() -> None:
        world = World(free=False)
        pool = pool_of(world.load, 2)
        assert world.engines == []
        first = decode(pool, 1)
        await world.busy()
        world.go.release()
        await first
        second = decode(pool, 2)
        await world.busy()
        assert len(world.engines) == 1
        others = [decode(pool, length) for length in (3, 4, 5)]
        await world.busy()
        world.go.release(4)
        await asyncio.gather(second, *others)
        assert len(world.engines) == 2
        await pool.aclose()
        assert all(engine.closed for engine in world.engines)

    run(case)


def test_an_engine_can_be_loaded_before_it_is_needed() -> None:
    async def case() -> None:
        world = World()
        pool = pool_of(world.load, 1)
        decoder = PoolDecoder(pool, FakeEngine.decode)
        assert isinstance(decoder, LoadableDecoder)
        await decoder.load()
        assert len(world.engines) == 1
        await decoder.load()
        assert (await decoder.decode(utterance(1))).text == "1"
        await pool.aclose()
        assert [engine.closed for engine in world.engines] == [True]

    run(case)


def test_a_failure_that_nobody_waits_for_is_not_told_to_the_loop() -> None:
    def load() -> FakeEngine:
        loading.wait(5.0)
        raise ProviderError("no model")

    loading = threading.Event()

    async def case() -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        pool = pool_of(load, 1)
        waiting = asyncio.ensure_future(PoolDecoder(pool, FakeEngine.decode).load())
        await asyncio.sleep(0)
        waiting.cancel()
        asyncio.get_running_loop().call_later(0.05, loading.set)
        await pool.aclose()
        gc.collect()
        assert complaints == []
        assert waiting.cancelled()

    run(case)


def test_what_waits_is_taken_in_order_and_what_is_cancelled_not_at_all() -> None:
    async def case() -> None:
        world = World(free=False)
        pool = pool_of(world.load, 1)
        waiting = [decode(pool, length) for length in (1, 2, 3, 4)]
        await world.busy()
        waiting[2].cancel()
        await asyncio.sleep(0)  # The loop tells the queue in its next step.
        world.go.release(3)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert world.decoded == [1, 2, 4]
        assert isinstance(results[2], asyncio.CancelledError)
        await pool.aclose()

    run(case)


def test_closing_waits_for_what_runs_though_nobody_wants_it() -> None:
    async def case() -> None:
        world = World(free=False)
        pool = pool_of(world.load, 1)
        unwanted = decode(pool, 1)
        await world.busy()
        unwanted.cancel()
        closing = asyncio.ensure_future(pool.aclose())
        await asyncio.sleep(0.01)
        assert not closing.done()
        assert not world.engines[0].closed
        world.go.release()
        await closing
        assert world.engines[0].closed

    run(case)


def test_closing_that_is_cancelled_can_be_repeated() -> None:
    async def case() -> None:
        world = World(free=False)
        pool = pool_of(world.load, 1)
        decoding = decode(pool, 1)
        await world.busy()
        closing = asyncio.ensure_future(pool.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        world.go.release()
        await pool.aclose()
        await pool.aclose()
        assert (await decoding).text == "1"

    run(case)


def test_closing_a_pool_that_was_never_used() -> None:
    run(pool_of(World().load, 2).aclose)


def test_an_engine_that_failed_is_used_again() -> None:
    async def case() -> None:
        world = World()
        pool = pool_of(world.load, 1)
        with pytest.raises(ProviderError, match="empty"):
            await decode(pool, 0)
        assert (await decode(pool, 5)).text == "5"
        assert len(world.engines) == 1
        await pool.aclose()

    run(case)


def test_an_engine_that_could_not_be_loaded_is_tried_again() -> None:
    async def case() -> None:
        world = World()
        attempts = iter([True, False])

        def load() -> FakeEngine:
            if next(attempts):
                raise ProviderError("no memory")
            return world.load()

        pool = pool_of(load, 1)
        with pytest.raises(ProviderError, match="no memory"):
            await decode(pool, 1)
        assert (await decode(pool, 2)).text == "2"
        await pool.aclose()

    run(case)
