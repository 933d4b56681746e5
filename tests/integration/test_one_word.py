"""Switching vendor is a word in a config file: one program, one file, every provider of the project."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from debabelizer_deepgram.simulator import DeepgramSimulator
from debabelizer_openai.simulator import OpenAISimulator
from debabelizer_wyoming.testing import WyomingSimulator
from numpy.typing import NDArray

from debabelizer import AudioFormat, Transcript, VoiceProcessor
from debabelizer.audio.utterances import Decoded
from debabelizer.config.describe import toml
from debabelizer.plugins import PluginRegistry
from debabelizer.plugins.discovery import FIRST_PARTY
from debabelizer.results import Segment
from debabelizer.testing.coded import compare, encode_words, plan_words, wav
from debabelizer.testing.kit import CodedVad, CodedWords
from debabelizer.testing.soniox import SonioxSimulator

PLAN = plan_words(8, phrase=4, pause=1.4)
FILES = {spec.name for spec in PluginRegistry.discover(allow=[*FIRST_PARTY]).specs if spec.capabilities.batch}


class Microphone:
    """What is said, as it comes: faster than anybody speaks, for the sake of the test."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.audio_format = audio_format

    async def __aiter__(self) -> AsyncIterator[bytes]:
        audio, size = encode_words(PLAN, self.audio_format, tail=1.0), self.audio_format.bytes_per_second // 10
        for at in range(0, len(audio), size):
            yield audio[at : at + size]


async def program(config: Path, microphone: Microphone, recording: Path) -> list[Transcript]:
    """The program of a user, who has written nothing in it about any vendor: a stream, and a recording as a whole."""
    async with VoiceProcessor(config) as processor:
        async with processor.transcribe_stream(microphone) as stream:
            async for _ in stream:
                pass
        if stream.transcript.provider not in FILES:
            return [stream.transcript]
        return [stream.transcript, await processor.transcribe(recording)]


class CodedEngine:
    """In place of the engines in this process: hears coded words."""

    def __init__(self, *_: Any) -> None: ...

    def decode(self, samples: NDArray[np.float32]) -> Decoded:
        return Decoded(" ".join(word.text for word in CodedWords.of_samples(samples)))

    def understand(self, samples: NDArray[np.float32], _: Any) -> tuple[Segment, ...]:
        words = CodedWords.of_samples(samples)
        return (Segment(" ".join(word.text for word in words), words[0].start, words[-1].end, tuple(words)),)

    def close(self) -> None: ...


async def soniox(stack: AsyncExitStack) -> Mapping[str, Any]:
    service = await stack.enter_async_context(SonioxSimulator())
    return {"websocket_url": service.url, "api_url": service.api_url}


async def deepgram(stack: AsyncExitStack) -> Mapping[str, Any]:
    service = await stack.enter_async_context(DeepgramSimulator())
    return {"websocket_url": service.url, "api_url": service.api_url}


async def deepgram_flux(stack: AsyncExitStack) -> Mapping[str, Any]:
    return {"websocket_url": (await deepgram(stack))["websocket_url"]}


async def wyoming(stack: AsyncExitStack) -> Mapping[str, Any]:
    return {"uri": (await stack.enter_async_context(WyomingSimulator())).uri}


async def engine(_: AsyncExitStack) -> Mapping[str, Any]:
    return {}


def openai(flavour: str) -> Callable[[AsyncExitStack], Any]:
    async def service(stack: AsyncExitStack) -> Mapping[str, Any]:
        keys = None if flavour == "whisper_cpp" else ["test-key"]
        return {"base_url": (await stack.enter_async_context(OpenAISimulator(flavour, keys=keys))).base_url}

    return service


SERVICES: dict[str, Callable[[AsyncExitStack], Any]] = {
    "deepgram": deepgram,
    "deepgram_flux": deepgram_flux,
    "groq": openai("groq"),
    "localai": openai("localai"),
    "moonshine": engine,
    "openai": openai("openai"),
    "openai_compatible": openai("generic"),
    "soniox": soniox,
    "speaches": openai("speaches"),
    "vllm": openai("vllm"),
    "vllm_realtime": openai("vllm"),
    "whisper": engine,
    "whisper_cpp": openai("whisper_cpp"),
    "wyoming": wyoming,
}


@pytest.fixture
def coded_speech() -> Iterator[None]:
    """No detector takes coded words for a voice, and no model takes them for speech."""
    detectors = ("debabelizer.audio.recognition", "debabelizer.streaming.segmenter", "debabelizer_openai.pauses")
    patches = [mock.patch(f"{module}.open_vad", CodedVad) for module in (*detectors, "debabelizer_openai.pieces")]
    patches += [mock.patch(f"debabelizer_{name}.provider.Engine", CodedEngine) for name in ("moonshine", "whisper")]
    for patch in patches:
        patch.start()
    yield
    for patch in patches:
        patch.stop()


def test_no_provider_is_left_out() -> None:
    assert SERVICES.keys() == FIRST_PARTY.keys()


async def configuration(stack: AsyncExitStack) -> str:
    """One file for all: where everybody is, and a word that is missing."""
    lines = ["[stt]", 'provider = "…"']
    for spec in PluginRegistry.discover(allow=[*FIRST_PARTY]).specs:
        key = {"api_key": "test-key"} if spec.secrets else {}
        lines.append(f"[providers.{spec.name}]")
        lines += [f"{name} = {toml(value)}" for name, value in {**key, **await SERVICES[spec.name](stack)}.items()]
    return "\n".join(lines)


@pytest.mark.usefixtures("coded_speech")
@pytest.mark.parametrize("provider", SERVICES)
def test_one_word_in_the_configuration_is_all_that_changes(provider: str, tmp_path: Path) -> None:
    config, recording = tmp_path / "debabelizer.toml", tmp_path / "recording.wav"
    # Coded words do not survive a change of their rate, which speech does not mind.
    rates = PluginRegistry.discover(allow=[provider]).spec(provider).capabilities.sample_rates
    microphone = Microphone(AudioFormat(sample_rate=next(iter(rates), 16000)))
    recording.write_bytes(wav(encode_words(PLAN, tail=1.0)))

    async def main() -> None:
        async with AsyncExitStack() as stack:
            config.write_text((await configuration(stack)).replace("…", provider), encoding="utf-8")
            for transcript in await program(config, microphone, recording):
                assert compare(PLAN, transcript).perfect, transcript.text
                assert transcript.provider == provider

    asyncio.run(main())
