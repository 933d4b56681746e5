"""`WebSocketServer`: the loopback end of simulated services that speak over WebSockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

__all__ = ["WebSocketServer"]


class WebSocketServer:
    """Serves connections on a port that the system chose.

    Args:
        handler: Serves one connection; it is closed on return.
        admit: Answers a handshake that is refused; None accepts it.
        host: Address to listen on.
    """

    def __init__(
        self,
        handler: Callable[[ServerConnection], Awaitable[None]],
        admit: Callable[[ServerConnection, Request], Response | None],
        host: str = "127.0.0.1",
    ) -> None:
        self._handler = handler
        self._admit = admit
        self._host = host
        self._server: Server | None = None

    async def start(self) -> None:
        """Listen."""
        # No compression: it costs time, and hides from the fault proxy what a frame is.
        self._server = await serve(
            self._handler,
            self._host,
            0,
            process_request=self._admit,
            compression=None,
            ping_interval=None,
            max_size=None,
        )

    async def stop(self) -> None:
        """Stop listening, and drop what is open."""
        server, self._server = self._server, None
        if server is not None:
            for connection in tuple(server.connections):
                connection.transport.abort()
            server.close()
            await server.wait_closed()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port on which it listens."""
        if self._server is None:
            raise RuntimeError("The simulator is not entered.")
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return host, port
