from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.providers import Line, Meter, fresh, line, spec
from support.service import FORMAT, Plan, speech

from debabelizer import (
    AudioFormat,
    AudioFormatError,
    AudioSourceError,
    AuthenticationError,
    CapabilityError,
    Closed,
    ConfigError,
    DebabelizerError,
    Progress,
    ServiceUnavailableError,
    StreamClosedError,
    StreamError,
    UnknownProviderError,
    VoiceProcessor,
)
from debabelizer.plugins import PluginRegistry
from debabelizer.plugins.relay import Observers
from debabelizer.testing import virtual_time

JFK = Path(__file__).parent.parent / "audio" / "jfk.wav"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    Meter.opened, Meter.gate, Meter.error = [], None, None
    yield
    Meter.opened, Meter.gate, Meter.error = [], None, None


def processor(*specs: Any, config: dict[str, Any] | None = None, **options: Any) -> VoiceProcessor:
    specs = specs or (spec("meter"),)
    config = config if config is not None else {"stt": {"provider": specs[0].name}}
    return VoiceProcessor(config, registry=PluginRegistry.of(*specs), **options)


def test_a_file_is_transcribed_by_the_configured_provider() -> None:
    async def case() -> None:
        progress: list[Progress] = []
        async with processor() as voice:
            transcript = await voice.transcribe(JFK, on_progress=progress.append)
        assert (transcript.text, transcript.provider) == ("11.00 seconds", "meter")
        assert progress == [Progress(done=11.0, total=11.0)]
        assert [provider.closed for provider in Meter.opened] == [1]

    asyncio.run(case())


def test_bytes_files_and_pipes_are_taken_too() -> None:
    async def stream() -> AsyncIterator[bytes]:
        data = JFK.read_bytes()
        for start in range(0, len(data), 5000):
            yield data[start : start + 5000]

    async def case() -> None:
        async with processor() as voice:
            with JFK.open("rb") as file:
                sources = (JFK.read_bytes(), file, stream(), str(JFK))
                texts = [(await voice.transcribe(source)).text for source in sources]
            raw = await voice.transcribe(bytes(16000), audio_format=AudioFormat("pcm_s16le", 8000))
        assert texts == ["11.00 seconds"] * 4
        assert raw.text == "1.00 seconds"
        assert len(Meter.opened) == 1

    asyncio.run(case())


def test_as_many_at_once_as_configured() -> None:
    async def case() -> None:
        config = {"stt": {"provider": "meter", "concurrency": 3}}
        async with processor(config=config) as voice:
            await asyncio.gather(*(voice.transcribe(JFK) for _ in range(8)))
            assert Meter.opened[0].most == 3

    asyncio.run(case())


def test_wishes_come_from_the_call_then_from_the_configuration() -> None:
    async def case() -> None:
        config = {
            "stt": {"provider": "meter", "language_hints": ["en"], "vocabulary": ["Ada"]},
            "providers": {"meter": {"pitch": 5}},
        }
        async with processor(spec("meter", vocabulary=True), config=config) as voice:
            await voice.transcribe(JFK)
            await voice.transcribe(JFK, language_hints=["de"], options={"pitch": 7})
            first, second = Meter.opened[0].requests
        assert (first.language_hints, first.vocabulary, first.settings.pitch) == (("en",), ("Ada",), 5)
        assert (second.language_hints, second.vocabulary, second.settings.pitch) == (("de",), ("Ada",), 7)

    asyncio.run(case())


@pytest.mark.parametrize(
    ("wish", "capability", "words"),
    [
        ({"diarization": True}, "diarization", "cannot do diarization"),
        ({"translate_to": "de"}, "translation", "cannot do translation"),
        ({"vocabulary": ["Ada"]}, "vocabulary", "cannot do vocabulary"),
        ({"language_hints": ["en", "ja"]}, "languages", "It understands en, de."),
        ({"require": {"words": "word"}}, "words", "does not meet require = words"),
        ({"require": {"wings": True}}, "wings", "does not meet require = wings"),
    ],
)
def test_what_the_provider_cannot_do_is_said_before_any_audio(
    wish: dict[str, Any], capability: str, words: str
) -> None:
    async def case() -> None:
        async with processor() as voice:
            with pytest.raises(CapabilityError) as caught:
                await voice.transcribe("no such file.wav", **wish)
            with pytest.raises(CapabilityError):
                voice.transcribe_stream(**wish)
        assert words in str(caught.value)
        assert (caught.value.provider, caught.value.capability) == ("meter", capability)
        assert Meter.opened == []

    asyncio.run(case())


def test_one_word_may_be_given_as_text() -> None:
    async def case() -> None:
        async with processor(spec("meter", vocabulary=True)) as voice:
            await voice.transcribe(JFK, language_hints="de", vocabulary="Ada")
        (request,) = Meter.opened[0].requests
        assert (request.language_hints, request.vocabulary) == (("de",), ("Ada",))

    asyncio.run(case())


def test_a_wish_marked_optional_is_left_out() -> None:
    async def case() -> None:
        async with processor() as voice:
            await voice.transcribe(JFK, diarization=True, vocabulary=["Ada"], optional={"diarization", "vocabulary"})
            (request,) = Meter.opened[0].requests
        assert (request.diarization, request.vocabulary) == (False, ())

    asyncio.run(case())


def test_the_first_of_several_providers_that_meets_the_requirements_is_taken() -> None:
    async def case() -> None:
        specs = (spec("plain"), spec("fine", words="word"))
        config = {"stt": {"provider": ["plain", "fine"], "require": {"words": "segment"}}}
        async with processor(*specs, config=config) as voice:
            assert (await voice.transcribe(JFK)).provider == "fine"
            assert (await voice.transcribe(JFK, provider=["fine", "plain"])).provider == "fine"
            with pytest.raises(CapabilityError, match=r"'plain' does not meet .* 'fine' does not meet"):
                await voice.transcribe(JFK, require={"diarization": True})

    asyncio.run(case())


def test_unknown_providers_and_settings_are_named() -> None:
    async def case() -> None:
        async with processor() as voice:
            with pytest.raises(UnknownProviderError, match=r"Did you mean 'meter'\?"):
                await voice.transcribe(JFK, provider="metre")
            with pytest.raises(ConfigError, match="pitch"):
                await voice.transcribe(JFK, options={"pich": 3})
            with pytest.raises(AudioSourceError, match="no such file"):
                await voice.transcribe("no such file.wav")

    asyncio.run(case())


def test_an_error_of_the_provider_names_it() -> None:
    async def case() -> None:
        Meter.error = ServiceUnavailableError("it is down")
        async with processor() as voice:
            with pytest.raises(ServiceUnavailableError, match=r"^meter: it is down"):
                await voice.transcribe(JFK)

    asyncio.run(case())


def test_leaving_ends_what_is_running_and_closes_providers_once() -> None:
    async def case() -> None:
        Meter.gate = asyncio.Event()
        voice = processor()
        working = [asyncio.ensure_future(voice.transcribe(JFK)) for _ in range(4)]
        while not Meter.opened or Meter.opened[0].running < 2:
            await asyncio.sleep(0.001)
        await voice.aclose()
        await voice.aclose()
        for task in working:
            with pytest.raises(DebabelizerError, match="closed while"):
                await task
        with pytest.raises(DebabelizerError, match="is closed"):
            await voice.transcribe(JFK)
        with pytest.raises(DebabelizerError, match="is closed"):
            voice.transcribe_stream()
        assert [provider.closed for provider in Meter.opened] == [1]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(case())


@pytest.mark.parametrize("steps", range(6))
def test_closing_again_while_closing_is_closing_once(steps: int) -> None:
    async def case() -> None:
        Meter.gate = asyncio.Event()
        voice = processor()
        working = asyncio.ensure_future(voice.transcribe(JFK))
        while not Meter.opened or not Meter.opened[0].running:
            await asyncio.sleep(0.001)
        closing = asyncio.ensure_future(voice.aclose())
        for _ in range(steps):
            await asyncio.sleep(0)
        await asyncio.gather(closing, voice.aclose())
        with pytest.raises(DebabelizerError, match="closed while"):
            await working
        assert [provider.closed for provider in Meter.opened] == [1]

    asyncio.run(case())


def test_a_transcription_can_be_cancelled_by_its_caller() -> None:
    async def case() -> None:
        Meter.gate = asyncio.Event()
        async with processor() as voice:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await voice.transcribe(JFK)
            assert Meter.opened[0].running == 0

    asyncio.run(case())


# --- streams ---


async def spoken(last: int) -> AsyncIterator[bytes]:
    for number in range(1, last + 1):
        yield speech(number, number)


def test_a_stream_of_live_audio() -> None:
    async def case() -> None:
        fresh(Plan(at=1.0), Plan())
        async with processor(line()) as voice:
            stream = voice.transcribe_stream(spoken(20), audio_format=FORMAT)
            texts = [result.text async for result in stream if result.is_final]
        assert " ".join(texts) == " ".join(str(number) for number in range(1, 21))
        assert stream.transcript.provider == "line"
        assert Line.formats[-1] == FORMAT

    asyncio.run(case())


def test_an_async_reader_is_live_audio_too_and_not_read_by_lines() -> None:
    async def case() -> None:
        fresh()
        reader = asyncio.StreamReader(limit=16)
        reader.feed_data(speech(1, 20))
        reader.feed_eof()
        async with processor(line()) as voice:
            async for _ in (stream := voice.transcribe_stream(reader, audio_format=FORMAT)):
                pass
        assert stream.transcript.words[-1].text == "20"
        assert len(stream.transcript.words) == 20

    asyncio.run(case())


def test_audio_is_converted_to_what_the_provider_takes() -> None:
    async def case() -> None:
        fresh()
        async with processor(line(sample_rates=(8000, 16000, 24000), audio_formats=("pcm_s16le", "mulaw"))) as voice:
            for given in ("pcm_f32le/11025/2", "mulaw/8000", "pcm_s16le/48000", "alaw/24000"):
                async with voice.transcribe_stream(audio_format=AudioFormat.parse(given)) as stream:
                    await stream.send_audio(bytes(4000))
                    await stream.end_audio()
                    async for _ in stream:
                        pass
        sent = [str(audio_format) for audio_format in Line.formats]
        assert sent == ["pcm_s16le/16000/1", "mulaw/8000/1", "pcm_s16le/24000/1", "pcm_s16le/24000/1"]

    asyncio.run(case())


def test_an_encoding_may_have_a_rate_of_its_own() -> None:
    async def case() -> None:
        fresh()
        claims: dict[str, Any] = {"sample_rates": (24000,), "audio_formats": ("pcm_s16le", "mulaw/8000")}
        async with processor(line(**claims)) as voice:
            for given in ("mulaw/8000", "mulaw/16000", "pcm_s16le/8000", "alaw/8000"):
                async with voice.transcribe_stream(audio_format=AudioFormat.parse(given)) as stream:
                    await stream.send_audio(bytes(4000))
                    await stream.end_audio()
                    async for _ in stream:
                        pass
        sent = [str(audio_format) for audio_format in Line.formats]
        assert sent == ["mulaw/8000/1", "pcm_s16le/24000/1", "pcm_s16le/24000/1", "pcm_s16le/24000/1"]

    asyncio.run(case())


def test_a_file_can_be_streamed_and_reports_progress() -> None:
    async def case() -> None:
        fresh()
        async with processor(line(sample_rates=(16000,))) as voice, voice.transcribe_stream(JFK) as stream:
            events = [event async for event in stream.events()]
        progress = [event for event in events if isinstance(event, Progress)]
        assert progress[-1] == Progress(done=11.0, total=11.0)
        assert Line.formats == [AudioFormat()]

    asyncio.run(case())


def test_a_file_that_is_not_there_is_the_error_of_the_stream() -> None:
    async def case() -> None:
        fresh()
        async with processor(line()) as voice:
            stream = voice.transcribe_stream("no such file.wav")
            with pytest.raises(AudioSourceError, match="no such file"):
                async for _ in stream:
                    pass
            with pytest.raises(AudioSourceError, match=r"\bint\b"):
                voice.transcribe_stream(7)

    asyncio.run(case())


def test_leaving_the_processor_closes_its_streams() -> None:
    async def case() -> None:
        service = fresh(Plan(end="silent"))
        async with processor(line()) as voice:
            stream = voice.transcribe_stream(audio_format=FORMAT)
            await stream.send_audio(speech(1, 3))
            await asyncio.sleep(0.01)
        assert [result async for result in stream] == []
        with pytest.raises(StreamClosedError):
            await stream.send_audio(speech(4, 5))
        assert all(connection.over for connection in service.connections)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(case())


@pytest.mark.untidy
def test_streams_are_closed_all_at_once_however_long_each_takes() -> None:
    async def case() -> float:
        fresh(Plan(at=0.0, fault="hang-on-cancel"))
        async with processor(line()) as voice:
            streams = [voice.transcribe_stream(audio_format=FORMAT) for _ in range(5)]
            for stream in streams:
                await stream.send_audio(speech(1, 3))
            await asyncio.sleep(1.0)
            begun = asyncio.get_running_loop().time()
        return asyncio.get_running_loop().time() - begun

    assert virtual_time.run(case()) == pytest.approx(2.0)  # the close deadline


def test_a_stream_closed_before_it_was_opened_is_forgotten() -> None:
    async def case() -> None:
        fresh()
        async with processor(line()) as voice:
            stream = voice.transcribe_stream(audio_format=FORMAT)
            await stream.aclose()
            assert not voice._streams

    asyncio.run(case())


def test_a_missing_key_fails_a_stream_at_once_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("debabelizer_soniox")
    monkeypatch.delenv("SONIOX_API_KEY", raising=False)

    async def case() -> None:
        async with VoiceProcessor({"stt": {"provider": "soniox"}}) as voice:
            with pytest.raises(StreamError, match="SONIOX_API_KEY") as caught:
                async for _ in voice.transcribe_stream(spoken(3), audio_format=FORMAT):
                    pass
        assert len(caught.value.attempts) == 1

    asyncio.run(case())


def test_a_refused_key_is_a_stream_error_with_its_cause() -> None:
    async def case() -> None:
        fresh(Plan(at=0.0, error=AuthenticationError("wrong key", hint="Look at api_key.")))
        async with processor(line()) as voice:
            stream = voice.transcribe_stream(spoken(3), audio_format=FORMAT)
            with pytest.raises(StreamError, match="wrong key") as caught:
                async for _ in stream:
                    pass
        assert isinstance(caught.value.__cause__, AuthenticationError)
        assert "Look at api_key." in str(caught.value)

    asyncio.run(case())


def test_plugins_can_watch_a_stream_without_being_read_or_feared() -> None:
    seen: list[Any] = []

    def watch(event: Any) -> None:
        seen.append(event)
        if len(seen) == 3:
            raise ValueError("a fault of the plugin")

    class Watched(PluginRegistry):
        def observe(self, stream: Any) -> Observers:
            return Observers([("watcher", watch)])

    async def case() -> None:
        fresh()
        registry = Watched.of(line())
        async with VoiceProcessor({"stt": {"provider": "line"}}, registry=registry) as voice:
            async with voice.transcribe_stream(spoken(5), audio_format=FORMAT) as stream:
                async for _ in stream:
                    pass
            first = len(seen)
            seen.clear()
            async with voice.transcribe_stream(spoken(1), audio_format=FORMAT) as stream:
                async for _ in stream:
                    pass
        assert first == 3
        assert seen[-1] == Closed(None)

    asyncio.run(case())


def test_a_stream_of_a_provider_without_streams_is_judged_by_what_the_segmenter_lends_it() -> None:
    async def case() -> None:
        async with processor(spec("meter", diarization=True)) as voice:
            voice.transcribe_stream(require={"interims": True, "flush": "confirmed", "streaming": True})
            with pytest.raises(CapabilityError, match="interims"):
                await voice.transcribe(JFK, require={"interims": True})
            with pytest.raises(CapabilityError, match="diarization"):  # labels would begin anew at each utterance
                voice.transcribe_stream(diarization=True)
            assert (await voice.transcribe(JFK, diarization=True)).text

    asyncio.run(case())


def test_formats_may_be_text_and_what_is_none_is_named() -> None:
    async def case() -> None:
        fresh()
        async with processor(spec("meter"), line()) as voice:
            assert (await voice.transcribe(bytes(8000), audio_format="mulaw/8000")).text == "1.00 seconds"
            for wrong in ("pcm", ("mulaw", 8000), 8000):
                with pytest.raises(AudioFormatError):
                    await voice.transcribe(bytes(8000), audio_format=wrong)  # type: ignore[arg-type]
                with pytest.raises(AudioFormatError):
                    voice.transcribe_stream(provider="line", audio_format=wrong)  # type: ignore[arg-type]

    asyncio.run(case())


@pytest.mark.untidy
def test_a_processor_can_be_closed_when_the_loop_of_its_streams_was_closed_underneath() -> None:
    fresh(Plan(end="silent"))
    voice = processor(line())
    gone = asyncio.new_event_loop()

    async def begin() -> Any:
        stream = voice.transcribe_stream(audio_format=FORMAT)
        await stream.send_audio(speech(1, 3))
        await asyncio.sleep(0.01)
        return stream

    stream = gone.run_until_complete(begin())
    pending = asyncio.all_tasks(gone)
    gone.close()

    async def finish() -> None:
        await voice.aclose()
        await voice.aclose()
        await stream.aclose()

    asyncio.run(finish())
    assert "closed" in repr(stream)
    for task in pending:  # nobody is left to run them; only the interpreter would complain
        task._log_destroy_pending = False  # type: ignore[attr-defined]
