"""Several providers behind the front door: who is asked, in what order, and what is told of those that failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.scripted import Scripted, spec
from support.service import FORMAT, Plan, Service, speech

from debabelizer import (
    AudioDecodeError,
    AudioError,
    AuthenticationError,
    CapabilityError,
    ConfigError,
    InvalidRequestError,
    ProviderChanged,
    ServiceUnavailableError,
    UnknownProviderError,
    VoiceProcessor,
)
from debabelizer.plugins import PluginRegistry
from debabelizer.spec import ProviderSpec
from debabelizer.testing import virtual_time

JFK = Path(__file__).parent.parent / "audio" / "jfk.wav"


@pytest.fixture(autouse=True)
def fresh() -> None:
    Scripted.reset()


def processor(*specs: ProviderSpec, **tables: Any) -> VoiceProcessor:
    config = {"stt": {"provider": [each.name for each in specs], **tables.pop("stt", {})}, **tables}
    return VoiceProcessor(config, registry=PluginRegistry.of(*specs))


# --- recordings ---


def test_the_next_provider_transcribes_what_the_first_could_not_and_the_transcript_says_so() -> None:
    async def case() -> None:
        Scripted.errors = {"a": ServiceUnavailableError("it is down.")}
        async with processor(spec("a"), spec("b")) as voice:
            transcript = await voice.transcribe(JFK)
        assert (transcript.text, transcript.provider) == ("by b", "b")
        assert transcript.warnings == ("a failed (ServiceUnavailableError: it is down). b did it instead.",)
        assert Scripted.asked == ["a", "b"]

    asyncio.run(case())


def test_a_provider_that_failed_a_moment_ago_is_asked_last() -> None:
    async def case() -> None:
        Scripted.errors = {"a": ServiceUnavailableError("it is down")}
        async with processor(spec("a"), spec("b")) as voice:
            for _ in range(3):
                await voice.transcribe(JFK)
            assert Scripted.asked == ["a", "b", "b", "b"]
            Scripted.errors = {"b": ServiceUnavailableError("it is down too")}
            assert (await voice.transcribe(JFK)).provider == "a"
            assert Scripted.asked == ["a", "b", "b", "b", "b", "a"]
            assert (await voice.transcribe(JFK)).provider == "a"

    asyncio.run(case())


def test_a_refused_request_says_nothing_about_the_next_one() -> None:
    async def case() -> None:
        Scripted.errors = {"a": InvalidRequestError("too long")}
        async with processor(spec("a"), spec("b")) as voice:
            assert (await voice.transcribe(JFK)).provider == "b"
            Scripted.errors = {}
            assert (await voice.transcribe(JFK)).provider == "a"

    asyncio.run(case())


def test_when_all_fail_the_last_error_names_the_others() -> None:
    async def case() -> None:
        Scripted.errors = {"a": AuthenticationError("wrong key"), "b": ServiceUnavailableError("down", hint="Wait.")}
        async with processor(spec("a"), spec("b")) as voice:
            with pytest.raises(ServiceUnavailableError) as caught:
                await voice.transcribe(JFK)
        told = "b: down Wait. Before that, a failed (AuthenticationError: wrong key)."
        assert str(caught.value) == told

    asyncio.run(case())


def test_a_recording_that_is_none_is_nobodys_fault() -> None:
    async def case() -> None:
        Scripted.errors = {"a": AudioDecodeError("not audio")}
        async with processor(spec("a"), spec("b")) as voice:
            with pytest.raises(AudioError):
                await voice.transcribe(JFK)
        assert Scripted.asked == ["a"]

    asyncio.run(case())


@pytest.mark.parametrize("reads", [True, False])
def test_what_can_be_read_only_once_can_be_handed_on_only_unread(reads: bool) -> None:
    async def pipe() -> AsyncIterator[bytes]:
        yield JFK.read_bytes()

    async def case() -> None:
        Scripted.errors = {"a": ServiceUnavailableError("it is down")}
        Scripted.reads = reads
        async with processor(spec("a"), spec("b")) as voice:
            if reads:
                with pytest.raises(ServiceUnavailableError, match="could be read only once"):
                    await voice.transcribe(pipe())
            else:
                assert (await voice.transcribe(pipe())).provider == "b"

    asyncio.run(case())


def test_who_takes_no_recordings_is_not_asked_for_one() -> None:
    async def case() -> None:
        async with processor(spec("a", batch=False), spec("b")) as voice:
            assert (await voice.transcribe(JFK)).provider == "b"
            with pytest.raises(CapabilityError, match="'a' does not transcribe files"):
                await voice.transcribe(JFK, provider="a")
        assert Scripted.asked == ["b"]

    asyncio.run(case())


# --- who is asked ---


def test_each_gets_its_own_request_without_the_wishes_that_it_may_ignore() -> None:
    async def case() -> None:
        Scripted.errors = {"a": ServiceUnavailableError("down")}
        config = {"providers": {"b": {"pitch": 5}}}
        async with processor(spec("a", diarization=True), spec("b"), **config) as voice:
            await voice.transcribe(JFK, diarization=True, optional="diarization", options={"pitch": 7})
        a, b = Scripted.requests["a"], Scripted.requests["b"]
        assert (a.diarization, b.diarization) == (True, False)
        assert (a.settings.pitch, b.settings.pitch) == (7, 5)

    asyncio.run(case())


def test_who_cannot_do_what_is_wished_is_no_fallback() -> None:
    async def case() -> None:
        Scripted.errors = {"a": ServiceUnavailableError("down")}
        async with processor(spec("a", diarization=True), spec("b"), spec("c", diarization=True)) as voice:
            assert (await voice.transcribe(JFK, diarization=True)).provider == "c"
            with pytest.raises(CapabilityError, match=r"'a' cannot do translation\. .*'c' cannot do translation"):
                await voice.transcribe(JFK, translate_to="de")
            with pytest.raises(CapabilityError, match="It understands en, de"):
                await voice.transcribe(JFK, language_hints="ja", provider="b")
        assert "b" not in Scripted.asked

    asyncio.run(case())


def test_a_fallback_that_is_not_configured_is_told_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FALLBACK_KEY", raising=False)

    async def case() -> None:
        keyed = spec("b", key="FALLBACK_KEY")
        async with processor(spec("a"), keyed, providers={"a": {"pich": 1}}) as voice:
            with pytest.raises(ConfigError) as caught:
                voice.transcribe_stream()
            assert "providers.a.pich" in str(caught.value)
        async with processor(spec("a"), keyed) as voice:
            with pytest.raises(ConfigError, match="FALLBACK_KEY"):
                await voice.transcribe(JFK)
            with pytest.raises(UnknownProviderError):
                await voice.transcribe(JFK, provider=["a", "bee"])
        assert Scripted.asked == []

    asyncio.run(case())


# --- streams ---


async def spoken(last: int) -> AsyncIterator[bytes]:
    for number in range(1, last + 1):
        yield speech(number, number)
        await asyncio.sleep(0.1)


def test_a_stream_goes_on_with_the_next_provider_which_is_made_only_then() -> None:
    async def case() -> None:
        Scripted.services = {"a": Service([Plan(at=2.0, error=ServiceUnavailableError("down"))])}
        async with processor(spec("a"), spec("b"), spec("c")) as voice:
            stream = voice.transcribe_stream(spoken(40), audio_format=FORMAT)
            assert Scripted.made == ["a"]
            events = [event async for event in stream.events()]
            assert Scripted.made == ["a", "b"]
        (change,) = [event for event in events if isinstance(event, ProviderChanged)]
        assert (change.previous, change.provider) == ("a", "b")
        assert stream.transcript.text == " ".join(str(number) for number in range(1, 41))
        assert stream.transcript.provider == "b"

    virtual_time.run(case())


def test_streams_and_recordings_learn_from_each_other() -> None:
    async def case() -> None:
        Scripted.errors = {"a": ServiceUnavailableError("down")}
        async with processor(spec("a"), spec("b")) as voice:
            await voice.transcribe(JFK)
            async with voice.transcribe_stream(spoken(5), audio_format=FORMAT) as stream:
                events = [event async for event in stream.events()]
        assert Scripted.asked == ["a", "b", "b"]
        (change,) = [event for event in events if isinstance(event, ProviderChanged)]
        assert (change.previous, change.provider, change.at) == ("a", "b", 0.0)
        assert isinstance(change.cause, ServiceUnavailableError)

    virtual_time.run(case())


def test_the_segmenter_takes_over_for_a_vendor_that_has_streams() -> None:
    pytest.importorskip("numpy")

    async def case() -> None:
        Scripted.services = {"a": Service([Plan(at=0.0, error=AuthenticationError("wrong key"))])}
        Scripted.reads = False
        async with processor(spec("a"), spec("b", streaming=False)) as voice:
            audio = JFK.read_bytes()
            async with voice.transcribe_stream(audio) as stream:
                async for _ in stream:
                    pass
        assert stream.transcript.provider == "b"
        assert set(stream.transcript.text.split()) <= {"by", "b"}
        assert stream.transcript.text

    asyncio.run(case())
