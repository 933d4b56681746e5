"""`Listener`: a server whose door can be shut at any moment, and opened again at the same address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Listener"]


class Listener:
    """Accepts connections on a port that the system chose.

    `asyncio.Server.close` must not be called between the moment a connection is accepted and the one its
    transport is made, two steps of the loop later: the loop then complains, and forgets the socket. So the door
    is shut in two steps as well.

    Attributes:
        host, port: Where it listens, or will listen again.
    """

    def __init__(self, factory: Callable[[], asyncio.BaseProtocol], host: str) -> None:
        self.host = host
        self.port = 0
        self._factory = factory
        self._server: asyncio.AbstractServer | None = None

    async def open(self) -> None:
        """Accept connections; no matter if it does already."""
        if self._server is None:
            server = await asyncio.get_running_loop().create_server(self._factory, self.host, self.port)
            self._server, self.port = server, server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Accept no more connections; those that live go on."""
        server, self._server = self._server, None
        if server is None:
            return
        loop = asyncio.get_running_loop()
        if isinstance(server, asyncio.Server):
            for sock in server.sockets:
                loop.remove_reader(sock.fileno())
            loop.call_soon(server.close)
        else:
            server.close()

    async def settle(self) -> None:
        """After `close`: wait until the last connection that was accepted is known to its protocol."""
        for _ in range(4):
            await asyncio.sleep(0)
