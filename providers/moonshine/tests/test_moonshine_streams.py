"""Streams of real speech through the real engine, in real time where that matters."""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import AsyncIterator, Callable
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from debabelizer import SpeechStarted, StreamingResult, UtteranceEnded, VoiceProcessor
from debabelizer.results import StreamEvent
from debabelizer.streaming.stream import TranscriptionStream

BYTES = 32000  # of a second


@pytest.fixture(scope="module")
def sound() -> bytes:
    with wave.open(str(Path(__file__).parents[3] / "tests" / "audio" / "jfk.wav")) as file:
        return file.readframes(file.getnframes())


async def microphone(audio: bytes) -> AsyncIterator[bytes]:
    begun = time.perf_counter()
    for start in range(0, len(audio), BYTES // 20):
        piece = audio[start : start + BYTES // 20]
        await asyncio.sleep(max(begun + (start + len(piece)) / BYTES - time.perf_counter(), 0.0))
        yield piece


def likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.split(), other.split()).ratio()


def test_a_file_becomes_finals_where_the_speech_is(jfk: Path, jfk_text: str, plain: Callable[[str], str]) -> None:
    async def case() -> TranscriptionStream:
        async with VoiceProcessor({}, provider="moonshine") as processor:
            async with processor.transcribe_stream(jfk) as stream:
                finals = [result async for result in stream if result.is_final]
            assert all(final.ends_utterance and final.language == "en" for final in finals)
            return stream

    stream = asyncio.run(case())
    assert likeness(plain(stream.transcript.text), jfk_text) > 0.9
    starts = [segment.start for segment in stream.transcript.segments]
    assert starts == [pytest.approx(0.35, abs=0.1), pytest.approx(3.3, abs=0.1), pytest.approx(5.4, abs=0.1)]
    assert stream.stats.confirmed == stream.stats.accepted == 11.0
    assert stream.stats.attempts == 1


def test_live_speech_is_shown_while_it_is_spoken(sound: bytes, plain: Callable[[str], str]) -> None:
    """The speaker goes on only when something is on the screen: however busy this machine is, it must come."""
    shown = asyncio.Event()

    async def speaker() -> AsyncIterator[bytes]:
        async for piece in microphone(sound[: 2 * BYTES]):
            yield piece
        await asyncio.wait_for(shown.wait(), 60.0)
        async for piece in microphone(sound[2 * BYTES : round(3.2 * BYTES)]):
            yield piece

    async def case() -> list[StreamEvent]:
        events = []
        async with (
            VoiceProcessor({}, provider="moonshine") as processor,
            processor.transcribe_stream(speaker()) as stream,
        ):
            async for event in stream.events():
                events.append(event)
                if isinstance(event, StreamingResult) and event.text:
                    assert shown.is_set() or not event.is_final
                    shown.set()
        return events

    events = asyncio.run(case())
    kinds = [type(event) for event in events]
    assert kinds.index(SpeechStarted) < kinds.index(StreamingResult) < kinds.index(UtteranceEnded)
    (final,) = [event for event in events if isinstance(event, StreamingResult) and event.is_final]
    assert likeness(plain(final.text), "and so my fellow americans") > 0.7


def test_streams_at_once_say_what_each_would_say_alone(sound: bytes) -> None:
    async def text(processor: VoiceProcessor, audio: bytes) -> str:
        async with processor.transcribe_stream() as stream:
            sending = asyncio.ensure_future(send(stream, audio))
            async for _ in stream:
                pass
            await sending
        return stream.transcript.text

    async def send(stream: TranscriptionStream, audio: bytes) -> None:
        for start in range(0, len(audio), BYTES // 5):
            await stream.send_audio(audio[start : start + BYTES // 5])
        await stream.end_audio()

    async def case() -> None:
        talks = [sound, sound[5 * BYTES :], sound[: 5 * BYTES]]
        async with VoiceProcessor({}, provider="moonshine") as processor:
            alone = [await text(processor, talk) for talk in talks]
            assert all(alone)
            assert await asyncio.gather(*(text(processor, talk) for talk in talks)) == alone

    asyncio.run(case())
