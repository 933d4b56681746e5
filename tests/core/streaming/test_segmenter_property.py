"""Whatever is said, however it is chunked, and however long the engine takes: every sample of speech becomes final
once, in order, with its exact times."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spoken import FRAME, SpokenDecoder, SpokenVad, Studio, frames, heard, live, spoken

from debabelizer.audio.utterances import CutterPolicy, UtteranceAudio, UtteranceCutter
from debabelizer.audio.vad import SAMPLE_RATE
from debabelizer.errors import ServiceUnavailableError
from debabelizer.results import StreamEvent, StreamingResult
from debabelizer.testing.virtual_time import run

CUTTING = CutterPolicy(max_utterance=5.0)

silences = st.floats(0.0, 1.5)
speeches = st.floats(0.2, 4.0)
talks = st.lists(st.tuples(silences, speeches), max_size=6).map(
    lambda pairs: spoken(*[seconds for pair in pairs for seconds in pair], 0.3)
)
delays = st.lists(st.floats(0.0, 3.0), max_size=20)


def utterances(audio: bytes, ends: tuple[int, ...] = ()) -> list[UtteranceAudio]:
    """How the audio is cut when it is all there, and flushed after so many bytes."""
    cutter = UtteranceCutter(SpokenVad(), CUTTING)
    events = []
    start = 0
    for end in (*ends, len(audio)):
        events += cutter.feed(np.frombuffer(audio[start:end], "<i2").astype(np.float32) / 32768)
        if end == len(audio) or cutter.open is not None:
            events += cutter.finish()
        start = end
    return [event for event in events if isinstance(event, UtteranceAudio)]


def check_screen(events: list[StreamEvent]) -> None:
    """No interim repeats what is final, and none is left over."""
    final: set[int] = set()
    interim = ""
    for event in events:
        if isinstance(event, StreamingResult) and event.is_final:
            final |= heard(event.text).keys()
            interim = ""
        elif isinstance(event, StreamingResult):
            interim = event.text
            # A frame may belong to two utterances, when a replay began within it.
            assert len(heard(interim).keys() & final) <= 1
    assert interim == ""


@settings(max_examples=60, deadline=None)
@given(
    audio=talks,
    chunk=st.floats(0.01, 1.0),
    speed=st.sampled_from([1.0, 0.5, 3.0, None]),
    delays=delays,
    interim=st.booleans(),
)
def test_every_utterance_is_said_once_with_its_times(
    audio: bytes, chunk: float, speed: float | None, delays: list[float], interim: bool
) -> None:
    async def case() -> None:
        studio = Studio(decoder=SpokenDecoder(delays=delays), cutting=CUTTING, interim=interim)
        stream = studio.stream(live(audio, chunk=chunk, speed=speed))
        async with stream:
            events = [event async for event in stream.events()]
        said = [event for event in events if isinstance(event, StreamingResult) and event.is_final]
        assert [(final.start, final.end, not final.ends_utterance) for final in said] == [
            (
                pytest.approx(cut.speech_start / SAMPLE_RATE, abs=1e-6),
                pytest.approx(cut.speech_end / SAMPLE_RATE, abs=1e-6),
                cut.cut,
            )
            for cut in utterances(audio)
        ]
        assert heard(stream.transcript.text) == frames(audio)
        check_screen(events)
        assert stream.stats.confirmed == stream.stats.accepted
        assert studio.decoder.most <= 1
        assert studio.decoder.running == 0

    run(case())


@settings(max_examples=60, deadline=None)
@given(
    audio=talks,
    chunk=st.floats(0.01, 0.5),
    delays=delays,
    failures=st.sets(st.integers(0, 12), max_size=4),
)
def test_failures_of_the_engine_lose_and_repeat_nothing(
    audio: bytes, chunk: float, delays: list[float], failures: set[int]
) -> None:
    async def case() -> None:
        errors: dict[int, Exception] = {number: ServiceUnavailableError("busy") for number in failures}
        studio = Studio(decoder=SpokenDecoder(delays=delays, errors=errors), cutting=CUTTING)
        stream = studio.stream(live(audio, chunk=chunk))
        async with stream:
            events = [event async for event in stream.events()]
        missing = Counter(frames(audio))
        missing.subtract(heard(stream.transcript.text))
        assert min(missing.values(), default=0) == 0
        # Where a cut and a failure meet, what is left of an utterance may be shorter than a click.
        left = CUTTING.min_speech if stream.stats.reconnects else 0.0
        assert sum(missing.values()) / SAMPLE_RATE <= left
        check_screen(events)
        for before, after in pairwise(stream.transcript.segments):
            assert before.start is not None
            assert before.end is not None
            assert after.start is not None
            assert before.start < before.end <= after.start
        for segment in stream.transcript.segments:
            counts = heard(segment.text)
            assert segment.start == pytest.approx(min(counts) * FRAME, abs=2 * FRAME)
            assert segment.end == pytest.approx((max(counts) + 1) * FRAME, abs=2 * FRAME)

    run(case())


@settings(max_examples=40, deadline=None)
@given(
    audio=talks,
    flushes=st.lists(st.floats(0.0, 1.0), max_size=4).map(sorted),
    delays=st.lists(st.floats(0.0, 0.5), max_size=10),
    pace=st.booleans(),
)
def test_flushes_cut_where_they_were_asked_for(
    audio: bytes, flushes: list[float], delays: list[float], pace: bool
) -> None:
    ends = tuple(int(share * len(audio)) // 2 * 2 for share in flushes)

    async def case() -> None:
        stream = Studio(decoder=SpokenDecoder(delays=delays), cutting=CUTTING).stream()

        async def speak() -> None:
            start = 0
            for end in ends:
                for at in range(start, end, 3200):
                    await stream.send_audio(audio[at : min(at + 3200, end)])
                    if pace:
                        await asyncio.sleep(0.1)
                flushed = await stream.flush()
                assert flushed.confirmed
                start = end
            await stream.send_audio(audio[start:])
            await stream.end_audio()

        async with stream:
            speaking = asyncio.ensure_future(speak())
            said = [result async for result in stream if result.is_final]
            await speaking
        expected = utterances(audio, ends)
        assert [(final.start, final.end) for final in said] == [
            (
                pytest.approx(cut.speech_start / SAMPLE_RATE, abs=1e-6),
                pytest.approx(cut.speech_end / SAMPLE_RATE, abs=1e-6),
            )
            for cut in expected
        ]
        counts: dict[int, int] = {}
        for cut in expected:
            for frame, count in frames(np.rint(cut.samples * 32768).astype("<i2").tobytes()).items():
                counts[frame] = counts.get(frame, 0) + count
        assert heard(stream.transcript.text) == counts

    run(case())
