"""For all tests: what they open, they close."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


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


def open_sockets() -> set[str]:
    """The sockets of this process, where the system tells."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return set()
    found = set()
    for entry in os.listdir(folder):  # noqa: PTH208 - names, not paths that may be gone
        try:
            target = str((folder / entry).readlink())
        except OSError:
            continue  # the listing's own handle
        if target.startswith("socket:"):
            found.add(target)
    return found
