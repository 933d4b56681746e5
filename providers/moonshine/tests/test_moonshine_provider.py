"""The provider on real speech with the real engine; and on scripted speech with a scripted one, for what hours do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from debabelizer_moonshine import SPEC, provider
from debabelizer_moonshine.provider import MoonshineProvider
from debabelizer_moonshine.settings import MoonshineSettings
from numpy.typing import NDArray

from debabelizer.audio import recognition
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.audio.utterances import STREAM_CUTTING, CutterPolicy, CuttingDecoder, Decoded
from debabelizer.errors import AudioSourceError, ProviderError
from debabelizer.provider import Request
from debabelizer.results import Progress, Transcript

T = TypeVar("T")

FLOAT = AudioFormat("pcm_f32le", 16000, 1)


def run(case: Callable[[], Awaitable[T]]) -> T:
    """Run to the end; what the loop would only log fails."""

    async def checked() -> T:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        async with asyncio.timeout(50):
            result = await case()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert complaints == []
        return result

    return asyncio.run(checked())


@asynccontextmanager
async def opened() -> AsyncIterator[MoonshineProvider]:
    moonshine = MoonshineProvider(SPEC)
    try:
        yield moonshine
    finally:
        await moonshine.aclose()


async def transcribe(
    moonshine: MoonshineProvider, source: Any, report: Callable[[Progress], None] = lambda progress: None, **table: Any
) -> Transcript:
    audio_format = FLOAT if isinstance(source, (bytes, AsyncIterator)) else None
    request = Request(settings=MoonshineSettings(**table))
    return await moonshine.transcribe(AudioSource.of(source, audio_format=audio_format), request, report)


def test_streams_are_cut_as_the_settings_say_and_by_default_as_the_core_does() -> None:
    async def cutting(**table: Any) -> CutterPolicy:
        async with opened() as moonshine:
            decoder = moonshine.decoder(Request(settings=MoonshineSettings(**table)))
            assert isinstance(decoder, CuttingDecoder)
            return decoder.cutting

    assert run(cutting) == STREAM_CUTTING
    quick = run(lambda: cutting(stream_silence=0.4, stream_max_utterance=5.0))
    assert (quick.silence, quick.max_utterance) == (0.4, 5.0)


class TestRealSpeech:
    def test_a_recording_becomes_text(
        self, jfk: Path, jfk_text: str, plain: Callable[[str], str], speech: NDArray[np.float32]
    ) -> None:
        async def case() -> Transcript:
            async with opened() as moonshine:
                return await transcribe(moonshine, jfk)

        transcript = run(case)
        assert plain(transcript.text) == jfk_text
        assert transcript.text == " ".join(segment.text for segment in transcript.segments)
        assert (transcript.provider, transcript.language) == ("moonshine", "en")
        assert transcript.duration == transcript.audio_seconds == len(speech) / 16000

    def test_segments_are_where_speech_is(self, jfk: Path) -> None:
        async def case() -> Transcript:
            async with opened() as moonshine:
                return await transcribe(moonshine, jfk, silence=0.4)

        segments = run(case).segments
        assert [segment.start for segment in segments] == pytest.approx([0.25, 3.2, 5.3, 8.1], abs=0.1)
        assert [segment.end for segment in segments] == pytest.approx([2.35, 4.5, 7.75, 11.0], abs=0.1)
        assert "fellow Americans" in segments[0].text
        assert "for your country" in segments[3].text

    def test_two_at_once_give_what_each_gives_alone(self, speech: NDArray[np.float32]) -> None:
        sources = [speech.tobytes(), np.concatenate([speech[80_000:], speech]).tobytes()]

        async def case() -> tuple[list[Transcript], list[Transcript]]:
            async with opened() as moonshine:
                alone = [await transcribe(moonshine, source, silence=0.4) for source in sources]
                together = await asyncio.gather(*(transcribe(moonshine, source, silence=0.4) for source in sources))
                return alone, together

        alone, together = run(case)
        assert alone == together
        assert alone[0] != alone[1]

    def test_the_event_loop_is_never_blocked(self, speech: NDArray[np.float32]) -> None:
        """Decoding 20 s at once takes most of a second, which a blocked loop would show."""
        source = np.concatenate([speech, speech]).tobytes()

        async def longest_gap() -> float:
            gap, last = 0.0, time.perf_counter()
            async with opened() as moonshine:
                work = asyncio.ensure_future(transcribe(moonshine, source, max_utterance=30.0, silence=2.0))
                while not work.done():
                    await asyncio.sleep(0.002)
                    now = time.perf_counter()
                    gap, last = max(gap, now - last), now
                assert len((await work).segments) == 1
            return gap

        # A machine that is busy with other things makes gaps too, but not each time.
        assert any(run(longest_gap) < 0.1 for _ in range(4))

    def test_silence_is_empty(self) -> None:
        async def case() -> Transcript:
            async with opened() as moonshine:
                return await transcribe(moonshine, bytes(4 * 16000 * 5))

        assert run(case) == Transcript(text="", language="en", duration=5.0, provider="moonshine", audio_seconds=5.0)

    def test_it_decodes_for_the_core(
        self, speech: NDArray[np.float32], jfk_text: str, plain: Callable[[str], str]
    ) -> None:
        async def case() -> Decoded:
            async with opened() as moonshine:
                return await moonshine.decoder(Request(settings=MoonshineSettings())).decode(speech)

        assert plain(run(case).text) == jfk_text

    def test_cancelled_midway_it_leaves_nothing(self, speech: NDArray[np.float32]) -> None:
        source = np.tile(speech, 6).tobytes()

        async def case() -> None:
            async with opened() as moonshine:
                begun = asyncio.Event()
                work = asyncio.ensure_future(
                    transcribe(moonshine, source, lambda progress: progress.done > 0.0 and begun.set())
                )
                await begun.wait()
                work.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await work

        run(case)

    def test_closing_unused_and_twice(self) -> None:
        async def case() -> None:
            async with opened() as moonshine:
                await moonshine.aclose()
            async with opened() as moonshine:
                await transcribe(moonshine, bytes(4 * 16000))
                await moonshine.aclose()

        run(case)


class LoudnessVad:
    def probability(self, frame: NDArray[np.float32]) -> float:
        return float(frame[0])

    def reset(self) -> None:
        raise AssertionError


class CountingEngine:
    """Says how long the audio is; remembers what it was given, and how many were at work."""

    delay = 0.0
    broken_at = -1
    lock = threading.Lock()
    loaded: list[CountingEngine]
    lengths: list[int]

    def __init__(self) -> None:
        CountingEngine.loaded.append(self)

    def decode(self, samples: NDArray[np.float32]) -> Decoded:
        time.sleep(self.delay)
        with self.lock:
            CountingEngine.lengths.append(len(samples))
            if len(CountingEngine.lengths) == self.broken_at:
                raise ProviderError("The engine broke.")
        return Decoded(f"{len(samples) / 16000:.2f}")

    def close(self) -> None: ...


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[CountingEngine]:
    monkeypatch.setattr(recognition, "open_vad", LoudnessVad)
    monkeypatch.setattr(provider, "Engine", CountingEngine)
    monkeypatch.setattr(CountingEngine, "loaded", [], raising=False)
    monkeypatch.setattr(CountingEngine, "lengths", [], raising=False)
    return CountingEngine


async def recording(utterances: int, *, speech: int = 16000, pulled: list[int] | None = None) -> AsyncIterator[bytes]:
    """Speech and 1.5 s of silence, in turn."""
    for index in range(utterances):
        if pulled is not None:
            pulled.append(index)
        yield np.repeat(np.array([0.9, 0.0], np.float32), [speech, 24000]).tobytes()


class TestScriptedSpeech:
    def test_segments_come_in_order_though_engines_do_not(self, scripted: type[CountingEngine]) -> None:
        async def source() -> AsyncIterator[bytes]:
            for frames in (100, 20, 80, 10, 60, 30) * 5:
                yield np.repeat(np.array([0.9, 0.0], np.float32), [frames * 512, 64 * 512]).tobytes()

        scripted.delay = 0.001

        async def case() -> Transcript:
            async with opened() as moonshine:
                return await transcribe(moonshine, source(), engines=3)

        transcript = run(case)
        assert [segment.text for segment in transcript.segments] == transcript.text.split()
        for segment in transcript.segments:
            assert segment.start is not None
            assert segment.end is not None
            assert float(segment.text) == pytest.approx(segment.end - segment.start, abs=0.01)
        assert len(transcript.segments) == 30
        assert all(one.end <= other.start for one, other in pairwise(transcript.segments))  # type: ignore[operator]

    def test_progress_grows_and_ends_at_the_duration(self, scripted: type[CountingEngine]) -> None:
        told: list[Progress] = []

        async def case() -> Transcript:
            async with opened() as moonshine:
                return await transcribe(moonshine, recording(30), told.append)

        transcript = run(case)
        done = [progress.done for progress in told]
        assert transcript.duration == 75.0
        assert done == sorted(done)
        assert told[-1] == Progress(done=75.0, total=75.0)
        assert len(set(done)) > 20

    def test_a_slow_engine_stops_the_reading(
        self, scripted: type[CountingEngine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So that hours of audio never pile up in memory."""
        pulled: list[int] = []
        most = 0

        def decode(self: CountingEngine, samples: NDArray[np.float32]) -> Decoded:
            nonlocal most
            with self.lock:
                self.lengths.append(len(samples))
                most = max(most, len(pulled) - len(self.lengths))
            time.sleep(0.002)
            return Decoded("yes")

        monkeypatch.setattr(scripted, "decode", decode)

        async def case() -> None:
            async with opened() as moonshine:
                await transcribe(moonshine, recording(100, pulled=pulled), engines=2)

        run(case)
        assert len(scripted.lengths) == 100
        assert most <= 8

    def test_several_share_the_engines_fairly(self, scripted: type[CountingEngine]) -> None:
        scripted.delay = 0.001

        lengths = (16000, 24000, 32000)

        async def case() -> None:
            async with opened() as moonshine:
                sources = [recording(30, speech=length) for length in lengths]
                await asyncio.gather(*(transcribe(moonshine, source, engines=1) for source in sources))

        run(case)
        assert len(scripted.loaded) == 1
        owners = np.digitize(scripted.lengths, [22000, 30000])
        assert np.bincount(owners).tolist() == [30, 30, 30]
        assert np.bincount(owners[:45]).min() >= 10

    def test_a_failure_of_the_engine_ends_the_transcription(self, scripted: type[CountingEngine]) -> None:
        scripted.broken_at = 5

        async def case() -> None:
            async with opened() as moonshine:
                with pytest.raises(ProviderError, match="The engine broke"):
                    await transcribe(moonshine, recording(100))
                scripted.broken_at = -1
                assert (await transcribe(moonshine, recording(3))).text

        run(case)
        assert len(scripted.lengths) < 20

    def test_an_error_of_the_audio_passes_and_the_queue_is_emptied(
        self, scripted: type[CountingEngine], tmp_path: Path
    ) -> None:
        async def failing() -> AsyncIterator[bytes]:
            async for block in recording(5):
                yield block
            raise ConnectionResetError("the line went dead")

        async def case() -> None:
            async with opened() as moonshine:
                with pytest.raises(AudioSourceError):
                    await transcribe(moonshine, tmp_path / "missing.wav")
                with pytest.raises(ConnectionResetError):
                    await transcribe(moonshine, failing())

        run(case)

    def test_an_utterance_without_words_is_no_segment(
        self, scripted: type[CountingEngine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        texts = iter(["", "yes", ""])
        monkeypatch.setattr(scripted, "decode", lambda self, samples: Decoded(next(texts)))

        async def case() -> Transcript:
            async with opened() as moonshine:
                return await transcribe(moonshine, recording(3), engines=1)

        transcript = run(case)
        assert transcript.text == "yes"
        assert len(transcript.segments) == 1
