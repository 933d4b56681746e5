"""`Watch`: sees whether a call moves."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

__all__ = ["Watch"]


class Watch:
    """A deadline that moves on as long as something moves. An asynchronous context manager.

    `asyncio.timeout` bounds the whole; an upload may take as long as it wants if only it goes on. Waiting for our
    own source, or for whoever reads the answer, does not count: that is not the provider being slow.

    Args:
        patience: Seconds in which something must move.
        thinking: The same from the end of an upload to the first of the answer, while the provider works.

    Attributes:
        allowance: How many seconds without any movement are, or were, put up with.
    """

    def __init__(self, patience: float, thinking: float | None = None) -> None:
        self._patience = patience
        self._thinking = patience if thinking is None else thinking
        self.allowance = patience
        self._timeout = asyncio.timeout(patience)
        self._is_on = True

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_on = False
        await self._timeout.__aexit__(exc_type, exc, traceback)

    @property
    def expired(self) -> bool:
        """Whether nothing moved for too long."""
        return self._timeout.expired()

    def touch(self) -> None:
        """Something moved."""
        self._allow(self._patience)

    def think(self) -> None:
        """All was said to the provider, and now it works: nothing has to move for a while."""
        self._allow(self._thinking)

    def pause(self) -> None:
        """What is waited for now is our own affair, up to the next `touch`."""
        self._allow(None)

    def _allow(self, seconds: float | None) -> None:
        if not self._is_on or self.expired:
            return  # aiohttp's writer may outlive the call by a step of the event loop
        if seconds is not None:
            self.allowance = seconds
        self._timeout.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)
