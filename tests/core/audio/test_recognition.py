"""What only the placing of segments shows; order, bounds and cancellation are tested with the embedded engine."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from debabelizer.audio import recognition
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.recognition import Recognized, Understand, recognize
from debabelizer.audio.source import AudioSource
from debabelizer.audio.utterances import CutterPolicy
from debabelizer.errors import ProviderError
from debabelizer.results import Progress, Segment, Word


class LoudnessVad:
    def probability(self, frame: NDArray[np.float32]) -> float:
        return float(frame[0])

    def reset(self) -> None:
        raise AssertionError


def silence_and_speech(utterances: int = 1) -> bytes:
    """A second of silence, one of speech, and three of silence, and so on."""
    samples = np.array([0.0, 0.9, 0.0] * utterances, np.float32)
    return np.repeat(samples, [16384, 16384, 48000] * utterances).tobytes()


async def understood(
    understand: Understand, *, utterances: int = 1, width: int = 2, reports: list[Progress] | None = None
) -> Recognized:
    audio = AudioSource.of(silence_and_speech(utterances), audio_format=AudioFormat("pcm_f32le"))
    report: Any = (reports if reports is not None else []).append
    return await recognize(audio, understand, CutterPolicy(silence=1.0), report, width=width)


def recognized(*segments: Segment, reports: list[Progress] | None = None) -> Recognized:
    async def understand(samples: NDArray[np.float32]) -> tuple[Segment, ...]:
        return segments

    return asyncio.run(understood(understand, reports=reports))


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


def test_one_more_than_can_be_understood_at_once_is_in_work() -> None:
    async def case() -> None:
        running, most = 0, 0

        async def understand(samples: NDArray[np.float32]) -> tuple[Segment, ...]:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return (Segment("x"),)

        assert len((await understood(understand, utterances=9, width=2)).segments) == 9
        assert most == 3

    asyncio.run(case())


def test_when_one_fails_the_others_are_given_up() -> None:
    async def case() -> None:
        fates: list[str] = []

        async def understand(samples: NDArray[np.float32]) -> tuple[Segment, ...]:
            if not fates:
                fates.append("fails")
                raise ProviderError("It broke.")
            try:
                return await asyncio.get_running_loop().create_future()
            finally:
                fates.append("cancelled")

        with pytest.raises(ProviderError, match="It broke"):
            await understood(understand, utterances=3)
        assert set(fates[1:]) <= {"cancelled"}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(case())
