"""Virtual time: an event loop that jumps to the next timer instead of waiting for it.

An hour of time-outs, backoffs and keepalives passes in a moment, in the same order every time::

    virtual_time.run(main())

Network connections work as well, as long as both ends are on the loop: servers and clients of `asyncio`, and
what is built on its protocols (`websockets`, `SonioxSimulator`), meet on a loopback network in memory. Real
sockets do not: the loop would not know what is under way. While a call handed to an executor runs, time stands
still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

from debabelizer.testing._memory_network import MemoryNetwork, MemoryServer

__all__ = ["DeadlockError", "VirtualTimeLoop", "run"]

ArgsT = TypeVarTuple("ArgsT")
ResultT = TypeVar("ResultT")

_PATIENCE = 5.0  # real seconds


class DeadlockError(RuntimeError):
    """Everything waits, and nothing is left that could wake it."""


class _JumpingSelector(selectors.SelectSelector):
    """Never sleeps while a timer is pending: the time it was to sleep for has passed at once.

    Attributes:
        now: Virtual seconds.
        busy: Calls that threads are at work on.
    """

    now = 0.0
    busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `selectors.BaseSelector.select`."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.busy:
            return super().select(None)
        if timeout is not None:
            self.now += timeout
            return []
        # A thread that the loop does not know of may still have something to say.
        ready = super().select(_PATIENCE)
        if not ready:
            raise DeadlockError("every task waits, no timer is set, and nothing came from outside")
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, which starts at zero, with a network of its own."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self._network = MemoryNetwork(self)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.now

    async def create_server(  # type: ignore[override]  # a small part of what a real network can do
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> MemoryServer:
        """See `asyncio.loop.create_server`; on loopback, without TLS."""
        return self._network.listen(protocol_factory, host, port, options)

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """See `asyncio.loop.create_connection`; on loopback, without TLS."""
        await asyncio.sleep(0)
        return self._network.connect(protocol_factory, host, port, options)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[ArgsT]], ResultT], *args: *ArgsT
    ) -> asyncio.Future[ResultT]:
        """See `asyncio.loop.run_in_executor`; time stands still until the call is done."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping.busy += 1
        future.add_done_callback(self._rest)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """See `asyncio.loop.shutdown_default_executor`; it waits for real threads."""
        del timeout  # would be virtual
        self._jumping.busy += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._jumping.busy -= 1

    def _rest(self, _: object) -> None:
        self._jumping.busy -= 1


def run(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    """As `asyncio.run`, on virtual time.

    Raises:
        DeadlockError: If every task waits for something that cannot come.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
