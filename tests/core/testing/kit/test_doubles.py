"""What stands in for vendors and engines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.pcm import decode
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import encode_words, plan_words
from debabelizer.testing.kit import CodedVad, CodedWords, EngineDouble, WebSocketService

PLAN = plan_words(5)


class Echo(WebSocketService):
    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"url": f"ws://{host}:{port}"}

    async def serve(self, socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)


@pytest.mark.parametrize("run", [asyncio.run, virtual_time.run])
class TestWebSocketService:
    def test_it_serves_those_who_have_the_key(self, run: Any) -> None:
        async def main() -> str:
            async with Echo("right") as service:
                url = service.settings(*service.address)["url"]
                with pytest.raises(InvalidStatus) as refusal:
                    await connect(url, additional_headers={"Authorization": "Bearer wrong"})
                assert refusal.value.response.status_code == 401
                async with connect(url, additional_headers={"Authorization": "Bearer right"}) as socket:
                    await socket.send("hello")
                    return str(await socket.recv())

        assert run(main()) == "hello"

    def test_it_leaves_nothing_behind(self, run: Any) -> None:
        async def main() -> None:
            async with Echo("right") as service:
                url = service.settings(*service.address)["url"]
                socket = await connect(url, additional_headers={"Authorization": "Bearer right"})
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            await socket.wait_closed()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        run(main())


def test_an_engine_is_replaced_as_long_as_a_case_runs() -> None:
    calls: list[str] = []

    class Double(EngineDouble):
        def install(self, stack: ExitStack) -> None:
            calls.append("put in")
            stack.callback(calls.append, "taken out")

    async def main() -> None:
        async with Double("key") as double:
            assert double.address is None
            assert double.settings() == {}
            assert calls == ["put in"]

    asyncio.run(main())
    assert calls == ["put in", "taken out"]


def test_coded_words_are_heard_wherever_the_audio_is_cut() -> None:
    audio = encode_words(PLAN)
    whole = CodedWords.of(audio)
    assert [(word.text, word.start, word.end) for word in whole] == [(word.text, word.start, word.end) for word in PLAN]
    ear = CodedWords()
    pieces = [word for at in range(0, len(audio), 7) for word in ear.hear(audio[at : at + 7])]
    assert [*pieces, *ear.finish()] == whole
    assert ear.seconds == len(audio) / 32000


def test_a_word_that_was_cut_is_damaged() -> None:
    audio = encode_words(PLAN)
    assert [word.text for word in CodedWords.of(audio[: round(0.3 * 32000)])] == ["#"]
    ear = CodedWords()
    ear.hear(audio[: round(0.3 * 32000)])
    assert ear.speaking
    assert ear.partial is not None
    assert ear.partial.text == "word0"


def test_samples_say_the_same_and_are_taken_for_a_voice() -> None:
    samples = decode(encode_words(PLAN), AudioFormat()).reshape(-1)
    assert [word.text for word in CodedWords.of_samples(samples)] == [word.text for word in PLAN]
    vad = CodedVad()
    assert vad.probability(samples[: 16000 // 8]) == 0.0
    assert vad.probability(samples[3200:3712]) == 1.0
