"""A loopback network in memory, for the event loop of `virtual_time`.

It keeps what matters about TCP: bytes come in order and in pieces of their own size, a peer that does not read
holds up the writer, one direction can end before the other, and a reset is seen as one.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

__all__ = ["MemoryNetwork", "MemoryServer", "MemoryTransport"]

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1", None, "")
_KERNEL: Final = 256 * 1024  # bytes that are under way before the writer's own buffer fills
_LARGEST_READ: Final = 256 * 1024
_FIRST_PORT: Final = 49152

Factory = Callable[[], asyncio.BaseProtocol]


class MemoryNetwork:
    """Who listens where."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._listeners: dict[int, MemoryServer] = {}
        self._next_port = _FIRST_PORT

    def listen(self, factory: Factory, host: str | None, port: int | None, options: Mapping[str, Any]) -> MemoryServer:
        """Open a server."""
        _check(host, options)
        if not port:
            port, self._next_port = self._next_port, self._next_port + 1
        if port in self._listeners:
            raise OSError(errno.EADDRINUSE, f"port {port} is in use in memory")
        server = MemoryServer(self._loop, factory, (host or "127.0.0.1", port), self._listeners)
        self._listeners[port] = server
        return server

    def connect(
        self, factory: Factory, host: str | None, port: int | None, options: Mapping[str, Any]
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to a server."""
        _check(host, options)
        server = self._listeners.get(port or 0)
        if server is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens on port {port} in memory")
        address, self._next_port = (server.address[0], self._next_port), self._next_port + 1
        near = MemoryTransport(self._loop, {"sockname": address, "peername": server.address})
        far = MemoryTransport(self._loop, {"sockname": server.address, "peername": address})
        near.peer, far.peer = far, near
        self._loop.call_soon(far.start, server.factory())
        protocol = factory()
        near.start(protocol)
        return near, protocol


def _check(host: object, options: Mapping[str, Any]) -> None:
    if isinstance(host, (list, tuple)) or host not in _LOOPBACK:
        raise OSError(errno.ENETUNREACH, f"the network in memory knows loopback only, not {host!r}")
    for name in ("ssl", "sock"):
        if options.get(name):
            raise NotImplementedError(f"the network in memory has no {name}")


class MemoryServer(asyncio.AbstractServer):
    """A server in memory; as `asyncio.Server`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        factory: Factory,
        address: tuple[str, int],
        listeners: dict[int, MemoryServer],
    ) -> None:
        self.factory = factory
        self.address = address
        self._loop = loop
        self._listeners = listeners

    @property
    def sockets(self) -> tuple[_ListeningSocket, ...]:
        """For the address, as of a real server."""
        return (_ListeningSocket(self.address),) if self.is_serving() else ()

    def close(self) -> None:
        """Stop listening."""
        if self.is_serving():
            del self._listeners[self.address[1]]

    def is_serving(self) -> bool:
        """Whether it listens."""
        return self._listeners.get(self.address[1]) is self

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._loop

    async def start_serving(self) -> None:
        """It does already."""

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        await self._loop.create_future()

    async def wait_closed(self) -> None:
        """It is."""


class _ListeningSocket:
    family = socket.AF_INET

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return self._address


class MemoryTransport(asyncio.Transport):
    """One end of a connection."""

    peer: MemoryTransport

    def __init__(self, loop: asyncio.AbstractEventLoop, extra: Mapping[str, Any]) -> None:
        super().__init__(dict(extra))
        self._loop = loop
        self._protocol: asyncio.BaseProtocol | None = None
        self._inbox = bytearray()
        self._end_came = False  # the peer will send no more
        self._end_sent = False
        self._scheduled = False
        self._reading = True
        self._closing = False
        self._lost = False
        self._limits = (16 * 1024, 64 * 1024)
        self._holding = False  # the protocol was asked to stop writing

    def start(self, protocol: asyncio.BaseProtocol) -> None:
        """Introduce the transport to its protocol."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._wake()

    # Reading

    def pause_reading(self) -> None:
        """See `asyncio.ReadTransport`."""
        self._reading = False

    def resume_reading(self) -> None:
        """See `asyncio.ReadTransport`."""
        self._reading = True
        self._wake()

    def is_reading(self) -> bool:
        """See `asyncio.ReadTransport`."""
        return self._reading and not self._closing

    def _wake(self) -> None:
        """See to it that what came is delivered."""
        due = self._inbox or self._end_came
        if due and self.is_reading() and self._protocol is not None and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if not self.is_reading():
            return
        protocol = cast("asyncio.Protocol", self._protocol)
        if self._inbox:
            data = bytes(self._inbox[:_LARGEST_READ])
            del self._inbox[:_LARGEST_READ]
            self.peer.drained()
            protocol.data_received(data)
        elif self._end_came:
            self._end_came = False
            if not protocol.eof_received():
                self.close()
        self._wake()

    # Writing

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """See `asyncio.WriteTransport`."""
        if self._closing or not data:
            return
        if self._end_sent:
            raise RuntimeError("cannot write after the end")
        if self.peer.is_closing():
            self._loop.call_soon(self.lose, ConnectionResetError(errno.ECONNRESET, "reset by peer"))
            return
        self.peer.receive(bytes(data))
        if not self._holding and self.get_write_buffer_size() > self._limits[1]:
            self._holding = True
            cast("asyncio.Protocol", self._protocol).pause_writing()

    def receive(self, data: bytes) -> None:
        """Bytes from the peer."""
        self._inbox += data
        self._wake()

    def receive_end(self) -> None:
        """The peer will send no more."""
        self._end_came = True
        self._wake()

    def drained(self) -> None:
        """The peer has read."""
        size = self.get_write_buffer_size()
        if self._holding and size <= self._limits[0] and not self._lost:
            self._holding = False
            cast("asyncio.Protocol", self._protocol).resume_writing()
        if self._closing and not size:
            self._loop.call_soon(self.lose, None)

    def can_write_eof(self) -> bool:
        """See `asyncio.WriteTransport`."""
        return True

    def write_eof(self) -> None:
        """See `asyncio.WriteTransport`."""
        if not self._end_sent and not self._closing:
            self._end_sent = True
            self.peer.receive_end()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See `asyncio.WriteTransport`."""
        high = 64 * 1024 if high is None else high
        self._limits = (high // 4 if low is None else low, high)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """See `asyncio.WriteTransport`."""
        return self._limits

    def get_write_buffer_size(self) -> int:
        """See `asyncio.WriteTransport`."""
        return max(self.peer.unread - _KERNEL, 0)

    @property
    def unread(self) -> int:
        """Bytes that came and were not read."""
        return len(self._inbox)

    # The end

    def is_closing(self) -> bool:
        """See `asyncio.BaseTransport`."""
        return self._closing

    def close(self) -> None:
        """See `asyncio.BaseTransport`."""
        if not self._closing:
            self.write_eof()
            self._closing = True
            self.drained()

    def abort(self) -> None:
        """See `asyncio.WriteTransport`; the peer sees a reset."""
        self._closing = True
        self._loop.call_soon(self.lose, None)
        self._loop.call_soon(self.peer.lose, ConnectionResetError(errno.ECONNRESET, "reset by peer"))

    def lose(self, error: Exception | None) -> None:
        """The connection is gone. What was not read is lost, and whoever wrote it is told."""
        if self._lost:
            return
        self._closing = self._lost = True
        if self._inbox:
            self._inbox.clear()
            self._loop.call_soon(self.peer.lose, ConnectionResetError(errno.ECONNRESET, "reset by peer"))
        if self._protocol is not None:
            self._protocol.connection_lost(error)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See `asyncio.BaseTransport`."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See `asyncio.BaseTransport`."""
        return cast("asyncio.BaseProtocol", self._protocol)
