"""Hasty time: nobody waits long, and work takes the time it takes."""

from __future__ import annotations

import asyncio
import time

from debabelizer.testing.kit import haste


def test_waiting_is_short_and_the_order_of_timers_holds() -> None:
    async def main() -> tuple[float, list[int]]:
        loop, order = asyncio.get_running_loop(), []
        begun = loop.time()

        async def wait(seconds: int) -> None:
            await asyncio.sleep(seconds)
            order.append(seconds)

        await asyncio.gather(*map(wait, (30, 10, 20)))
        return loop.time() - begun, order

    begun = time.perf_counter()
    passed, order = haste.run(main())
    assert order == [10, 20, 30]
    assert 30.0 <= passed < 35.0
    assert time.perf_counter() - begun < 10.0


def test_real_sockets_are_quicker_than_any_deadline() -> None:
    async def main() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(10**6))
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(bytes(10**6))
            data = await reader.read()
            writer.close()
            await writer.wait_closed()
        return data

    assert haste.run(main()) == bytes(10**6)


def test_while_a_thread_works_time_goes_by_as_it_does() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.timeout(20):
            await asyncio.to_thread(time.sleep, 0.2)
        return loop.time() - begun

    assert 0.2 <= haste.run(main()) < 5.0
