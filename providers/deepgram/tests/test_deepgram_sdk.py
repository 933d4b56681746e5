"""Deepgram's own SDK, an independent witness, completes sessions with the simulated service."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from debabelizer_deepgram.simulator import Behaviour, DeepgramSimulator, StreamLog
from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment
from deepgram.listen.v1.types import ListenV1Metadata, ListenV1Results, ListenV1SpeechStarted, ListenV1UtteranceEnd
from deepgram.listen.v2.types import ListenV2Connected, ListenV2TurnInfo

from debabelizer.testing.coded import encode_words, plan_words, wav

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # it speaks through what is

PLAN = plan_words(9, phrase=3, pause=1.2)
AUDIO = encode_words(PLAN, tail=1.0)
TEXT = " ".join(word.text for word in PLAN)
AT_ONCE = Behaviour(max_speed=None)

TYPES: dict[str, Any] = {
    "Results": ListenV1Results,
    "Metadata": ListenV1Metadata,
    "SpeechStarted": ListenV1SpeechStarted,
    "UtteranceEnd": ListenV1UtteranceEnd,
    "Connected": ListenV2Connected,
    "TurnInfo": ListenV2TurnInfo,
}


def client(server: DeepgramSimulator, key: str = "test-key", **options: Any) -> AsyncDeepgramClient:
    places = DeepgramClientEnvironment(
        base=server.api_url, production=server.url, agent=server.url, agent_rest=server.api_url
    )
    return AsyncDeepgramClient(api_key=key, environment=places, **options)


async def speak(socket: Any) -> None:
    for at in range(0, len(AUDIO), 6400):
        await socket.send_media(AUDIO[at : at + 6400])


def check_types(log: StreamLog) -> None:
    """The SDK takes what it does not know; its models, asked to validate, do not."""
    assert {message["type"] for message in log.messages} <= TYPES.keys()
    for message in log.messages:
        TYPES[message["type"]].model_validate(message)


def test_a_nova_stream() -> None:
    async def main() -> tuple[list[Any], StreamLog]:
        async with DeepgramSimulator(behaviour=AT_ONCE) as server:
            options: dict[str, Any] = {"interim_results": True, "utterance_end_ms": 1000, "vad_events": True}
            async with client(server).listen.v1.connect(
                model="nova-3", encoding="linear16", sample_rate=16000, punctuate=True, diarize=True, **options
            ) as socket:
                await speak(socket)
                await socket.send_keep_alive()
                await socket.send_finalize()
                await socket.send_close_stream()
                return [message async for message in socket], server.streams[0]

    messages, log = asyncio.run(main())
    finals = [each for each in messages if isinstance(each, ListenV1Results) and each.is_final]
    assert " ".join(text for each in finals if (text := each.channel.alternatives[0].transcript)) == TEXT
    assert any(isinstance(each, ListenV1UtteranceEnd) for each in messages)
    assert any(isinstance(each, ListenV1SpeechStarted) for each in messages)
    assert isinstance(messages[-1], ListenV1Metadata)
    assert messages[-1].duration == pytest.approx(len(AUDIO) / 32000)
    assert log.controls == ["KeepAlive", "Finalize", "CloseStream"]
    assert log.closed == (1000, "")
    check_types(log)


def test_a_flux_stream() -> None:
    async def main() -> tuple[list[Any], StreamLog]:
        options: dict[str, Any] = {"model": "flux-general-multi", "eager_eot_threshold": 0.4}
        async with (
            DeepgramSimulator(behaviour=AT_ONCE) as server,
            client(server).listen.v2.connect(encoding="linear16", sample_rate=16000, **options) as socket,
        ):
            await speak(socket)
            await socket.send_force_end_turn()
            await socket.send_close_stream()
            return [message async for message in socket], server.streams[0]

    messages, log = asyncio.run(main())
    turns = [each for each in messages if isinstance(each, ListenV2TurnInfo)]
    ended = [each.transcript for each in turns if each.event == "EndOfTurn"]
    assert " ".join(ended) == TEXT
    assert {"StartOfTurn", "Update", "EagerEndOfTurn", "EndOfTurn"} <= {each.event for each in turns}
    assert [each.sequence_id for each in messages] == list(range(len(messages)))
    assert log.controls == ["ForceEndTurn", "CloseStream"]
    check_types(log)


def test_a_file() -> None:
    async def main() -> Any:
        async with DeepgramSimulator() as server, httpx.AsyncClient() as session:
            return await client(server, httpx_client=session).listen.v1.media.transcribe_file(
                request=wav(AUDIO), model="nova-3", diarize=True, utterances=True, punctuate=True
            )

    answer = asyncio.run(main())
    assert answer.results.channels[0].alternatives[0].transcript == TEXT
    assert [utterance.transcript for utterance in answer.results.utterances] == [
        " ".join(word.text for word in PLAN[at : at + 3]) for at in (0, 3, 6)
    ]
    assert answer.metadata.duration == pytest.approx(len(AUDIO) / 32000)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_wrong_key_is_refused(version: str) -> None:
    async def main() -> None:
        async with DeepgramSimulator() as server:
            listen = getattr(client(server, "wrong-test-key").listen, version)
            async with listen.connect(model="nova-3", encoding="linear16", sample_rate=16000):
                pass

    with pytest.raises(Exception, match="401"):
        asyncio.run(main())
