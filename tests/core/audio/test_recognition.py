"""What only the placing of segments shows; order, bounds and cancellation are tested with the embedded engine."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from debabelizer.audio import recognition
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.pool import EnginePool
from debabelizer.audio.recognition import Recognized, recognize
from debabelizer.audio.source import AudioSource
from debabelizer.audio.utterances import CutterPolicy
from debabelizer.results import Progress, Segment, Word


class LoudnessVad:
    def probability(self, frame: NDArray[np.float32]) -> float:
        return float(frame[0])

    def reset(self) -> None:
        raise AssertionError


class ScriptedEngine:
    """Says the same of each utterance."""

    def __init__(self, *segments: Segment) -> None:
        self.segments = segments

    def close(self) -> None: ...


def recognized(*segments: Segment, reports: list[Progress] | None = None) -> Recognized:
    """What comes of a second of silence, one of speech, and three of silence."""
    samples = np.repeat(np.array([0.0, 0.9, 0.0], np.float32), [16384, 16384, 48000])
    audio = AudioSource.of(samples.tobytes(), audio_format=AudioFormat("pcm_f32le"))
    report: Any = (reports if reports is not None else []).append

    async def main() -> Recognized:
        pool = EnginePool(lambda: ScriptedEngine(*segments), 2, name="test")
        try:
            return await recognize(audio, pool, lambda engine, _: engine.segments, CutterPolicy(silence=1.0), report)
        finally:
            await pool.aclose()

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def _loud_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "open_vad", LoudnessVad)


def test_a_segment_without_times_is_where_its_utterance_is() -> None:
    (segment,) = recognized(Segment("hello")).segments
    assert (segment.start, segment.end) == (pytest.approx(1.024 - 0.1), pytest.approx(2.048 + 0.1))


def test_times_of_an_utterance_become_those_of_the_recording_and_stay_within_it() -> None:
    words = (Word("a", -1.0, 0.25), Word("b", 0.25, 99.0))
    first, second = recognized(Segment("a b", 0.1, 0.5, words), Segment("c", 0.5, 99.0, separator="")).segments
    begin = 1.024 - 0.1
    assert (first.start, first.end) == (pytest.approx(begin + 0.1), pytest.approx(begin + 0.5))
    assert [word.start for word in first.words] == [pytest.approx(begin), pytest.approx(begin + 0.25)]
    assert first.words[1].end == second.end == pytest.approx(2.148)
    assert second.separator == ""


def test_what_was_not_understood_is_no_segment() -> None:
    reports: list[Progress] = []
    assert recognized(Segment(""), reports=reports) == Recognized((), pytest.approx(5.048))
    assert reports[-1].done == pytest.approx(5.048)
