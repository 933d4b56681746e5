"""A stream whose provider says what is written down for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.service import Bench, speech

from debabelizer.streaming.connection import Connection, End, Link
from debabelizer.streaming.dialect import ConnectionEvent, Finished
from debabelizer.streaming.intake import Source
from debabelizer.streaming.stream import TranscriptionStream

__all__ = ["scripted"]


class Scripted(Connection):
    """Takes all audio, says the given events, pausing where a number stands, and finishes."""

    def __init__(self, *script: ConnectionEvent | float) -> None:
        self.script = script

    async def run(self, link: Link) -> None:
        while not isinstance(await link.take(), End):
            pass
        for step in self.script:
            if isinstance(step, float):
                await asyncio.sleep(step)
            else:
                await link.emit(step)
        await link.emit(Finished())


def scripted(*script: ConnectionEvent | float) -> TranscriptionStream:
    """A stream that pulls one second of audio, about which the provider says `script`."""

    @asynccontextmanager
    async def blocks() -> AsyncIterator[AsyncIterator[bytes]]:
        yield _one(speech(1, 10))

    bench = Bench()
    bench.service.connect = lambda: Scripted(*script)  # type: ignore[method-assign]
    return bench.stream(Source(blocks=blocks))


async def _one(block: bytes) -> AsyncIterator[bytes]:
    yield block
