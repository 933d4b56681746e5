from __future__ import annotations

import asyncio

from debabelizer.results import Progress, StreamEvent, StreamingResult, UtteranceEnded
from debabelizer.streaming.clock import LoopClock
from debabelizer.streaming.outbox import Outbox


def interim(text: str) -> StreamingResult:
    return StreamingResult(text=text, is_final=False)


def final(text: str) -> StreamingResult:
    return StreamingResult(text=text, is_final=True)


def drain(outbox: Outbox) -> list[StreamEvent]:
    events = []
    while (event := outbox.take()) is not None:
        events.append(event)
    return events


async def fill(limit: int, *events: StreamEvent) -> Outbox:
    outbox = Outbox(limit, LoopClock())
    for event in events:
        outbox.put(event)
    return outbox


def test_the_latest_interim_wins_and_finals_are_never_dropped() -> None:
    async def case() -> None:
        outbox = await fill(99, interim("a"), interim("a b"), final("a"), interim("b"), interim("b c"), final("b c"))
        assert drain(outbox) == [interim("a b"), final("a"), interim("b c"), final("b c")]

    asyncio.run(case())


def test_an_interim_does_not_jump_over_another_event() -> None:
    async def case() -> None:
        outbox = await fill(99, interim("a"), UtteranceEnded(1.0), interim("b"))
        assert drain(outbox) == [interim("a"), UtteranceEnded(1.0), interim("b")]

    asyncio.run(case())


def test_progress_is_replaced_by_newer_progress_but_a_note_is_kept() -> None:
    async def case() -> None:
        slow = Progress(done=1.0, note="slow")
        outbox = await fill(99, slow, Progress(done=2.0), Progress(done=3.0))
        assert drain(outbox) == [slow, Progress(done=3.0)]

    asyncio.run(case())


def test_full_says_when_to_pause_and_drained_when_to_go_on() -> None:
    async def case() -> None:
        outbox = await fill(2, final("a"), final("b"))
        assert outbox.full
        waiting = asyncio.ensure_future(outbox.drained.wait())
        await asyncio.sleep(0)
        assert outbox.take() == final("a")
        assert await waiting
        assert not outbox.full

    asyncio.run(case())


def test_clear_drops_everything_and_lets_those_who_wait_go_on() -> None:
    async def case() -> None:
        outbox = await fill(1, final("a"))
        waiting = asyncio.ensure_future(outbox.drained.wait())
        await asyncio.sleep(0)
        outbox.clear()
        assert await waiting
        assert drain(outbox) == []

    asyncio.run(case())
