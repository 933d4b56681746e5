"""A wire without a network: what is written is gone, and what comes is what `say` is told.

It stands behind an event loop on virtual time, so that what a client does for a chunk of audio or a message can be
counted without a server, a kernel or a clock having a part in it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import Any, cast

from server import frame

from debabelizer.testing.virtual_time import VirtualTimeLoop

__all__ = ["Wire", "WireLoop"]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE = 1, 8


class Wire(asyncio.Transport):
    """A connection whose other end agrees to the handshake and to the end, and is silent otherwise."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = 0
        self._loop = loop
        self._protocol = cast("asyncio.Protocol", protocol)
        self._request = b""
        self._open = False
        self._closing = False
        protocol.connection_made(self)

    def say(self, message: bytes) -> None:
        """A text message from the other end."""
        self.deliver(frame(_TEXT, message))

    def deliver(self, data: bytes) -> None:
        """Bytes from the other end."""
        self._protocol.data_received(data)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """See `asyncio.WriteTransport`."""
        self.written += len(data)
        if self._open:
            return
        self._request += data
        if self._request.endswith(b"\r\n\r\n"):
            key = self._request.lower().split(b"sec-websocket-key:")[1].split(b"\r\n")[0].strip()
            original = self._request[self._request.lower().index(key) :][: len(key)]
            accept = base64.b64encode(hashlib.sha1(original + _GUID).digest())
            answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            self._open = True
            self._loop.call_soon(self.deliver, answer + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    def is_closing(self) -> bool:
        """See `asyncio.BaseTransport`."""
        return self._closing

    def close(self) -> None:
        """See `asyncio.BaseTransport`."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """See `asyncio.WriteTransport`."""
        self.close()

    def can_write_eof(self) -> bool:
        """See `asyncio.WriteTransport`."""
        return False

    def get_write_buffer_size(self) -> int:
        """See `asyncio.WriteTransport`."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See `asyncio.WriteTransport`; nothing is ever held."""

    def pause_reading(self) -> None:
        """See `asyncio.ReadTransport`; nobody speaks faster than it is listened to."""

    def resume_reading(self) -> None:
        """See `asyncio.ReadTransport`."""


class WireLoop(VirtualTimeLoop):
    """An event loop all of whose connections are wires."""

    def __init__(self) -> None:
        super().__init__()
        self.wires: list[Wire] = []

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], *_: object, **__: object
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """See `asyncio.loop.create_connection`."""
        protocol = protocol_factory()
        wire = Wire(self, protocol)
        self.wires.append(wire)
        return wire, protocol
