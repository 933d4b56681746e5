"""What every test is held to can be broken, and is noticed."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from support.tidiness import Loops, Things

from debabelizer.testing import virtual_time

pytestmark = pytest.mark.untidy


@pytest.fixture
def watched() -> Iterator[Loops]:
    with pytest.MonkeyPatch.context() as patch:
        yield Loops(patch)


async def sleep() -> None:
    await asyncio.Event().wait()


async def leave_a_task() -> None:
    asyncio.get_running_loop().create_task(sleep(), name="left")
    await asyncio.sleep(0)


async def leave_nothing() -> None:
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
    asyncio.get_running_loop().create_task(asyncio.sleep(0))  # ends by itself


def by_hand(main: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main)
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # one complaint is enough
    loop.close()


@pytest.mark.parametrize("run", [asyncio.run, virtual_time.run])
def test_a_task_left_behind(watched: Loops, run: Callable[[Any], None]) -> None:
    run(leave_a_task())
    assert watched.take() == ["the task 'left' (sleep) was running when the loop ended"]
    run(leave_nothing())
    assert watched.take() == []


def test_a_task_left_behind_on_a_loop_that_was_made_by_hand(watched: Loops) -> None:
    by_hand(leave_a_task())
    assert watched.take() == ["the task 'left' (sleep) was running when the loop ended"]


def test_a_complaint_of_the_loop(watched: Loops) -> None:
    async def complain() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(0.001)

    asyncio.run(complain())
    (complaint,) = watched.take()
    assert "ZeroDivisionError" in complaint


def test_a_complaint_that_comes_later_says_of_which_test(watched: Loops) -> None:
    async def fail() -> None:
        raise ValueError("nobody looks")

    async def leave_a_failure() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        kept.append(asyncio.get_running_loop().create_task(fail()))
        await asyncio.sleep(0)

    kept: list[asyncio.Task[None]] = []
    watched.test = "the guilty"
    asyncio.run(leave_a_failure())
    assert watched.take() == []
    watched.test = "the next"
    kept.clear()
    gc.collect()
    (complaint,) = watched.take()
    assert complaint.startswith("Task exception was never retrieved (ValueError")
    assert complaint.endswith(", of the guilty")


def test_a_thread_and_a_socket() -> None:
    before = Things()
    assert before.left() == []
    enough = threading.Event()
    thread = threading.Thread(target=enough.wait, name="left", daemon=True)
    thread.start()
    with socket.socket():
        names = before.left()
    enough.set()
    thread.join()
    assert names[0] == "the thread 'left'"
    assert names[1].startswith("the socket socket:")
    assert before.left() == []
