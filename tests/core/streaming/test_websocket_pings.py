"""Pings find a dead peer, and no other; and they end with the connection."""

from __future__ import annotations

import asyncio
from typing import Any

from debabelizer import VoiceProcessor
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import compare, encode_words, plan_words
from debabelizer.testing.soniox import Behaviour, Fault, SonioxSimulator

WORDS = plan_words(1200, length=0.2, gap=0.05)  # five minutes


def config_for(server: SonioxSimulator, **policy: Any) -> dict[str, Any]:
    return {
        "stt": {"provider": "soniox"},
        "providers": {"soniox": {"api_key": "test-key", "websocket_url": server.url}},
        "stream": policy,
    }


def test_a_connection_that_is_lost_with_its_handshake_leaves_no_task_behind() -> None:
    async def main() -> str:
        async with (
            SonioxSimulator(faults=[Fault.reset(at="open")]) as server,
            VoiceProcessor(config_for(server)) as processor,
            processor.transcribe_stream() as stream,
        ):
            await stream.send_audio(encode_words(WORDS[:3], tail=0.2))
            await stream.end_audio()
            async for _ in stream:
                pass
            assert stream.stats.attempts == 2
            assert not [task for task in asyncio.all_tasks() if "keepalive" in repr(task.get_coro())]
            return stream.transcript.text

    assert virtual_time.run(main()) == "word0 word1 word2"


def test_while_the_user_does_not_read_the_peer_is_listened_to_and_neither_takes_the_other_for_dead() -> None:
    async def main() -> None:
        async with SonioxSimulator(behaviour=Behaviour(record_audio=False)) as server:
            config = config_for(server, results=10)
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
