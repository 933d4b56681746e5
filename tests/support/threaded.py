"""The simulated service in a thread of its own, for tests of what runs an event loop itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from debabelizer.testing.soniox import SonioxSimulator


@contextmanager
def serving(*arguments: Any, **options: Any) -> Iterator[SonioxSimulator]:
    """A simulator that runs while it is entered; see `SonioxSimulator`."""
    begun, over = threading.Event(), asyncio.Event()
    simulator = SonioxSimulator(*arguments, **options)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with simulator:
            begun.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="simulator")
    thread.start()
    try:
        assert begun.wait(30)
        yield simulator
    finally:
        loops[0].call_soon_threadsafe(over.set)
        thread.join(30)
        assert not thread.is_alive()
