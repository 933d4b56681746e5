"""Streams of coded words: whatever becomes of the connections, each word comes once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from debabelizer_wyoming.testing import Fault, WyomingSimulator

from debabelizer import VoiceProcessor
from debabelizer.errors import InvalidRequestError, ProviderError, ServiceUnavailableError, StreamError
from debabelizer.results import Reconnecting, StreamEvent, StreamingResult, Transcript
from debabelizer.testing.coded import compare, encode_words, plan_words, wav
from debabelizer.testing.kit import CodedVad
from debabelizer.testing.proxy import FaultProxy

WORDS = plan_words(12, phrase=4, pause=1.2)
AUDIO = encode_words(WORDS, tail=1.0)
STREAM = {"max_speed": 40.0, "backoff_base": 0.01, "backoff_max": 0.05}


@pytest.fixture(autouse=True)
def _coded_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("audio.recognition", "streaming.segmenter"):
        monkeypatch.setattr(f"debabelizer.{room}.open_vad", CodedVad)


def config(uri: str, **table: Any) -> dict[str, Any]:
    return {"providers": {"wyoming": {"uri": uri, "timeout": 0.3, **table}}, "stream": STREAM}


async def streamed(settings: dict[str, Any], **wishes: Any) -> tuple[Transcript, list[StreamEvent]]:
    events: list[StreamEvent] = []
    async with VoiceProcessor(settings, provider="wyoming") as processor:
        async with processor.transcribe_stream(**wishes) as stream:
            sending = asyncio.ensure_future(speak(stream))
            try:
                async for event in stream.events():
                    events.append(event)
            finally:
                sending.cancel()
                await asyncio.wait([sending])
        return stream.transcript, events


async def speak(stream: Any) -> None:
    for at in range(0, len(AUDIO), 3200):
        await asyncio.sleep(0.0025)
        await stream.send_audio(AUDIO[at : at + 3200])
    await stream.end_audio()


def failures(events: Sequence[StreamEvent]) -> list[str]:
    return [type(event.cause).__name__ for event in events if isinstance(event, Reconnecting)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("end", "ConnectionLostError"),
        ("error", "ServiceUnavailableError"),
        ("nonsense", "ProtocolError"),
        ("silence", "ProgressTimeout"),
    ],
)
def test_an_utterance_that_fails_is_said_all_the_same(fault: Fault, error: str) -> None:
    async def case() -> None:
        async with WyomingSimulator(faults=[None, fault, None, fault]) as server:
            transcript, events = await streamed(config(server.uri), interim=False)
        assert compare(WORDS, transcript).perfect
        assert failures(events) == [error, error]

    asyncio.run(case())


@pytest.mark.parametrize("strike", [FaultProxy.cut, FaultProxy.reset, FaultProxy.vanish, FaultProxy.stall])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_a_connection_that_breaks_within_an_utterance_costs_no_word(
    strike: Callable[[FaultProxy], None], share: float
) -> None:
    async def case() -> None:
        async with WyomingSimulator() as server, FaultProxy(*server.address) as proxy:
            proxy.when("up", round(share * len(AUDIO)), lambda: strike(proxy))
            uri = f"tcp://{proxy.host}:{proxy.port}"
            transcript, events = await streamed(config(uri), interim=False)
        assert compare(WORDS, transcript).perfect
        assert len(failures(events)) == 1

    asyncio.run(case())


def test_what_a_server_says_while_it_listens_is_shown() -> None:
    async def case() -> None:
        async with WyomingSimulator(chunks=True, language="en") as server:
            transcript, events = await streamed(config(server.uri))
        results = [event for event in events if isinstance(event, StreamingResult)]
        assert compare(WORDS, transcript).perfect
        assert any(not result.is_final and result.text for result in results)
        finals = [result for result in results if result.is_final]
        assert all(final.language == "en" and final.ends_utterance and not final.words for final in finals)
        assert all(final.start is not None and final.end is not None for final in finals)

    asyncio.run(case())


def test_each_utterance_has_a_connection_of_its_own() -> None:
    async def case() -> None:
        async with WyomingSimulator() as server, FaultProxy(*server.address) as proxy:
            await streamed(config(f"tcp://{proxy.host}:{proxy.port}"), interim=False)
            assert len(server.utterances) == 3
            assert proxy.accepted == 4  # and one for its description

    asyncio.run(case())


def test_one_language_is_told_and_several_are_not() -> None:
    async def told(**table: Any) -> object:
        async with WyomingSimulator() as server:
            hints = table.pop("hints")
            await streamed(config(server.uri, **table), interim=False, language_hints=hints)
            return server.utterances[0].request.get("language")

    assert asyncio.run(told(hints=["de"])) == "de"
    assert asyncio.run(told(hints=["de", "en"])) is None
    assert asyncio.run(told(hints=["de", "en"], language="en")) == "en"


def test_a_server_for_something_else_is_refused_before_any_audio() -> None:
    async def case() -> None:
        async with WyomingSimulator(info={"tts": []}) as server:
            try:
                await streamed(config(server.uri))
            finally:
                assert server.utterances == []

    with pytest.raises(StreamError, match="does not recognise speech") as caught:
        asyncio.run(case())
    assert isinstance(caught.value.attempts[0].cause, InvalidRequestError)
    assert len(caught.value.attempts) == 1


def transcribed(server: WyomingSimulator, **table: Any) -> Transcript:
    async def case() -> Transcript:
        async with server, VoiceProcessor(config(server.uri, **table), provider="wyoming") as processor:
            return await processor.transcribe(wav(AUDIO))

    return asyncio.run(case())


def test_a_recording_is_cut_and_its_segments_have_times() -> None:
    server = WyomingSimulator(language="de")
    transcript = transcribed(server, silence=0.8)
    assert compare(WORDS, transcript).perfect
    assert len(transcript.segments) == len(server.utterances) == 3
    assert transcript.language == "de"
    starts = [segment.start for segment in transcript.segments]
    assert starts == [pytest.approx(WORDS[at].start - 0.1, abs=0.05) for at in (0, 4, 8)]


def test_an_utterance_of_a_recording_is_asked_for_again() -> None:
    server = WyomingSimulator(faults=["end", "error"])
    assert compare(WORDS, transcribed(server, silence=0.8)).perfect
    assert len(server.utterances) == 5


def test_a_recording_fails_when_asking_again_does_not_help() -> None:
    with pytest.raises(ServiceUnavailableError):
        transcribed(WyomingSimulator(faults=["error"] * 20), connections=1)


def test_a_model_that_the_server_has_not_is_told_at_once() -> None:
    server = WyomingSimulator()
    with pytest.raises(ProviderError, match="has no model 'large'") as caught:
        transcribed(server, model="large")
    assert caught.value.hint == "It has coded."
    assert server.utterances == []
