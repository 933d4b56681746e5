"""The handshake: keys in headers, and how they are kept out of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from websockets.headers import parse_subprotocol
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from debabelizer.testing.soniox.protocol import Credential

__all__ = ["HIDDEN", "PATH", "credentials", "public_headers", "select_subprotocol"]

PATH: Final = "/transcribe-websocket"
HIDDEN: Final = "***"

_PROTOCOL: Final = Subprotocol("soniox-api-key")


def credentials(request: Request) -> list[Credential]:
    """The keys that came with a handshake request that was accepted."""
    found = []
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        found.append(Credential("header", key.strip()))
    values = request.headers.get_all("Sec-WebSocket-Protocol")
    offered = [name for value in values for name in parse_subprotocol(value)]
    if _PROTOCOL in offered:
        found += [Credential("subprotocol", name) for name in offered if name != _PROTOCOL]
    return found


def public_headers(request: Request) -> Mapping[str, str]:
    """The headers of a request, keys hidden."""
    secret = ("authorization", "sec-websocket-protocol")
    return {name: HIDDEN if name.lower() in secret else value for name, value in request.headers.raw_items()}


def select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The sub-protocol that is no key."""
    return _PROTOCOL if _PROTOCOL in offered else None
