"""`FaultProxy`: a TCP proxy that cuts, stalls, swallows, slows down and garbles, in front of any server.

::

    async with FaultProxy("127.0.0.1", port) as proxy:
        ...  # connect to proxy.host, proxy.port
        proxy.vanish()  # the peer is gone, and nobody says so

A fault strikes the connections that live; those made later are whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeAlias, cast

from debabelizer.streaming.clock import LoopClock, Signal
from debabelizer.testing._listener import Listener
from debabelizer.testing._traffic import Traffic, Way
from debabelizer.testing._transport import reset

__all__ = ["Direction", "FaultProxy"]

Direction: TypeAlias = Literal["up", "down", "both"]
"""``up`` is from the client to the server."""

_TICK = 0.05  # seconds between the pieces of a slow line


@dataclass(slots=True)
class _Trigger:
    """A fault that waits until so many more bytes went up."""

    bytes: int
    action: Callable[[], None]


class FaultProxy:
    """A TCP proxy with faults. Leaving it leaves no task and no socket behind.

    Args:
        host, port: The server behind it.
        listen: Address to listen on; the port is chosen by the system.

    Attributes:
        accepted: How many connections came.
        turns: Who spoke how many bytes before the other did, in order, over all connections.
    """

    def __init__(self, host: str, port: int, *, listen: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self.accepted = 0
        self._listener = Listener(self._client, listen)
        self._links: set[_Link] = set()
        self._traffic = Traffic()
        self._changed = Signal(LoopClock())
        self._connecting: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()
        await self._listener.settle()
        for task in self._connecting:
            task.cancel()
        if self._connecting:
            await asyncio.wait(self._connecting)
        while self._links:
            for link in self._links:
                link.abort()
            await self._changed.wait()

    @property
    def host(self) -> str:
        """Where clients connect."""
        return self._listener.host

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self._listener.port

    @property
    def open(self) -> int:
        """How many connections live."""
        return len(self._links)

    @property
    def turns(self) -> Sequence[tuple[Way, int]]:
        """See the class."""
        return self._traffic.turns

    async def accept(self) -> None:
        """Accept connections, again on the same port."""
        await self._listener.open()

    def refuse(self) -> None:
        """Refuse new connections."""
        self._listener.close()

    def when(self, way: Way, after: int, action: Callable[[], object]) -> None:
        """Do something when `after` bytes in all went that way, over whatever connections, before the next one does."""
        self._traffic.plan(way, after, action)

    def cut(self, *, after: int = 0) -> None:
        """End connections in the ordinary way, in both directions; `after` so many more bytes from the client."""
        self._strike(_Link.cut, after)

    def reset(self, *, after: int = 0) -> None:
        """Reset connections."""
        self._strike(_Link.reset, after)

    def vanish(self, *, after: int = 0) -> None:
        """Swallow everything from now on, even the end: both peers stay connected to nobody."""
        self._strike(_Link.vanish, after)

    def stall(self, direction: Direction = "both", *, after: int = 0) -> None:
        """Read no more, so that the writer is held up in the end, until `resume`."""
        self._strike(lambda link: link.stall(direction, stalled=True), after)

    def resume(self) -> None:
        """End a stall."""
        self._strike(lambda link: link.stall("both", stalled=False), 0)

    def slow(self, bytes_per_second: float, direction: Direction = "both") -> None:
        """Let only so many bytes through."""
        self._strike(lambda link: link.slow(bytes_per_second, direction), 0)

    def garble(self, every: int, direction: Direction = "both") -> None:
        """Invert one byte in so many."""
        self._strike(lambda link: link.garble(every, direction), 0)

    def _strike(self, action: Callable[[_Link], None], after: int) -> None:
        for link in tuple(self._links):
            link.plan(after, action)

    def _client(self) -> asyncio.Protocol:
        self.accepted += 1
        link = _Link(self._links, self._changed, self._traffic)
        task = asyncio.get_running_loop().create_task(self._connect(link))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return link.up

    async def _connect(self, link: _Link) -> None:
        host, port = self._target
        try:
            await asyncio.get_running_loop().create_connection(lambda: link.down, host, port)
        except OSError:
            link.reset()
        except asyncio.CancelledError:
            link.abort()
            raise


class _Link:
    """One connection through the proxy: two sides. `up` reads from the client, `down` from the server."""

    def __init__(self, links: set[_Link], changed: Signal, traffic: Traffic) -> None:
        self._links = links
        self._changed = changed
        self.broken = False  # a side was lost
        self.up = _Side(self, "up", traffic)
        self.down = _Side(self, "down", traffic)
        self.up.other, self.down.other = self.down, self.up
        self._trigger: _Trigger | None = None

    def changed(self) -> None:
        """A side was connected or lost."""
        if self.up.alive or self.down.alive:
            self._links.add(self)
        else:
            self._links.discard(self)
            self._changed.notify()

    def plan(self, after: int, action: Callable[[_Link], None]) -> None:
        """Do something, after so many more bytes from the client."""
        if after:
            self._trigger = _Trigger(after, lambda: action(self))
        else:
            action(self)

    def room(self) -> int | None:
        """Bytes from the client until a fault is due."""
        return self._trigger.bytes if self._trigger else None

    def passed(self, size: int) -> None:
        """So many bytes from the client went up."""
        if self._trigger is not None:
            self._trigger.bytes -= size
            if not self._trigger.bytes:
                trigger, self._trigger = self._trigger, None
                trigger.action()

    def cut(self) -> None:
        self.up.close()
        self.down.close()

    def reset(self) -> None:
        self.up.reset()
        self.down.reset()

    def abort(self) -> None:
        self.up.abort()
        self.down.abort()

    def vanish(self) -> None:
        self.up.swallowing = self.down.swallowing = True

    def stall(self, direction: Direction, *, stalled: bool) -> None:
        for side in self._sides(direction):
            side.stalled = stalled
            side.update()

    def slow(self, rate: float, direction: Direction) -> None:
        for side in self._sides(direction):
            side.rate = rate

    def garble(self, every: int, direction: Direction) -> None:
        for side in self._sides(direction):
            side.garble_every = every

    def _sides(self, direction: Direction) -> list[_Side]:
        return {"up": [self.up], "down": [self.down], "both": [self.up, self.down]}[direction]


class _Side(asyncio.Protocol):
    """Reads from one peer and writes to the other."""

    other: _Side

    def __init__(self, link: _Link, way: Way, traffic: Traffic) -> None:
        self._link = link
        self._way = way
        self._traffic = traffic
        self._transport: asyncio.Transport | None = None
        self._held = b""  # read, but not passed on yet
        self._ended = False  # the peer will send no more
        self._told = False  # the peer was told that no more will come
        self._full = False  # the other peer does not read
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0
        self.stalled = False
        self.swallowing = False
        self.rate: float | None = None
        self.garble_every = 0

    @property
    def alive(self) -> bool:
        return self._transport is not None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._link.changed()
        if self._link.broken:
            self._transport.abort()
        self.update()
        self.other.update()

    def data_received(self, data: bytes) -> None:
        self._held += data
        self._pass_on()

    def eof_received(self) -> bool:
        self._ended = True
        self._pass_on()
        return True  # the other direction may go on

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._link.broken = True
        if self._timer is not None:
            self._timer.cancel()
        if not self.swallowing:
            self.other.reset() if exc else self.other.close()
        self._link.changed()

    def pause_writing(self) -> None:
        self.other._full = True
        self.other.update()

    def resume_writing(self) -> None:
        self.other._full = False
        self.other.update()

    # Passing on

    def update(self) -> None:
        """Read if there is somewhere to go with it."""
        if self._transport is None or self._transport.is_closing():
            return
        waiting = self.stalled or self._full or self._timer is not None
        if waiting or not (self.other.alive or self.swallowing):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            if self._held or self._ended:
                self._pass_on()

    def _pass_on(self) -> None:
        while self._may_pass():
            piece = self._held if self.rate is None else self._held[: max(int(self.rate * _TICK), 1)]
            piece = piece[: self._traffic.room(self._way)]
            if self is self._link.up:
                piece = piece[: self._link.room()]
            self._held = self._held[len(piece) :]
            self._traffic.note(self._way, len(piece))
            self.other.write(self._garbled(piece))
            if self.rate is not None:
                self._timer = asyncio.get_running_loop().call_later(len(piece) / self.rate, self._rested)
                self.update()
            if self is self._link.up:
                self._link.passed(len(piece))
        if self._ended and not self._held and not self.swallowing:
            self.other.write_eof()

    def _may_pass(self) -> bool:
        """Whether there is something to be passed on now. A fault that is due at its first byte happens before."""
        if self._held and not self.stalled and self._timer is None:
            self._traffic.strike(self._way)
        if self.swallowing:
            self._held = b""
        return bool(self._held) and not self.stalled and self._timer is None

    def _rested(self) -> None:
        self._timer = None
        self.update()

    def _garbled(self, data: bytes) -> bytes:
        if not self.garble_every:
            return data
        garbled = bytearray(data)
        for at in range(len(data)):
            self._count += 1
            if self._count % self.garble_every == 0:
                garbled[at] ^= 0xFF
        return bytes(garbled)

    # To the peer

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        if self._transport is not None and not self._transport.is_closing() and not self._told:
            self._told = True
            self._transport.write_eof()
            # Both directions are over once the other side was told, too.
            for side in (self, self.other):
                if side._told and side._ended:
                    side.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is not None:
            reset(self._transport)

    def abort(self) -> None:
        self.swallowing = True
        if self._transport is not None:
            self._transport.abort()
