"""`Strangers`: whom this process talks to that it was not told to.

Python tells an audit hook of every connection that it makes and every name that it looks up. A library that opens
sockets of its own tells nobody; where the system lists connections, they are looked at again and again as well. What
another process does, or what comes and goes between two looks, is not seen.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from debabelizer.testing.kit.traces import open_sockets

__all__ = ["Address", "Strangers"]

Address: TypeAlias = tuple[str, int]

_LOOKS: Final = 0.05  # seconds from one to the next
_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})
_watching: list[Strangers] = []
_hooked: list[bool] = []


class Strangers:
    """What was seen while `watching`.

    Args:
        known: With whom it may talk.
    """

    def __init__(self, known: Collection[Address]) -> None:
        self._known = set(known)
        self._hosts = {"localhost", *(host for host, _ in known)}
        self._seen: set[str] = set()

    @property
    def seen(self) -> list[str]:
        """Addresses and names, sorted."""
        return sorted(self._seen)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch."""
        if not _hooked:  # it stays for good, so there is one for all
            sys.addaudithook(_hook)
            _hooked.append(True)
        _watching.append(self)
        looking = asyncio.ensure_future(self._look())
        try:
            yield
        finally:
            _watching.remove(self)
            looking.cancel()
            await asyncio.wait([looking])

    def meet(self, address: object) -> None:
        """Somebody is talked to."""
        if isinstance(address, tuple) and tuple(address[:2]) not in self._known:
            self._seen.add(f"{address[0]}:{address[1]}")

    def look_up(self, host: object) -> None:
        """A name is asked for."""
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and name not in self._hosts and not _is_address(name):
            self._seen.add(name)

    async def _look(self) -> None:
        before = _peers()
        while True:
            await asyncio.sleep(_LOOKS)
            for peer in _peers() - before:
                if not ipaddress.ip_address(peer[0]).is_loopback:  # at home both ends are ours, and both are listed
                    self.meet(peer)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or not event.startswith("socket."):
        return
    for strangers in _watching:
        if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            strangers.look_up(arguments[0])
        elif event in {"socket.connect", "socket.sendto"} and arguments[0].family in _INTERNET:
            strangers.meet(arguments[1])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _peers() -> set[Address]:
    """The other ends of the connections of this process, where the system tells."""
    own = {name.removeprefix("socket:[").removesuffix("]") for name in open_sockets()}
    found = set()
    for table in (Path("/proc/self/net/tcp"), Path("/proc/self/net/tcp6")):
        rows = table.read_text(encoding="ascii").splitlines()[1:] if own and table.exists() else []
        for fields in map(str.split, rows):
            host, _, port = fields[2].partition(":")
            if fields[9] in own and int(port, 16):
                found.add((_readable(host), int(port, 16)))
    return found


def _readable(host: str) -> str:
    """An address as the system's table writes it: in words of four bytes, each in the machine's order."""
    words = [bytes.fromhex(host[at : at + 8]) for at in range(0, len(host), 8)]
    address = ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
