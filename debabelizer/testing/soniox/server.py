"""`SonioxSimulator`: the service on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from debabelizer.streaming.clock import LoopClock, Signal
from debabelizer.testing._listener import Listener
from debabelizer.testing.script import CodedWords, Words
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.faults import Fault, FaultPlan
from debabelizer.testing.soniox.handshake import PATH
from debabelizer.testing.soniox.keys import KeyRing
from debabelizer.testing.soniox.log import ConnectionLog
from debabelizer.testing.soniox.peer import Peer

if TYPE_CHECKING:
    from debabelizer.testing.soniox.rest import RestApi
    from debabelizer.testing.soniox.rest_gate import RestFault

__all__ = ["SonioxSimulator"]


class SonioxSimulator:
    """A Soniox service on loopback: the real-time WebSocket, and the file API.

    ::

        async with SonioxSimulator(faults=[Fault.reset(at=12.0)]) as server:
            ...  # point your application at server.url and server.api_url

    Leaving it leaves no task and no socket behind.

    Args:
        words: Where words come from; by default from the audio, see `debabelizer.testing.coded`.
        faults: What is to go wrong.
        behaviour: What the documentation leaves open.
        keys: API keys that are accepted; None accepts every one.
        rest_faults: What is to go wrong in the file API.
        host: Address to listen on; the port is chosen by the system.

    Attributes:
        connections: The log of every connection, in the order they came.
        seconds: Seconds of audio heard on all of them.
        faults: The faults that are still to come; more can be added.
        rest: The file API: what it holds, and what it was asked.
    """

    rest: RestApi

    def __init__(
        self,
        words: Words | None = None,
        *,
        faults: Iterable[Fault] = (),
        behaviour: Behaviour | None = None,
        keys: Collection[str] | None = ("test-key",),
        rest_faults: Iterable[RestFault] = (),
        host: str = "127.0.0.1",
    ) -> None:
        self.words = words or CodedWords()
        self.faults = FaultPlan(faults)
        self.behaviour = behaviour or Behaviour()
        self.connections: list[ConnectionLog] = []
        self.seconds = 0.0
        self._known_keys = keys
        self._rest_faults = tuple(rest_faults)
        self._listener = Listener(lambda: Peer(self), host)
        self._peers: set[Peer] = set()
        self._reopen_timer: asyncio.TimerHandle | None = None
        self._reopening: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Address of the real-time WebSocket."""
        return f"ws://{self._listener.host}:{self._listener.port}{PATH}"

    @property
    def api_url(self) -> str:
        """Base address of the file API."""
        return self.rest.url

    @property
    def open_connections(self) -> list[ConnectionLog]:
        """The connections that live."""
        return [log for log in self.connections if log.closed is None]

    async def __aenter__(self) -> Self:
        from debabelizer.testing.soniox.rest import RestApi

        loop = asyncio.get_running_loop()
        self._signal = Signal(LoopClock())
        self.keys = KeyRing(self._known_keys, loop.time)
        self.rest = RestApi(self.keys, self.words, self.behaviour, loop.time, self._rest_faults)
        await self.start_listening()
        await self.rest.start(self._listener.host)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop_listening()
        while self._peers:
            for peer in self._peers:
                peer.abort()
            await self._signal.wait()
        await self.rest.stop()

    async def start_listening(self) -> None:
        """Accept connections, again on the same port."""
        await self._listener.open()

    async def stop_listening(self) -> None:
        """Refuse connections; those that live go on."""
        if self._reopen_timer is not None:
            self._reopen_timer.cancel()
        if self._reopening is not None:
            await self._reopening
        self._listener.close()
        await self._listener.settle()

    def inject(self, fault: Fault) -> None:
        """Let a fault happen now, on every connection that lives."""
        for peer in tuple(self._peers):
            peer.strike(fault)

    async def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until a condition on this simulator holds; it is looked at whenever something happened.

        Raises:
            TimeoutError: If it does not hold after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while not condition():
                await self._signal.wait()

    # What connections share: see `Hub`.

    def joined(self, peer: Peer) -> None:
        """See `Hub`."""
        self._peers.add(peer)
        self.connections.append(peer.log)
        self.changed()

    def left(self, peer: Peer) -> None:
        """See `Hub`."""
        self._peers.discard(peer)
        self.changed()

    def changed(self) -> None:
        """See `Hub`."""
        self._signal.notify()

    def refuse(self, seconds: float | None) -> None:
        """See `Hub`."""
        self._listener.close()
        if seconds is not None:
            if self._reopen_timer is not None:
                self._reopen_timer.cancel()
            self._reopen_timer = asyncio.get_running_loop().call_later(seconds, self._reopen)

    def _reopen(self) -> None:
        self._reopening = asyncio.get_running_loop().create_task(self.start_listening())
