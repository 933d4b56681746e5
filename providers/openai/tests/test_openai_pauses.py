from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from debabelizer_openai.pauses import PauseFinder, Stretch
from numpy.typing import NDArray

from debabelizer import AudioFormat

FORMAT = AudioFormat()
WIDE = AudioFormat("pcm_s16le", 24000)


class Loudness:
    """Hears speech in whatever is not silent."""

    def probability(self, frame: NDArray[np.float32]) -> float:
        return 1.0 if abs(frame).mean() > 0.05 else 0.0

    def reset(self) -> None:
        raise AssertionError


def sound(*stretches: float, audio_format: AudioFormat = FORMAT) -> bytes:
    """Speech and silence in turn, of so many seconds; speech first."""
    rng = np.random.default_rng(0)
    parts = [
        (rng.uniform(-0.5, 0.5, round(seconds * audio_format.sample_rate)) * (number % 2 == 0) * 32767).astype("<i2")
        for number, seconds in enumerate(stretches)
    ]
    return b"".join(part.tobytes() for part in parts)


def found(audio: bytes, pause: float = 0.8, size: int = 6400, audio_format: AudioFormat = FORMAT) -> list[Stretch]:
    finder = PauseFinder(audio_format, pause, Loudness())

    def stretches() -> Iterator[Stretch]:
        for at in range(0, len(audio), size):
            yield from finder.feed(audio[at : at + size])
        yield Stretch(finder.stop(), audio_format.seconds(len(audio)))

    cut = list(stretches())
    assert b"".join(stretch.audio for stretch in cut) == audio
    return cut


def overs(stretches: list[Stretch]) -> list[float]:
    return [round(stretch.end, 2) for stretch in stretches if stretch.over]


@pytest.mark.parametrize("size", [64, 1000, 6400, 64000])
@pytest.mark.parametrize("audio_format", [FORMAT, WIDE])
def test_an_utterance_is_over_when_the_pause_has_lasted(size: int, audio_format: AudioFormat) -> None:
    audio = sound(0, 1.0, 2.0, 1.0, 1.0, 2.0, audio_format=audio_format)
    cut = found(audio, size=size, audio_format=audio_format)
    assert overs(cut) == pytest.approx([3.8, 5.8], abs=0.1)
    begun = [stretch.begun for stretch in cut if stretch.begun is not None]
    assert begun == pytest.approx([0.7, 3.7], abs=0.1)


def test_a_short_pause_does_not_end_it() -> None:
    assert overs(found(sound(1.0, 0.5, 1.0, 0.7, 1.0, 0.3))) == []


def test_who_speaks_for_long_gets_shorter_pauses() -> None:
    assert overs(found(sound(16.0, 0.5, 1.0))) == pytest.approx([16.4], abs=0.1)
    assert overs(found(sound(31.0, 0.2, 1.0))) == pytest.approx([31.1], abs=0.1)


def test_how_far_everything_is_decided() -> None:
    finder = PauseFinder(FORMAT, 0.8, Loudness())
    finder.feed(sound(0, 2.0))
    assert finder.quiet_until == pytest.approx(1.7, abs=0.05)
    finder.feed(sound(1.0))
    assert finder.quiet_until == pytest.approx(1.7, abs=0.05)
    finder.stop()
    assert finder.since == pytest.approx(3.0)
    finder.feed(sound(0, 1.0))
    assert finder.quiet_until == pytest.approx(3.7, abs=0.05)
    finder.stop()
    assert finder.since is None


@pytest.mark.parametrize("pause", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("start", [0.0, 0.009, 0.017, 0.026])
def test_a_cut_is_never_made_in_speech(pause: float, start: float) -> None:
    audio = sound(0, 1.0 + start, 1.0, pause + 0.04, 1.0, 2.0, audio_format=WIDE)
    begin, end = 2.0 + start, 2.0 + start + pause + 0.04
    (first, *_) = overs(found(audio, pause, size=7200, audio_format=WIDE))
    assert begin < first <= end
