"""Which provider a processor asks, what it learns from that, and what it says that it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.providers import Line, Meter, fresh, line, spec
from support.service import FORMAT, Plan, Service, speech

from debabelizer import (
    CapabilityError,
    Choice,
    ConnectError,
    DebabelizerError,
    ServiceUnavailableError,
    Usage,
    VoiceProcessor,
)
from debabelizer.plugins import PluginRegistry, hookimpl
from debabelizer.plugins.discovery import register
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing import virtual_time

JFK = Path(__file__).parent.parent / "audio" / "jfk.wav"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    Meter.opened, Meter.gate, Meter.error = [], None, None
    yield
    Meter.opened, Meter.gate, Meter.error = [], None, None


def processor(*specs: Any, plugin: object = None, **stt: Any) -> VoiceProcessor:
    config = {"stt": {"provider": [each.name for each in specs], **stt}}
    registry = PluginRegistry.of(*specs)
    if plugin is not None:
        hooks = {name: hookimpl(hook) for name, hook in vars(plugin).items()}
        registry = PluginRegistry(registry._rows, [register("boss", SimpleNamespace(**hooks))])
    return VoiceProcessor(config, registry=registry)


def order(choices: tuple[Choice, ...]) -> list[str]:
    return [choice.provider for choice in choices if choice.place is not None]


async def talk(stream: TranscriptionStream, last: int = 20) -> str:
    async with stream:
        for number in range(1, last + 1):
            await stream.send_audio(speech(number, number))
            await asyncio.sleep(0.1)
        await stream.end_audio()
        async for _ in stream:
            pass
    await asyncio.sleep(0)  # for the processor to take note
    return stream.transcript.text


def test_the_figures_of_a_stream_say_who_was_chosen_and_why() -> None:
    async def case() -> None:
        specs = line("dear", price_per_hour=0.5), line("cheap", price_per_hour=0.1), spec("meter")
        async with processor(*specs, prefer="cost") as voice:
            fresh(Plan())
            stream = voice.transcribe_stream(audio_format=str(FORMAT), require={"local": False})
            assert stream.name == "cheap"
            await talk(stream)
            assert order(stream.stats.choice) == ["cheap", "dear", "meter"]
            assert stream.stats.choice[0] == Choice(provider="cheap", place=1, reason="US$ 0.1 an hour")
            assert stream.stats.usage[0].provider == "cheap"

    virtual_time.run(case())


def test_what_is_required_filters_first() -> None:
    voice = processor(line("dear", price_per_hour=0.5, words="word"), line("cheap", price_per_hour=0.1), prefer="cost")
    first, other = voice.choice(require={"price_per_hour": 0.2})
    assert (first.provider, first.place) == ("cheap", 1)
    assert (other.provider, other.place) == ("dear", None)
    assert "price_per_hour" in other.reason


def test_an_argument_is_stronger_than_the_configuration() -> None:
    voice = processor(line("dear", price_per_hour=0.5), line("cheap", price_per_hour=0.1), prefer="cost")
    assert order(voice.choice(prefer="order")) == ["dear", "cheap"]
    assert order(voice.choice()) == ["cheap", "dear"]
    assert order(voice.choice(provider="dear")) == ["dear"]
    with pytest.raises(DebabelizerError, match="no preference"):
        voice.choice(prefer="best")  # type: ignore[arg-type]


def test_accuracy_is_what_the_configuration_says() -> None:
    voice = processor(line("a"), line("b"), line("c"), prefer="accuracy", accuracy={"c": 0.04, "b": 0.09})
    assert order(voice.choice()) == ["c", "b", "a"]


def test_latency_is_measured_and_everybody_gets_a_turn() -> None:
    async def case() -> None:
        async with processor(line("slow"), line("quick"), prefer="latency") as voice:
            assert order(voice.choice()) == ["slow", "quick"]
            fresh(Plan(lag=8))
            await talk(voice.transcribe_stream(audio_format=str(FORMAT)))
            assert order(voice.choice()) == ["quick", "slow"]
            fresh(Plan(lag=2))
            await talk(voice.transcribe_stream(audio_format=str(FORMAT)))
            assert order(voice.choice()) == ["quick", "slow"]
            assert voice.choice()[0].reason.endswith("s, as measured")

    virtual_time.run(case())


def test_a_recording_says_nothing_of_the_latency_of_streams() -> None:
    async def case() -> None:
        async with processor(spec("meter"), line("other"), prefer="latency") as voice:
            await voice.transcribe(JFK)
            assert order(voice.choice()) == ["meter", "other"]
            assert voice.choice()[0].reason.startswith("not measured")

    asyncio.run(case())


def test_a_plugin_decides() -> None:
    told: list[Any] = []

    def choose(candidates: Any, prefer: Any) -> list[str]:
        told.append((prefer, [each.provider for each in candidates]))
        return ["b"]

    voice = processor(line("a"), line("b"), plugin=SimpleNamespace(debabelizer_choose_providers=choose))
    assert order(voice.choice()) == ["b"]
    assert told == [("order", ["a", "b"])]


def test_a_plugin_that_fails_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def choose() -> list[str]:
        raise RuntimeError("boom")

    voice = processor(line("a"), line("b"), plugin=SimpleNamespace(debabelizer_choose_providers=choose))
    assert order(voice.choice()) == ["a", "b"]
    assert "boom" in caplog.text


def test_where_there_is_no_choice_no_plugin_is_asked() -> None:
    def choose() -> list[str]:
        raise AssertionError("asked")

    voice = processor(line("a"), plugin=SimpleNamespace(debabelizer_choose_providers=choose))
    assert order(voice.choice()) == ["a"]


def test_nobody_can() -> None:
    with pytest.raises(CapabilityError):
        processor(line("a"), line("b")).choice(require={"diarization": True})


# --- usage ---


def test_usage_is_that_of_streams_and_recordings_together() -> None:
    async def case() -> None:
        async with processor(spec("meter", batch=True, price_per_hour=3.6)) as voice:
            assert voice.usage == ()
            await voice.transcribe(JFK)
            await voice.transcribe(JFK)
            (usage,) = voice.usage
            assert usage == Usage(provider="meter", attempts=2, sent=22.0, price_per_hour=3.6)
            assert usage.cost == pytest.approx(0.022)

    asyncio.run(case())


def test_what_failed_was_sent_all_the_same() -> None:
    async def case() -> None:
        async with processor(spec("meter")) as voice:
            Meter.error = ServiceUnavailableError("down")
            with pytest.raises(ServiceUnavailableError):
                await voice.transcribe(JFK)
            (usage,) = voice.usage
            assert (usage.attempts, usage.sent, usage.cost) == (1, pytest.approx(11.0, abs=0.1), None)

    asyncio.run(case())


def test_usage_has_what_still_runs_and_what_is_over() -> None:
    async def case() -> None:
        async with processor(line("a", price_per_hour=1.0)) as voice:
            fresh(Plan())
            await talk(voice.transcribe_stream(audio_format=str(FORMAT)))
            stream = voice.transcribe_stream(audio_format=str(FORMAT))
            async with stream:
                await stream.send_audio(speech(1, 10))
                await asyncio.sleep(1.0)
                (usage,) = voice.usage
                assert (usage.attempts, usage.sent) == (2, pytest.approx(3.0))
            assert voice.usage[0].sent == pytest.approx(3.0)
            assert voice.usage[0].cost == pytest.approx(3.0 / 3600)

    virtual_time.run(case())


# --- a race, through the front door ---


def test_two_race_and_both_are_paid_for() -> None:
    async def case() -> None:
        async with processor(line("a", price_per_hour=1.0), line("b", price_per_hour=0.5), race=2) as voice:
            Line.service = Service([Plan(lag=2), Plan(lag=3)])
            stream = voice.transcribe_stream(audio_format=str(FORMAT))
            assert await talk(stream) == " ".join(str(number) for number in range(1, 21))
            a, b = voice.usage
            assert (a.sent, a.raced, b.sent) == (pytest.approx(2.0), 0.0, 0.0)
            assert b.raced == pytest.approx(2.0, abs=0.2)

    virtual_time.run(case())


def test_a_race_may_be_asked_for_and_survives_a_death() -> None:
    async def case() -> None:
        async with processor(line("a"), line("b")) as voice:
            Line.service = Service([Plan(at=1.0, error=ConnectError("gone"), lag=1), Plan(lag=2), Plan(lag=2)])
            stream = voice.transcribe_stream(audio_format=str(FORMAT), race=2)
            assert await talk(stream) == " ".join(str(number) for number in range(1, 21))
            assert stream.stats.replayed == 0.0
            with pytest.raises(DebabelizerError, match="cannot be 0 providers"):
                voice.transcribe_stream(race=0)

    virtual_time.run(case())
