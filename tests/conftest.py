"""For all tests: what they open, they close."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

_THOROUGH = ("/core/streaming/", "/core/test_processor", "/faults/")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """No thread and no socket outlives a test of streams. Tasks are looked at by the tests themselves."""
    if not any(part in request.node.path.as_posix() for part in _THOROUGH):
        yield
        return
    threads, sockets = set(threading.enumerate()), open_sockets()
    yield
    gc.collect()
    left = [thread.name for thread in threading.enumerate() if thread not in threads]
    assert left == []
    assert open_sockets() <= sockets


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
