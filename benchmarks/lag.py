"""How late the event loop is, and how much of that is not the kernel's doing."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import NamedTuple

__all__ = ["Lag", "watch"]

_LOOK = 0.002  # seconds between two looks


class Lag(NamedTuple):
    """How late the loop came back, in seconds.

    Attributes:
        late: All in all.
        ours: Without the time in which its thread could have run and was given no core.
    """

    late: float
    ours: float


async def watch(seen: list[Lag]) -> None:
    """Look again and again, until cancelled."""
    # Three numbers: the time that the thread ran, the time that it waited for a core, both in ns, and how often.
    figures = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)

    def waited() -> float:
        return int(os.pread(figures, 100, 0).split()[1]) / 1e9

    try:
        while True:
            before, waited_before = time.perf_counter(), waited()
            await asyncio.sleep(_LOOK)
            late = time.perf_counter() - before - _LOOK
            seen.append(Lag(late, max(0.0, late - (waited() - waited_before))))
    finally:
        os.close(figures)
