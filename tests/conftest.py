"""For all tests: what they open, they close."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from support.sockets import open_sockets


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No thread and no socket outlives a test. Tasks are looked at by the tests themselves."""
    threads, sockets = set(threading.enumerate()), open_sockets()
    yield
    if left_over(threads, sockets):
        gc.collect()  # what a failed assertion or a cycle holds is nobody's leak
    assert left_over(threads, sockets) == []


def left_over(threads: set[threading.Thread], sockets: set[str]) -> list[str]:
    """Names of the threads and sockets that there are now beyond those given."""
    running = [thread.name for thread in threading.enumerate() if thread not in threads]
    return running + sorted(open_sockets() - sockets)
