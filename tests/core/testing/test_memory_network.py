"""The network of virtual time: what TCP promises, without TCP."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest


class Recorder(asyncio.Protocol):
    """Notes what happens to one end of a connection."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.data = b""
        self.pieces = 0
        self.events: list[str] = []
        self.error: Exception | None = None
        self.half_open = False
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.pieces += 1

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.half_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.error = exc
        self.lost.set_result(None)

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


@asynccontextmanager
async def pair(make: Callable[[], Recorder] = Recorder) -> Any:
    """Both ends of a connection: the client's and the server's."""
    loop = asyncio.get_running_loop()
    servers: list[Recorder] = []

    def accept() -> Recorder:
        servers.append(make())
        return servers[-1]

    server = await loop.create_server(accept, "127.0.0.1", 0)
    _, client = await loop.create_connection(make, *server.sockets[0].getsockname())
    await settle()
    server.close()
    yield client, servers[0]
    client.transport.abort()
    await settle()


async def settle() -> None:
    await asyncio.sleep(0.001)


class TestConnections:
    virtual = True

    async def test_bytes_go_both_ways(self) -> None:
        async with pair() as (client, server):
            client.transport.write(b"hello ")
            client.transport.writelines([b"the", b"re"])
            server.transport.write(b"hi")
            await settle()
            assert (server.data, client.data) == (b"hello there", b"hi")

    async def test_addresses(self) -> None:
        async with pair() as (client, server):
            assert client.transport.get_extra_info("peername") == server.transport.get_extra_info("sockname")
            assert client.transport.get_extra_info("sockname") == server.transport.get_extra_info("peername")
            assert client.transport.get_extra_info("socket") is None

    async def test_a_message_comes_in_pieces(self) -> None:
        async with pair() as (client, server):
            client.transport.write(bytes(600_000))
            await settle()
            assert len(server.data) == 600_000
            assert server.pieces == 3

    async def test_nobody_listens(self) -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 50_000)

    async def test_a_server_that_was_closed_and_opened_again(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recorder, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert server.is_serving()
        with pytest.raises(OSError) as caught:
            await loop.create_server(Recorder, "127.0.0.1", port)
        assert caught.value.errno == errno.EADDRINUSE
        server.close()
        await server.wait_closed()
        assert not server.sockets
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        async with await loop.create_server(Recorder, "localhost", port):
            _, writer = await asyncio.open_connection("localhost", port)
            writer.transport.abort()

    async def test_the_world_outside_is_out_of_reach(self) -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(OSError) as caught:
            await asyncio.open_connection("example.com", 80)
        assert caught.value.errno == errno.ENETUNREACH
        with pytest.raises(NotImplementedError, match="ssl"):
            await loop.create_connection(Recorder, "127.0.0.1", 80, ssl=True)

    async def test_streams(self) -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
        server.close()


class TestFlow:
    virtual = True

    async def test_a_reader_that_pauses_holds_up_the_writer(self) -> None:
        async with pair() as (client, server):
            server.transport.pause_reading()
            assert not server.transport.is_reading()
            client.transport.write(bytes(300_000))
            await settle()
            assert server.data == b""
            assert client.events == ["made"]
            client.transport.write(bytes(100_000))
            assert client.events == ["made", "pause"]
            server.transport.resume_reading()
            await settle()
            assert len(server.data) == 400_000
            assert client.events == ["made", "pause", "resume"]
            assert client.transport.get_write_buffer_size() == 0

    async def test_limits(self) -> None:
        async with pair() as (client, server):
            client.transport.set_write_buffer_limits(high=8, low=4)
            assert client.transport.get_write_buffer_limits() == (4, 8)
            server.transport.pause_reading()
            client.transport.write(bytes(256 * 1024 + 8))
            assert "pause" not in client.events
            client.transport.write(b"x")
            assert "pause" in client.events


class TestEnds:
    virtual = True

    async def test_close_delivers_what_was_written(self) -> None:
        async with pair() as (client, server):
            client.transport.write(b"last words")
            client.transport.close()
            client.transport.write(b"too late")
            await settle()
            assert server.data == b"last words"
            assert server.events == ["made", "eof", "lost"]
            assert (client.events, client.error) == (["made", "lost"], None)

    async def test_close_waits_for_a_slow_reader(self) -> None:
        async with pair() as (client, server):
            server.transport.pause_reading()
            client.transport.write(bytes(300_000))
            client.transport.close()
            await settle()
            assert not client.lost.done()
            server.transport.resume_reading()
            await settle()
            assert len(server.data) == 300_000
            assert client.lost.done()

    async def test_half_closed(self) -> None:
        def half_open() -> Recorder:
            recorder = Recorder()
            recorder.half_open = True
            return recorder

        async with pair(half_open) as (client, server):
            client.transport.write_eof()
            with pytest.raises(RuntimeError, match="after the end"):
                client.transport.write(b"x")
            await settle()
            assert server.events == ["made", "eof"]
            server.transport.write(b"still here")
            await settle()
            assert client.data == b"still here"

    async def test_abort_is_a_reset(self) -> None:
        async with pair() as (client, server):
            client.transport.abort()
            await settle()
            assert (client.events, client.error) == (["made", "lost"], None)
            assert isinstance(server.error, ConnectionResetError)

    async def test_writing_to_a_peer_that_is_gone_is_a_reset(self) -> None:
        async with pair() as (client, server):
            server.transport.close()
            client.transport.write(b"x")
            await settle()
            assert isinstance(client.error, ConnectionResetError)

    async def test_leaving_without_reading_is_a_reset(self) -> None:
        async with pair() as (client, server):
            server.transport.pause_reading()
            client.transport.write(bytes(400_000))
            server.transport.close()
            await settle()
            assert isinstance(client.error, ConnectionResetError)

    async def test_another_protocol_can_take_over(self) -> None:
        async with pair() as (client, server):
            heir = Recorder()
            assert client.transport.get_protocol() is client
            client.transport.set_protocol(heir)
            server.transport.write(b"x")
            await settle()
            assert heir.data == b"x"
