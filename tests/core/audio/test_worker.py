from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Generator

import pytest

from debabelizer.audio import worker as module
from debabelizer.audio.link import Link
from debabelizer.audio.worker import Worker
from debabelizer.errors import StreamBusyError, StreamClosedError


async def no_input() -> bytes:
    raise AssertionError("nobody asked")


def numbers(link: Link) -> Generator[int, None, None]:
    yield from range(3)


async def all_of(worker: Worker[int]) -> list[int]:
    items = []
    try:
        while True:
            items.append(await worker.next())
    except StopAsyncIteration:
        return items
    finally:
        await worker.aclose()


def test_gives_the_items_in_order_then_ends_for_good():
    async def main():
        worker = Worker(numbers, no_input, "it")
        assert await all_of(worker) == [0, 1, 2]
        with pytest.raises(StopAsyncIteration):
            await worker.next()

    asyncio.run(main())


def test_does_one_step_for_each_item_and_no_more():
    steps = []

    def work(link):
        for number in range(9):
            steps.append(number)
            yield number

    async def main():
        worker = Worker(work, no_input, "it")
        assert steps == []
        await worker.next()
        await worker.next()
        await worker.aclose()
        assert steps == [0, 1]

    asyncio.run(main())


def test_an_error_is_raised_where_the_item_is_awaited():
    def work(link):
        yield 1
        raise LookupError("within")

    async def main():
        worker = Worker(work, no_input, "it")
        with pytest.raises(LookupError, match="within"):
            await all_of(worker)

    asyncio.run(main())


def test_the_loop_stays_free_while_the_thread_works():
    go = threading.Event()

    def work(link):
        go.wait(10)
        yield 1

    async def main():
        worker = Worker(work, no_input, "it")
        waiting = asyncio.create_task(worker.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        go.set()
        assert await waiting == 1
        await worker.aclose()

    asyncio.run(main())


def test_a_cancelled_wait_loses_no_item():
    go = threading.Event()

    def work(link):
        go.wait(10)
        yield from range(3)

    async def main():
        worker = Worker(work, no_input, "it")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.next(), 0.001)
        go.set()
        assert await all_of(worker) == [0, 1, 2]

    asyncio.run(main())


def test_a_second_reader_is_refused_and_the_first_undisturbed():
    go = threading.Event()

    def work(link):
        go.wait(10)
        yield 1

    async def main():
        worker = Worker(work, no_input, "the file")
        first = asyncio.create_task(worker.next())
        await asyncio.sleep(0)
        with pytest.raises(StreamBusyError, match="the file"):
            await worker.next()
        go.set()
        assert await first == 1
        await worker.aclose()

    asyncio.run(main())


def test_what_the_work_opened_is_closed_in_its_own_thread():
    closed_in = []

    def work(link):
        try:
            yield 1
        finally:
            closed_in.append(threading.current_thread().name)

    async def main():
        worker = Worker(work, no_input, "it")
        await worker.next()
        await worker.aclose()

    asyncio.run(main())
    assert closed_in == ["debabelizer audio it"]


def test_closing_ends_a_wait_in_another_task():
    go = threading.Event()

    def work(link):
        go.wait(10)
        yield 1

    async def main():
        worker = Worker(work, no_input, "the file")
        waiting = asyncio.create_task(worker.next())
        await asyncio.sleep(0)
        closing = asyncio.create_task(worker.aclose())
        await asyncio.sleep(0)
        go.set()
        await closing
        with pytest.raises(StreamClosedError, match="the file"):
            await waiting
        with pytest.raises(StreamClosedError):
            await worker.next()

    asyncio.run(main())


def test_closing_interrupts_the_wait_for_a_descriptor():
    reading, writing = os.pipe()

    def work(link):
        link.wait_readable(reading)
        yield 1

    async def main():
        worker = Worker(work, no_input, "a pipe")
        waiting = asyncio.create_task(worker.next())
        await asyncio.sleep(0.02)  # let it wait; correct also if it does not yet
        await worker.aclose()
        with pytest.raises(StreamClosedError):
            await waiting

    try:
        asyncio.run(main())
    finally:
        os.close(reading)
        os.close(writing)


def test_a_descriptor_that_can_be_read_is_not_waited_for():
    reading, writing = os.pipe()
    os.write(writing, b"1")

    def work(link):
        link.wait_readable(reading)
        yield int(os.read(reading, 1))

    try:
        assert asyncio.run(run_all(work)) == [1]
    finally:
        os.close(reading)
        os.close(writing)


async def run_all(work) -> list[int]:
    return await all_of(Worker(work, no_input, "it"))


def test_a_thread_that_cannot_be_stopped_is_left_behind_with_a_warning(monkeypatch, caplog):
    monkeypatch.setattr(module, "_GRACE", 0.01)
    go = threading.Event()

    def work(link):
        go.wait(10)
        yield 1

    async def main():
        worker = Worker(work, no_input, "a slow object")
        waiting = asyncio.create_task(worker.next())
        await asyncio.sleep(0)
        await worker.aclose()
        with pytest.raises(StreamClosedError):
            await waiting

    with caplog.at_level(logging.WARNING, "debabelizer.audio"):
        asyncio.run(main())
    go.set()  # only now, with the loop closed, it comes back: it ends all the same
    assert "a slow object" in caplog.text


def test_input_is_fetched_in_the_task_that_waits():
    tasks = set()
    supply = iter([b"ab", b"c", b""])

    async def pull() -> bytes:
        tasks.add(asyncio.current_task())
        return next(supply)

    def work(link):
        while data := link.ask():
            yield len(data)

    async def main():
        assert await all_of(Worker(work, pull, "a stream")) == [2, 1]
        assert tasks == {asyncio.current_task()}

    asyncio.run(main())


def test_an_error_of_the_input_is_raised_and_never_taken_for_its_end():
    async def pull() -> bytes:
        raise ConnectionError("gone")

    def work(link):
        while data := link.ask():
            yield len(data)

    async def main():
        worker = Worker(work, pull, "a stream")
        with pytest.raises(ConnectionError, match="gone"):
            await worker.next()
        with pytest.raises(StreamClosedError):
            await worker.next()
        await worker.aclose()

    asyncio.run(main())


def test_input_that_was_cancelled_is_never_taken_for_ended():
    def work(link):
        while data := link.ask():
            yield len(data)

    async def main():
        pulling = asyncio.Event()

        async def pull() -> bytes:
            pulling.set()
            await asyncio.Event().wait()
            return b""

        worker = Worker(work, pull, "a stream")
        reading = asyncio.create_task(worker.next())
        await pulling.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        with pytest.raises(StreamClosedError):
            await worker.next()
        await worker.aclose()

    asyncio.run(main())


def test_an_error_while_stopping_disturbs_nobody():
    def work(link):
        try:
            yield 1
        finally:
            raise OSError("cannot close")

    async def main():
        worker = Worker(work, no_input, "it")
        await worker.next()
        await worker.aclose()

    asyncio.run(main())


def test_the_thread_ends_when_the_loop_is_gone():
    go = threading.Event()

    def work(link):
        go.wait(10)
        yield 1

    async def main():
        worker = Worker(work, no_input, "it")
        task = asyncio.create_task(worker.next())
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(main())
    go.set()  # the fixture sees to it that the thread ends
