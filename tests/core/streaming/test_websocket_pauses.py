"""A user who does not read for minutes: the peer is listened to all the same, and neither takes the other for dead."""

from __future__ import annotations

import asyncio

from debabelizer import VoiceProcessor
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import compare, encode_words, plan_words
from debabelizer.testing.soniox import Behaviour, SonioxSimulator

WORDS = plan_words(1200, length=0.2, gap=0.05)  # five minutes


def test_a_reader_who_pauses_for_minutes_costs_no_reconnect() -> None:
    async def main() -> None:
        async with SonioxSimulator(behaviour=Behaviour(record_audio=False)) as server:
            config = {
                "stt": {"provider": "soniox"},
                "providers": {"soniox": {"api_key": "test-key", "websocket_url": server.url}},
                "stream": {"results": 10},
            }
            async with VoiceProcessor(config) as processor, processor.transcribe_stream() as stream:
                speaking = asyncio.create_task(speak(stream))
                async for _ in stream:
                    break
                await asyncio.sleep(180.0)
                assert not speaking.done()
                async for _ in stream:
                    pass
                await speaking
        report = compare(WORDS, stream.transcript)
        assert report.perfect, report
        assert stream.stats.attempts == 1

    async def speak(stream: TranscriptionStream) -> None:
        audio = encode_words(WORDS, tail=0.2)
        for start in range(0, len(audio), 3200):
            await stream.send_audio(audio[start : start + 3200])
            await asyncio.sleep(0.1)
        await stream.end_audio()

    virtual_time.run(main())
