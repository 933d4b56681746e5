"""The provider on real speech, with the packaged model; and on what no model is needed for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import jiwer
import numpy as np
import pytest
from debabelizer_whisper import SPEC, provider
from debabelizer_whisper.engine import Place, Task
from debabelizer_whisper.provider import WhisperProvider
from debabelizer_whisper.settings import WhisperSettings
from numpy.typing import NDArray

from debabelizer import VoiceProcessor
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.audio.utterances import STREAM_CUTTING, CutterPolicy, CuttingDecoder
from debabelizer.errors import CapabilityError, InvalidRequestError, StreamError
from debabelizer.provider import Request
from debabelizer.results import Progress, Segment, StreamingResult, Transcript

T = TypeVar("T")

CONFIG = {"providers": {"whisper": {"model": "tiny.en", "beam_size": 1, "workers": 1}}}
FLOAT = AudioFormat("pcm_f32le")


def run(case: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(case())


@asynccontextmanager
async def opened() -> AsyncIterator[WhisperProvider]:
    whisper = WhisperProvider(SPEC)
    try:
        yield whisper
    finally:
        await whisper.aclose()


async def transcribe(
    whisper: WhisperProvider, source: Any, report: Callable[[Progress], None] = lambda progress: None, **wishes: Any
) -> Transcript:
    table = {"model": "tiny.en", "beam_size": 1, **wishes.pop("settings", {})}
    request = Request(settings=WhisperSettings(**table), **wishes)
    audio_format = FLOAT if isinstance(source, bytes) else None
    return await whisper.transcribe(AudioSource.of(source, audio_format=audio_format), request, report)


def test_streams_are_cut_as_the_settings_say_and_by_default_as_the_core_does() -> None:
    async def cutting(**table: Any) -> CutterPolicy:
        async with opened() as whisper:
            decoder = whisper.decoder(Request(settings=WhisperSettings(**table)))
            assert isinstance(decoder, CuttingDecoder)
            return decoder.cutting

    assert run(cutting) == STREAM_CUTTING
    quick = run(lambda: cutting(stream_silence=0.4, stream_max_utterance=5.0))
    assert (quick.silence, quick.max_utterance) == (0.4, 5.0)


def test_a_recording_becomes_text_and_the_model_is_freed(
    audio: Path, speech_text: str, plain: Callable[[str], str]
) -> None:
    """The one test that has the provider load the model itself."""

    async def case() -> Transcript:
        async with opened() as whisper:
            return await transcribe(whisper, audio / "jfk.wav")

    transcript = run(case)
    assert plain(transcript.text) == speech_text
    assert transcript.text == " ".join(segment.text for segment in transcript.segments)
    assert (transcript.provider, transcript.language) == ("whisper", "en")
    assert transcript.duration == transcript.audio_seconds == 11.0
    assert [plain(word.text) for word in transcript.words] == speech_text.split()
    starts = [word.start for word in transcript.words]
    assert all(before <= after for before, after in pairwise(starts))  # type: ignore[operator]


@pytest.mark.usefixtures("lent")
def test_silence_is_empty() -> None:
    async def case() -> Transcript:
        async with opened() as whisper:
            return await transcribe(whisper, bytes(4 * 16000 * 5))

    assert run(case) == Transcript(text="", duration=5.0, provider="whisper", audio_seconds=5.0)


@pytest.mark.usefixtures("lent")
def test_the_event_loop_is_never_blocked(speech: NDArray[np.float32]) -> None:
    """Half a minute at once takes a second or more, which a blocked loop would show."""
    source = np.tile(speech, 2).tobytes()

    async def longest_gap() -> float:
        gap, last = 0.0, time.perf_counter()
        async with opened() as whisper:
            work = asyncio.ensure_future(transcribe(whisper, source))
            while not work.done():
                await asyncio.sleep(0.002)
                now = time.perf_counter()
                gap, last = max(gap, now - last), now
            assert (await work).text
        return gap

    # A machine that is busy with other things makes gaps too, but not each time.
    assert any(run(longest_gap) < 0.2 for _ in range(4))


@pytest.mark.usefixtures("lent")
def test_a_stream_becomes_finals(audio: Path, speech_text: str, plain: Callable[[str], str]) -> None:
    async def case() -> list[StreamingResult]:
        async with (
            VoiceProcessor(CONFIG, provider="whisper") as processor,
            processor.transcribe_stream(audio / "jfk.wav") as stream,
        ):
            return [result async for result in stream if result.is_final]

    finals = run(case)
    text = plain(" ".join(final.text for final in finals))
    assert jiwer.wer(speech_text, text) <= 0.2, text
    assert all(final.language == "en" and final.words for final in finals)
    assert all(word.confidence is not None for final in finals for word in final.words)
    ends = [(final.start, final.end) for final in finals]
    assert all(before[1] <= after[0] for before, after in pairwise(ends))  # type: ignore[operator]


def test_a_stream_says_at_once_what_its_model_lacks() -> None:
    config = {"providers": {"whisper": {"model": "/no/such/folder"}}}

    async def case() -> None:
        async with VoiceProcessor(config, provider="whisper") as processor:
            stream = processor.transcribe_stream()
            async with stream:
                await stream.send_audio(bytes(32000))
                await stream.end_audio()
                async for _ in stream:
                    raise AssertionError

    with pytest.raises(StreamError) as caught:
        run(case)
    (attempt,) = caught.value.attempts
    assert isinstance(attempt.cause, InvalidRequestError)
    assert "There is no folder '/no/such/folder'" in str(caught.value)


def test_translation_is_not_claimed(audio: Path) -> None:
    """Whisper writes the translation instead of what was said; our word means both."""

    async def case() -> None:
        async with VoiceProcessor(CONFIG, provider="whisper") as processor:
            await processor.transcribe(audio / "jfk.wav", translate_to="en")

    with pytest.raises(CapabilityError, match="cannot do translation"):
        run(case)


class NotingEngine:
    """Notes how it was made, and what it is asked."""

    places: list[Place]
    tasks: list[Task]
    threads: set[str]
    language = "en"

    def __init__(self, place: Place) -> None:
        self.places.append(place)

    def understand(self, samples: NDArray[np.float32], task: Task) -> tuple[Segment, ...]:
        self.tasks.append(task)
        self.threads.add(threading.current_thread().name)
        return (Segment("ja", 0.0, 1.0, language=self.language, separator=""),)

    def close(self) -> None: ...


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch) -> type[NotingEngine]:
    for name, empty in (("places", []), ("tasks", []), ("threads", set())):
        monkeypatch.setattr(NotingEngine, name, empty, raising=False)
    monkeypatch.setattr(provider, "Engine", NotingEngine)
    return NotingEngine


def test_what_is_wished_reaches_the_model(noting: type[NotingEngine], speech: NDArray[np.float32]) -> None:
    async def case() -> Transcript:
        async with opened() as whisper:
            return await transcribe(
                whisper,
                speech.tobytes(),
                language_hints=("ja", "en", "ja"),
                vocabulary=("Debabelizer", "Soniox"),
                settings={"task": "translate", "initial_prompt": "Ask not.", "extra": {"temperature": 0.0}},
            )

    transcript = run(case)
    (task,) = noting.tasks
    assert task == Task(
        languages=("ja", "en"),
        english=True,
        arguments={
            "beam_size": 1,
            "initial_prompt": "Ask not.",
            "hotwords": "Debabelizer, Soniox",
            "temperature": 0.0,
        },
    )
    assert transcript.text == "ja"
    assert all(name.startswith("whisper") for name in noting.threads)


def test_segments_are_joined_as_they_are_written(noting: type[NotingEngine], speech: NDArray[np.float32]) -> None:
    async def case() -> Transcript:
        async with opened() as whisper:
            return await transcribe(whisper, speech.tobytes(), settings={"silence": 0.4})

    transcript = run(case)
    assert len(transcript.segments) == 4
    assert transcript.text == "jajajaja"


def test_calls_share_a_model_and_may_name_another(noting: type[NotingEngine], speech: NDArray[np.float32]) -> None:
    source = speech.tobytes()

    async def case() -> None:
        async with opened() as whisper:
            await asyncio.gather(*(transcribe(whisper, source, settings={"silence": 0.4}) for _ in range(3)))
            await transcribe(whisper, source, settings={"beam_size": 3})
            await transcribe(whisper, source, settings={"model": "base"})

    run(case)
    assert [place.model for place in noting.places] == ["tiny.en", "base"]


def test_the_language_of_a_recording_is_the_one_spoken_longest(
    noting: type[NotingEngine], speech: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    languages = iter(["fr", "es", "fr", "fr"])
    understand = NotingEngine.understand

    def changing(self: NotingEngine, samples: NDArray[np.float32], task: Task) -> tuple[Segment, ...]:
        self.language = next(languages)
        return understand(self, samples, task)

    monkeypatch.setattr(NotingEngine, "understand", changing)

    async def case() -> Transcript:
        async with opened() as whisper:
            return await transcribe(whisper, speech.tobytes(), settings={"silence": 0.4, "workers": 1})

    assert run(case).language == "fr"


def test_closing_unused_and_twice() -> None:
    async def case() -> None:
        async with opened() as whisper:
            await whisper.aclose()

    run(case)
