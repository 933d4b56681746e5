"""`Handover`: blocks of audio from a thread that must never wait to an event loop that may be late."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

__all__ = ["Handover"]


class Handover:
    """A bounded queue from a thread to the event loop; what does not fit is dropped and counted.

    Args:
        limit: Most blocks to hold.

    Attributes:
        dropped: Bytes that did not fit, so far.
        overflows: How often audio began to be lost, here or where it comes from.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self.overflows = 0
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._blocks: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self._is_awaited = self._is_dropping = self._is_ended = False

    def put(self, block: bytes, *, after_loss: bool = False) -> None:
        """Hand a block over, or drop it, from any thread; `after_loss` if others were lost before it came here."""
        with self._lock:
            is_full = len(self._blocks) >= self._limit
            self.overflows += after_loss or (is_full and not self._is_dropping)
            self._is_dropping = is_full
            if is_full:
                self.dropped += len(block)
            else:
                self._blocks.append(block)
                self._notify()

    def end(self) -> None:
        """There will be no more blocks."""
        with self._lock:
            self._is_ended = True
            self._notify()

    async def get(self) -> bytes | None:
        """Take the oldest block, waiting for one; None at the end."""
        while True:
            with self._lock:
                if self._blocks:
                    return self._blocks.popleft()
                if self._is_ended:
                    return None
                self._ready.clear()
                self._is_awaited = True
            await self._ready.wait()

    def _notify(self) -> None:
        # Only when somebody waits: the loop's own queue of calls has no bound.
        if self._is_awaited:
            self._is_awaited = False
            try:
                self._loop.call_soon_threadsafe(self._ready.set)
            except RuntimeError:  # the loop is closed, nobody listens any more
                pass
