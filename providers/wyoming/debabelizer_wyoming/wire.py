"""`Wire`: one connection to a Wyoming server, every wait bounded and every failure typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from debabelizer.errors import ConnectError, ConnectionLostError, ConnectTimeout, ProgressTimeout
from debabelizer_wyoming import NAME
from debabelizer_wyoming.address import Address
from debabelizer_wyoming.framing import LONGEST_LINE, Event, encode, read_event

__all__ = ["Wire", "connected"]


class Wire:
    """A connection that is open; see `connected`."""

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._address = address
        self._reader = reader
        self._writer = writer

    async def send(self, event: Event) -> None:
        """Send an event; waits while the server does not read."""
        self._writer.write(encode(event))
        await self._writer.drain()

    async def receive(self, wanted: str) -> Event:
        """The next event.

        Raises:
            ConnectionLostError: If the connection ended, before what was `wanted`.
            ProtocolError: If it cannot be understood.
        """
        try:
            event = await read_event(self._reader)
        except asyncio.IncompleteReadError as error:
            raise self.lost(wanted) from error
        if event is None:
            raise self.lost(wanted)
        return event

    def lost(self, wanted: str) -> ConnectionLostError:
        """The error of a connection that ended too early."""
        return ConnectionLostError(f"{self._address} ended the connection before its {wanted}.", provider=NAME)


@asynccontextmanager
async def connected(address: Address, *, wanted: str, connect_timeout: float, timeout: float) -> AsyncIterator[Wire]:
    """Open a connection for one answer; it is closed on leaving, without waiting for the server.

    Args:
        address: The server.
        wanted: The answer, for errors.
        connect_timeout: Seconds until it must be open.
        timeout: Seconds that everything may take after that.

    Raises:
        ConnectError: If there is no connection.
        ConnectionLostError: If it ended before the answer.
        DeadlineError: If it takes too long.
    """
    reader, writer = await _open(address, connect_timeout)
    wire = Wire(address, reader, writer)
    try:
        async with asyncio.timeout(timeout):
            yield wire
    except TimeoutError as error:
        raise ProgressTimeout(
            f"{address} gave no {wanted} within {timeout:g} s.",
            seconds=timeout,
            provider=NAME,
            hint="If it is only slow, raise `timeout` under [providers.wyoming].",
        ) from error
    except OSError as error:
        raise wire.lost(wanted) from error
    finally:
        await _close(writer)


async def _open(address: Address, seconds: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(seconds):
            if address.path:
                return await asyncio.open_unix_connection(address.path, limit=LONGEST_LINE)
            return await asyncio.open_connection(address.host, address.port, limit=LONGEST_LINE)
    except TimeoutError as error:
        raise ConnectTimeout(
            f"{address} did not answer within {seconds:g} s.", seconds=seconds, provider=NAME
        ) from error
    except OSError as error:
        raise ConnectError(
            f"There is no connection to {address}: {error.strerror or error}.",
            provider=NAME,
            hint="Is the server running? Its address is `uri` under [providers.wyoming].",
        ) from error


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close at once: an answer that came is complete, and one that did not is not waited for."""
    transport = writer.transport
    if transport.get_write_buffer_size():  # the server does not read, and closing would wait for it
        transport.abort()
    else:
        writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass  # it was broken already, which is no news
