"""The client of the official ``wyoming`` package has a conversation with the simulator."""

from __future__ import annotations

import asyncio
import warnings

import pytest
from debabelizer_wyoming.testing import WyomingSimulator
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.ping import Ping, Pong

from debabelizer.testing.coded import encode_words

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of `audioop`, until Python 3.13, where it has its own
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.info import Describe, Info

AUDIO = encode_words(3)


async def asked(client: AsyncClient) -> list[Event]:
    """Ask for a transcript; all that came until the connection ended."""
    await client.write_event(Transcribe(name="coded", language="en").event())
    await client.write_event(AudioStart(16000, 2, 1).event())
    for at in range(0, len(AUDIO), 2048):
        await client.write_event(AudioChunk(16000, 2, 1, AUDIO[at : at + 2048]).event())
    await client.write_event(AudioStop().event())
    events = []
    while (event := await client.read_event()) is not None:
        events.append(event)
    return events


@pytest.mark.parametrize("inline", [False, True])
def test_it_gets_a_transcript(inline: bool) -> None:
    async def case() -> list[Event]:
        async with (
            WyomingSimulator(inline=inline, language="en") as server,
            AsyncClient.from_uri(server.uri, read_timeout=10) as client,
        ):
            return await asked(client)

    (event,) = asyncio.run(case())
    assert Transcript.from_event(event) == Transcript("word0 word1 word2", language="en")


def test_it_gets_chunks() -> None:
    async def case() -> list[Event]:
        async with WyomingSimulator(chunks=True) as server, AsyncClient.from_uri(server.uri, read_timeout=10) as client:
            return await asked(client)

    start, *chunks, transcript, stop = asyncio.run(case())
    assert TranscriptStart.is_type(start.type)
    assert TranscriptStop.is_type(stop.type)
    text = "".join(TranscriptChunk.from_event(chunk).text for chunk in chunks)
    assert text == Transcript.from_event(transcript).text == "word0 word1 word2"


def test_it_gets_an_error() -> None:
    async def case() -> list[Event]:
        async with (
            WyomingSimulator(faults=["error"]) as server,
            AsyncClient.from_uri(server.uri, read_timeout=10) as client,
        ):
            return await asked(client)

    (event,) = asyncio.run(case())
    assert Error.from_event(event).code == "simulated"


def test_it_understands_the_description_and_a_pong() -> None:
    async def case() -> tuple[Event | None, Event | None]:
        async with WyomingSimulator() as server, AsyncClient.from_uri(server.uri, read_timeout=10) as client:
            await client.write_event(Describe().event())
            info = await client.read_event()
            await client.write_event(Ping("hello").event())
            return info, await client.read_event()

    info, pong = asyncio.run(case())
    assert info is not None
    (program,) = Info.from_event(info).asr
    assert (program.name, program.requires_external_vad) == ("simulator", True)
    assert program.models[0].languages == ["en", "de_DE"]
    assert pong is not None
    assert Pong.from_event(pong).text == "hello"
