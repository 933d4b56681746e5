"""What TCP transports do not offer by themselves."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

__all__ = ["reset"]

_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def reset(transport: asyncio.WriteTransport) -> None:
    """Drop a connection at once, with a TCP reset: closing a socket that may not linger sends one."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    transport.abort()
