"""`watched`: how long an event loop stood still at most, while something ran on it.

What a busy machine does is left out, and what the collector of garbage does: both have nothing to do with what runs.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

__all__ = ["watched"]

_LOOKS: Final = 0.002  # seconds from one to the next
_OWN: Final = Path("/proc/thread-self/schedstat")


async def watched(work: Awaitable[object]) -> float:
    """Run `work`, and return for how many seconds at most nothing else could run on the event loop."""
    collecting = gc.isenabled()
    gc.disable()  # how long it takes depends on all that there is in the process
    try:
        running = asyncio.ensure_future(work)
        longest, last = 0.0, _own_time()
        while not running.done():
            await asyncio.sleep(_LOOKS)
            now = _own_time()
            longest, last = max(longest, now - last), now
        await running
    finally:
        if collecting:
            gc.enable()
    return longest


def _own_time() -> float:
    """Seconds, without those in which this thread could run and others had the processors, where the system tells."""
    try:
        _, waited, _ = _OWN.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return time.perf_counter()
    return time.perf_counter() - int(waited) / 1e9
