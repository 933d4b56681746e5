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
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
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
        self._reschedule(asyncio.get_running_loop().time() + self._patience)

    def pause(self) -> None:
        """What is waited for now is our own affair, up to the next `touch`."""
        self._reschedule(None)

    def _reschedule(self, when: float | None) -> None:
        if self._is_on and not self.expired:  # aiohttp's writer may outlive the call by a step of the event loop
            self._timeout.reschedule(when)
