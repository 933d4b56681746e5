from __future__ import annotations

import asyncio
import threading

from debabelizer.audio.handover import Handover


def test_blocks_come_in_order_from_another_thread():
    async def main():
        handover = Handover(100)

        def produce():
            for number in range(50):
                handover.put(bytes([number]))
            handover.end()

        thread = threading.Thread(target=produce)
        thread.start()
        blocks = []
        while (block := await handover.get()) is not None:
            blocks.append(block[0])
        thread.join()
        assert list(range(50)) == blocks
        assert (handover.dropped, handover.overflows) == (0, 0)

    asyncio.run(main())


def test_what_does_not_fit_is_dropped_and_counted():
    async def main():
        handover = Handover(2)
        for number in range(5):
            handover.put(bytes([number]) * 10)

        assert [bytes([number]) * 10 for number in (0, 1)] == [await handover.get(), await handover.get()]
        assert (handover.dropped, handover.overflows) == (30, 1)

        for number in range(3):
            handover.put(bytes([number]))
        assert (handover.dropped, handover.overflows) == (31, 2)

    asyncio.run(main())


def test_losses_before_it_are_counted_too():
    async def main():
        handover = Handover(2)
        handover.put(b"a", after_loss=True)
        handover.put(b"b")

        assert (handover.dropped, handover.overflows) == (0, 1)

    asyncio.run(main())


def test_the_end_comes_after_what_was_put():
    async def main():
        handover = Handover(2)
        handover.put(b"a")
        handover.end()

        assert [await handover.get() for _ in range(3)] == [b"a", None, None]

    asyncio.run(main())


def test_a_burst_costs_the_loop_one_call():
    async def main():
        handover = Handover(1000)
        waiting = asyncio.create_task(handover.get())
        await asyncio.sleep(0)
        calls = []
        handover._loop = type("Loop", (), {"call_soon_threadsafe": lambda self, call: calls.append(call)})()
        for _ in range(100):
            handover.put(b"a")

        assert len(calls) == 1
        calls[0]()
        assert await waiting == b"a"

    asyncio.run(main())


def test_a_loop_that_is_gone_does_not_disturb_the_thread():
    async def main():
        handover = Handover(2)
        waiting = asyncio.create_task(handover.get())
        await asyncio.sleep(0)
        waiting.cancel()
        return handover

    handover = asyncio.run(main())
    handover.put(b"a")
    handover.end()
