"""The fault proxy before an echo server: over real sockets, and in virtual time where the fault is about time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from debabelizer.testing.proxy import FaultProxy

Line = tuple[FaultProxy, asyncio.StreamReader, asyncio.StreamWriter, "Server"]


class Server:
    """Echoes; notes how its connections end."""

    def __init__(self) -> None:
        self.heard = b""
        self.ends: list[str] = []
        self.changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = "reset"
        try:
            while data := await reader.read(65536):
                self.heard += data
                writer.write(data)
                await writer.drain()
            end = "eof"
        except ConnectionError:
            pass
        finally:
            async with self.changed:
                self.ends.append(end)
                self.changed.notify_all()
            writer.close()

    async def end(self) -> str:
        async with self.changed:
            await self.changed.wait_for(lambda: self.ends)
        return self.ends[0]


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with FaultProxy(*listener.sockets[0].getsockname()[:2]) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        yield proxy, reader, writer, server
        writer.transport.abort()
    await server.end()
    listener.close()


class TestEnds:
    async def test_nothing_is_wrong(self) -> None:
        async with line() as (proxy, reader, writer, server):
            data = bytes(range(256)) * 4000
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
            writer.write_eof()
            assert await reader.read() == b""
            assert await server.end() == "eof"
            assert proxy.accepted == 1

    async def test_cut(self) -> None:
        async with line() as (proxy, reader, _, server):
            proxy.cut()
            assert await reader.read() == b""
            assert await server.end() == "eof"

    async def test_reset(self) -> None:
        async with line() as (proxy, reader, _, server):
            proxy.reset()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            assert await server.end() == "reset"

    async def test_after_so_many_bytes(self) -> None:
        async with line() as (proxy, reader, writer, server):
            proxy.cut(after=1000)
            writer.write(bytes(5000))
            await server.end()
            assert len(server.heard) == 5 + 1000
            await reader.read()

    async def test_at_a_byte_of_either_way(self) -> None:
        async with line() as (proxy, reader, writer, server):
            proxy.when("up", 105, lambda: proxy.garble(1, "up"))
            writer.write(bytes(200))
            assert await reader.readexactly(200) == bytes(100) + b"\xff" * 100
            proxy.when("down", 255, proxy.cut)
            writer.write(bytes(100))
            assert await reader.read() == b"\xff" * 50
            assert await server.end() == "eof"
            assert sum(size for way, size in proxy.turns if way == "up") == 305
            assert proxy.turns[0] == ("up", 5)

    async def test_a_server_that_resets_is_passed_on(self) -> None:
        async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        listener = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with FaultProxy(*listener.sockets[0].getsockname()[:2]) as proxy:
            reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                pass
            writer.close()
            while proxy.open:
                await asyncio.sleep(0)
        listener.close()

    async def test_nobody_behind_it(self) -> None:
        listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        address = listener.sockets[0].getsockname()[:2]
        listener.close()
        await listener.wait_closed()
        async with FaultProxy(*address) as proxy:
            reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    async def test_refusing_and_accepting_again(self) -> None:
        async with line() as (proxy, reader, writer, _):
            port = proxy.port
            proxy.refuse()
            await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            await proxy.accept()
            _, second = await asyncio.open_connection("127.0.0.1", port)
            assert proxy.port == port
            second.transport.abort()

    async def test_garble(self) -> None:
        async with line() as (proxy, reader, writer, server):
            proxy.garble(4, "up")
            writer.write(b"\0\0\0")
            writer.write(b"\0\0\0\0\0")
            expected = b"\0\0\0\xff\0\0\0\xff"
            assert await reader.readexactly(8) == expected
            assert server.heard == b"hello" + expected

    async def test_leaving_with_open_connections(self) -> None:
        async with line() as (proxy, _, writer, _):
            writer.write(bytes(100_000))
            assert proxy.open == 1


class TestTime:
    virtual = True

    async def test_a_client_that_does_not_read_holds_up_the_server(self) -> None:
        async with line() as (_, reader, writer, server):
            for _ in range(40):
                writer.write(bytes(100_000))
                await asyncio.sleep(1)
            held_up = len(server.heard)
            assert held_up < 3_000_000
            assert len(await reader.readexactly(4_000_000)) == 4_000_000
            assert len(server.heard) == 4_000_005

    async def test_leaving_before_the_line_is_made(self) -> None:
        listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with FaultProxy(*listener.sockets[0].getsockname()[:2]) as proxy:
            _, writer = await asyncio.open_connection(proxy.host, proxy.port)
        assert proxy.open == 0
        writer.transport.abort()
        listener.close()

    async def test_stall_and_resume(self) -> None:
        async with line() as (proxy, reader, writer, server):
            proxy.stall("down")
            writer.write(b"wait")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readexactly(4), 60)
            assert server.heard == b"hellowait"
            proxy.resume()
            assert await reader.readexactly(4) == b"wait"

    async def test_a_stall_holds_up_the_writer(self) -> None:
        async with line() as (proxy, _, writer, server):
            proxy.stall("up")
            writer.write(bytes(2_000_000))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(writer.drain(), 60)
            assert server.heard == b"hello"

    async def test_half_open(self) -> None:
        async with line() as (proxy, reader, writer, server):
            proxy.vanish()
            writer.write(bytes(2_000_000))
            await writer.drain()  # somebody takes it, and it is gone
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 3600)
            writer.write_eof()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(server.end(), 3600)
            assert server.heard == b"hello"

    async def test_slow(self) -> None:
        async with line() as (proxy, reader, writer, _):
            proxy.slow(1000, "up")
            loop = asyncio.get_running_loop()
            begin = loop.time()
            writer.write(bytes(10_000))
            await reader.readexactly(10_000)
            assert loop.time() - begin == pytest.approx(10.0, abs=0.2)
