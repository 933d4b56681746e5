"""`Line`: one connection in flight: the attempt, and the task that carries it."""

from __future__ import annotations

import asyncio

from debabelizer.errors import CloseTimeout
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.clock import Signal
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.seam import Seam
from debabelizer.streaming.tasks import Parting, spawn, stop
from debabelizer.streaming.verdict import cause_of

__all__ = ["Line"]


class Line:
    """Owns the task of a connection from its begin to its end.

    Args:
        leg: The provider.
        attempt: What the connection is lent.
        number: 1-based, of all connections of the stream.
        watch: Notified when the connection ended.

    Attributes:
        seam: Where it goes on with what another one said that heard the same audio; None if it began anew.
        is_barren: Whether its session came to its end before anything was final.
    """

    def __init__(self, leg: Leg, attempt: Attempt, number: int, watch: Signal) -> None:
        self.leg = leg
        self.attempt = attempt
        self.number = number
        self.seam: Seam | None = None
        self.is_barren = False
        self._watch = watch
        self._task: asyncio.Task[None] = spawn(
            self._carry(), name=f"debabelizer connection {number} ({leg.provider})", on_end=watch.notify
        )

    def failure(self, now: float) -> Exception | None:
        """Why it has failed: its task ended without proof, or a deadline has passed; None if it has not."""
        if self.attempt.finished:
            return None
        if self._task.done():
            return cause_of(self._task, self.leg.provider)
        expiry = self.attempt.expiry()
        return expiry.error() if expiry is not None and expiry.when <= now else None

    async def see_off(self) -> None:
        """Give a connection that finished the time to close properly."""
        deadline = self.attempt.clock.time() + self.attempt.policy.close_timeout
        while not self._task.done() and await self._watch.wait(deadline):
            pass

    def part(self, parting: Parting) -> asyncio.Task[CloseTimeout | None]:
        """Have it say nothing any more, and stop it within the close deadline; an error if it does not."""
        self.attempt.retire()
        return parting.begin(self._close(), name=f"debabelizer closing {self.number}")

    async def _close(self) -> CloseTimeout | None:
        seconds = self.attempt.policy.close_timeout
        if self._task.done() or await stop(self._task, self.attempt.clock, seconds):
            return None
        return CloseTimeout(f"{self._task.get_name()} did not stop.", seconds=seconds, provider=self.leg.provider)

    async def _carry(self) -> None:
        connection = await self.leg.connect()
        await connection.run(self.attempt)
