"""The providers as users have them: through `VoiceProcessor`, against servers on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from debabelizer_openai.simulator import Behaviour, OpenAISimulator, Refusal

from debabelizer import (
    AudioFormat,
    AuthenticationError,
    CapabilityError,
    InvalidRequestError,
    ProgressTimeout,
    ServiceUnavailableError,
    SessionExpiredError,
    StreamError,
    VoiceProcessor,
)
from debabelizer.results import Reconnecting
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import compare, encode_words, plan_words, wav
from debabelizer.testing.kit import CodedVad

PLAN = plan_words(30, phrase=5, pause=1.2)
WIRE = AudioFormat("pcm_s16le", 24000)

pytestmark = pytest.mark.usefixtures("coded_voice")


def processor(server: OpenAISimulator, name: str = "openai", **table: Any) -> VoiceProcessor:
    table = {"base_url": server.base_url, "api_key": "test-key", **table}
    return VoiceProcessor({"stt": {"provider": name}, "providers": {name: table}})


async def play(
    server: OpenAISimulator, name: str = "openai", wire: AudioFormat = WIRE, **table: Any
) -> tuple[Any, list[Any]]:
    """Stream numbered words in real time; returns the stream and its events."""
    wishes = table.pop("wishes", {})
    audio, size = encode_words(PLAN, wire, tail=1.5), wire.bytes_per_second // 10

    async def spoken() -> AsyncIterator[bytes]:
        for at in range(0, len(audio), size):
            yield audio[at : at + size]
            await asyncio.sleep(0.1)

    async with (
        processor(server, name, **table) as engine,
        engine.transcribe_stream(spoken(), audio_format=wire, **wishes) as stream,
    ):
        return stream, [event async for event in stream.events()]


def texts(events: list[Any], *, final: bool) -> list[str]:
    return [event.text for event in events if getattr(event, "is_final", None) is final and event.text]


@pytest.mark.parametrize("table", [{}, {"turn_detection": "pauses"}, {"model": "gpt-live-transcribe"}])
@pytest.mark.parametrize(
    "behaviour", [Behaviour(), Behaviour(delays=(2.5, 0.1, 1.5, 0.0)), Behaviour(session_seconds=7.0)]
)
def test_every_word_comes_once_and_in_order(table: dict[str, Any], behaviour: Behaviour) -> None:
    async def main() -> None:
        async with OpenAISimulator(behaviour=behaviour) as server:
            stream, events = await play(server, **table)
            assert compare(PLAN, stream.transcript).perfect
            causes = [event.cause for event in events if isinstance(event, Reconnecting)]
            assert all(isinstance(cause, SessionExpiredError) for cause in causes)
            assert bool(causes) is (behaviour.session_seconds is not None)
            assert len(server.log.sessions) == len(causes) + 1
            assert stream.stats.confirmed == pytest.approx(stream.stats.accepted, abs=0.1)
            assert stream.stats.gaps == ()

    virtual_time.run(main())


def test_a_live_model_writes_while_one_speaks() -> None:
    async def main() -> None:
        async with OpenAISimulator(behaviour=Behaviour(delays=(0.5,))) as server:
            _, live = await play(server, model="gpt-live-transcribe")
            assert texts(live, final=False)[:3] == ["word0", "word0 word1", "word0 word1 word2"]
            assert texts(live, final=True)[0] == "word0 word1 word2 word3 word4"

    virtual_time.run(main())


def test_the_detector_is_not_loaded_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def open_vad() -> CodedVad:
        threads.append(threading.current_thread())
        return CodedVad()

    monkeypatch.setattr("debabelizer_openai.pauses.open_vad", open_vad)

    async def main() -> None:
        async with OpenAISimulator() as server:
            await play(server, model="gpt-live-transcribe")
        async with OpenAISimulator("vllm") as server:
            await play(server, "vllm_realtime", AudioFormat())

    virtual_time.run(main())
    assert len(threads) == 2
    assert threading.main_thread() not in threads


def test_the_languages_that_were_heard_are_told() -> None:
    async def main() -> None:
        async with OpenAISimulator(behaviour=Behaviour(language=("es", "spanish"))) as server:
            stream, _ = await play(server, wishes={"language_hints": ["es", "en"]})
            assert stream.transcript.language == "es"

    virtual_time.run(main())


def test_a_transcription_that_fails_is_heard_again() -> None:
    async def main() -> None:
        async with OpenAISimulator(behaviour=Behaviour(failures=((2, "overloaded"),))) as server:
            stream, events = await play(server)
            assert compare(PLAN, stream.transcript).perfect
            causes = [event.cause for event in events if isinstance(event, Reconnecting)]
            assert [type(cause) for cause in causes] == [ServiceUnavailableError] * len(causes)
            assert causes

    virtual_time.run(main())


def test_a_transcription_that_does_not_come_is_a_stall_and_heard_again() -> None:
    async def main() -> None:
        async with OpenAISimulator(behaviour=Behaviour(delays=(0.1, 60.0))) as server:
            stream, events = await play(server)
            assert compare(PLAN, stream.transcript).perfect
            causes = [event.cause for event in events if isinstance(event, Reconnecting)]
            assert isinstance(causes[0], ProgressTimeout)

    virtual_time.run(main())


def test_a_long_silence_is_no_stall_and_is_forgotten() -> None:
    async def main() -> None:
        async with (
            OpenAISimulator() as server,
            processor(server) as engine,
            engine.transcribe_stream(audio_format=WIRE) as stream,
        ):
            for _ in range(1200):
                await stream.send_audio(bytes(WIRE.bytes_per_second // 10))
                await asyncio.sleep(0.1)
            assert stream.stats.confirmed > 115
            await stream.end_audio()
            assert [event async for event in stream if event.text] == []
            assert len(server.log.sessions) == 1
            assert stream.stats.reconnects == 0

    virtual_time.run(main())


def test_a_stream_that_is_refused_fails_at_once() -> None:
    async def main() -> None:
        async with OpenAISimulator() as server:
            for table, kind in (
                ({"api_key": "wrong-test-key"}, AuthenticationError),
                ({"model": "no-such-model"}, Exception),
                ({"model_in_url": True}, Exception),  # that makes a conversation of it
            ):
                with pytest.raises(StreamError) as caught:
                    await play(server, **table)
                assert isinstance(caught.value.__cause__, kind)
                assert len(caught.value.attempts) == 1

    virtual_time.run(main())


@pytest.mark.parametrize("name", ["groq", "speaches", "whisper_cpp", "vllm", "localai"])
def test_servers_of_recordings_stream_too(name: str) -> None:
    plan = plan_words(6, phrase=3, pause=1.2)
    audio = encode_words(plan, tail=1.0)

    async def main() -> None:
        async with (
            OpenAISimulator(name) as server,
            processor(server, name) as engine,
            engine.transcribe_stream(wav(audio)) as stream,
        ):
            finals = [result async for result in stream if result.is_final]
            assert compare(plan, stream.transcript).perfect
            assert [final.text for final in finals if final.text] == ["word0 word1 word2", "word3 word4 word5"]

    asyncio.run(main())


def test_vllm_streams_by_its_own_meaning_of_the_names() -> None:
    async def main() -> None:
        async with OpenAISimulator("vllm", keys=None, behaviour=Behaviour(delays=(1.0, 0.2))) as server:
            stream, events = await play(server, "vllm_realtime", AudioFormat(), api_key="unused-test-key")
            assert compare(PLAN, stream.transcript).perfect
            assert texts(events, final=False)[:2] == ["word0", "word0 word1"]
            assert len(server.log.sessions) == 1

    virtual_time.run(main())


@pytest.mark.parametrize("name", ["speaches", "whisper_cpp", "vllm", "localai"])
def test_a_server_of_your_own_needs_no_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SPEACHES_API_KEY", "VLLM_API_KEY", "LOCALAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)

    async def main() -> None:
        async with OpenAISimulator(name, keys=None) as server:
            config = {"stt": {"provider": name}, "providers": {name: {"base_url": server.base_url}}}
            async with VoiceProcessor(config) as engine:
                assert compare(5, await engine.transcribe(wav(encode_words(5)))).perfect

    asyncio.run(main())


def test_when_openai_is_out_a_server_of_your_own_goes_on() -> None:
    async def main() -> None:
        down = Behaviour(refusals=(Refusal(401, {"code": "invalid_api_key"}),))
        async with OpenAISimulator(behaviour=down) as cloud, OpenAISimulator("whisper_cpp", keys=None) as mine:
            config = {
                "stt": {"provider": ["openai", "whisper_cpp"]},
                "providers": {
                    "openai": {"base_url": cloud.base_url, "api_key": "test-key"},
                    "whisper_cpp": {"base_url": mine.base_url},
                },
            }
            async with VoiceProcessor(config) as engine:
                transcript = await engine.transcribe(wav(encode_words(5)))
            assert compare(5, transcript).perfect
            assert transcript.provider == "whisper_cpp"

    asyncio.run(main())


@pytest.mark.parametrize("flavour", ["generic", "groq", "localai", "openai", "speaches", "vllm", "whisper_cpp"])
def test_any_other_server_is_reached_by_its_address_and_flavour(flavour: str) -> None:
    plan = plan_words(6, phrase=3, pause=1.2)
    recording = wav(encode_words(plan, tail=1.0))

    async def main() -> None:
        async with (
            OpenAISimulator(flavour) as server,
            processor(server, "openai_compatible", flavour=flavour) as engine,
        ):
            assert compare(plan, await engine.transcribe(recording)).perfect
            async with engine.transcribe_stream(recording) as stream:
                assert [final.text async for final in stream if final.is_final and final.text][
                    -1
                ] == "word3 word4 word5"
            assert compare(plan, stream.transcript).perfect

    asyncio.run(main())


def test_of_a_server_that_is_not_known_no_more_is_asked_than_all_understand() -> None:
    async def main() -> None:
        async with OpenAISimulator("generic", keys=None) as server:
            for model, fields in (
                ("house-model", {"model", "response_format", "language", "prompt"}),
                (
                    "openai/whisper-large-v3",
                    {"model", "response_format", "timestamp_granularities[]", "language", "prompt"},
                ),
            ):
                table = {"base_url": server.base_url, "model": model, "prompt": "Numbers."}
                async with VoiceProcessor({"providers": {"openai_compatible": table}}) as engine:
                    await engine.transcribe(wav(encode_words(1)), provider="openai_compatible", language_hints=["de"])
                assert server.log.uploads[-1].fields.keys() == fields

    asyncio.run(main())


def test_a_server_without_an_address_is_asked_for_it() -> None:
    async def main() -> None:
        async with VoiceProcessor({"stt": {"provider": "openai_compatible"}}) as engine:
            with pytest.raises(InvalidRequestError, match="where the server is") as caught:
                await engine.transcribe(wav(encode_words(1)))
            assert caught.value.hint == "Set base_url under [providers.openai_compatible]."
            with pytest.raises(StreamError, match="where the server is"):
                async with engine.transcribe_stream(wav(encode_words(1))) as stream:
                    assert [event async for event in stream] == []

    asyncio.run(main())


def test_what_no_model_does_for_sure_cannot_be_asked_for() -> None:
    async def main() -> None:
        async with OpenAISimulator() as server, processor(server) as engine:
            with pytest.raises(CapabilityError):
                await engine.transcribe(wav(encode_words(1)), diarization=True)
            optional = await engine.transcribe(wav(encode_words(1)), diarization=True, optional=["diarization"])
            assert optional.text == "word0"

    asyncio.run(main())
