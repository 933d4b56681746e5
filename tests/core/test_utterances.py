"""Voice activity is scripted: the loudness of a frame is the probability of speech in it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from debabelizer.audio.utterances import CutterEvent, CutterPolicy, SpeechOnset, UtteranceAudio, UtteranceCutter

FRAME = 512
SPEECH, MURMUR, SILENCE = 0.9, 0.4, 0.0

# 20 frames of silence end an utterance, which is padded by 5, needs 3 frames of speech and has at most 120.
POLICY = CutterPolicy(silence=20 * 0.032, padding=5 * 0.032, min_speech=3 * 0.032, max_utterance=120 * 0.032)


class LoudnessVad:
    def probability(self, frame: NDArray[np.float32]) -> float:
        assert frame.shape == (FRAME,)
        assert np.isfinite(frame).all()
        return float(frame[0])

    def reset(self) -> None:
        raise AssertionError("a cutter has a detector of its own")


def audio(*runs: tuple[float, int], extra: int = 0) -> NDArray[np.float32]:
    """Frames of given loudness, and `extra` silent samples; the last sample of a frame tells frames apart."""
    loudness = np.concatenate([np.full(frames, level, np.float32) for level, frames in runs])
    samples = np.repeat(loudness, FRAME)
    samples[FRAME - 1 :: FRAME] = np.arange(len(loudness))
    return np.concatenate([samples, np.zeros(extra, np.float32)])


def run(samples: NDArray[np.float32], policy: CutterPolicy = POLICY) -> list[CutterEvent]:
    cutter = UtteranceCutter(LoudnessVad(), policy)
    return cutter.feed(samples) + cutter.finish()


def utterances(events: list[CutterEvent]) -> list[UtteranceAudio]:
    return [event for event in events if isinstance(event, UtteranceAudio)]


def frames(utterance: UtteranceAudio) -> tuple[float, float]:
    return utterance.start / FRAME, utterance.end / FRAME


def facts(events: list[CutterEvent]) -> list[object]:
    return [
        event
        if isinstance(event, SpeechOnset)
        else (event.start, event.end, event.speech_start, event.speech_end, event.cut, event.samples.tobytes())
        for event in events
    ]


class TestSilenceRule:
    def test_an_utterance_is_speech_with_padding(self) -> None:
        samples = audio((SILENCE, 40), (SPEECH, 30), (SILENCE, 40))
        onset, utterance = run(samples)
        assert onset == SpeechOnset(40 * FRAME)
        assert isinstance(utterance, UtteranceAudio)
        assert frames(utterance) == (35, 75)
        assert (utterance.speech_start, utterance.speech_end) == (40 * FRAME, 70 * FRAME)
        assert not utterance.cut
        assert np.array_equal(utterance.samples, samples[35 * FRAME : 75 * FRAME])

    def test_it_comes_as_soon_as_the_silence_is_long_enough(self) -> None:
        cutter = UtteranceCutter(LoudnessVad(), POLICY)
        assert len(cutter.feed(audio((SPEECH, 30), (SILENCE, 19), extra=FRAME - 1))) == 1
        assert len(utterances(cutter.feed(np.zeros(1, np.float32)))) == 1

    def test_a_shorter_silence_does_not_part(self) -> None:
        [utterance] = utterances(run(audio((SPEECH, 30), (SILENCE, 19), (SPEECH, 30), (SILENCE, 30))))
        assert frames(utterance) == (0, 84)

    def test_two_utterances(self) -> None:
        first, second = utterances(run(audio((SPEECH, 30), (SILENCE, 20), (SPEECH, 30), (SILENCE, 30))))
        assert frames(first) == (0, 35)
        assert frames(second) == (45, 85)

    def test_a_murmur_prolongs_speech_and_does_not_begin_it(self) -> None:
        [utterance] = utterances(run(audio((MURMUR, 30), (SPEECH, 5), (MURMUR, 30), (SILENCE, 30))))
        assert frames(utterance) == (25, 70)

    def test_a_murmur_does_not_interrupt_silence(self) -> None:
        [utterance] = utterances(run(audio((SPEECH, 5), (SILENCE, 10), (MURMUR, 5), (SILENCE, 5), (MURMUR, 30))))
        assert frames(utterance) == (0, 10)

    def test_padding_never_overlaps(self) -> None:
        policy = CutterPolicy(silence=6 * 0.032, padding=5 * 0.032)
        first, second = utterances(run(audio((SPEECH, 30), (SILENCE, 6), (SPEECH, 30)), policy))
        assert frames(first) == (0, 35)
        assert frames(second) == (35, 66)

    def test_padding_is_at_most_the_silence_that_was_waited_for(self) -> None:
        policy = CutterPolicy(silence=4 * 0.032, padding=8 * 0.032)
        [utterance] = utterances(run(audio((SILENCE, 20), (SPEECH, 30), (SILENCE, 20)), policy))
        assert frames(utterance) == (16, 54)


class TestClicks:
    def test_a_click_is_dropped_without_a_word(self) -> None:
        assert run(audio((SILENCE, 30), (SPEECH, 2), (SILENCE, 60))) == []

    def test_a_click_before_speech_is_part_of_it(self) -> None:
        onset, utterance = run(audio((SILENCE, 30), (SPEECH, 2), (SILENCE, 10), (SPEECH, 10), (SILENCE, 30)))
        assert onset == SpeechOnset(30 * FRAME)
        assert isinstance(utterance, UtteranceAudio)
        assert frames(utterance) == (25, 57)

    def test_a_short_word_is_kept(self) -> None:
        [utterance] = utterances(run(audio((SILENCE, 30), (SPEECH, 3), (SILENCE, 30))))
        assert frames(utterance) == (25, 38)

    def test_nothing_gives_nothing(self) -> None:
        assert run(np.zeros(0, np.float32)) == []
        assert run(np.zeros(100_000, np.float32)) == []


class TestHardCut:
    def test_falls_into_the_best_pause_of_the_second_half(self) -> None:
        runs = ((SPEECH, 38), (SILENCE, 15), (SPEECH, 22), (SILENCE, 6), (SPEECH, 50), (SILENCE, 30))
        first, second = utterances(run(audio(*runs)))
        assert frames(first) == (0, 79)
        assert first.cut
        assert first.speech_end == 75 * FRAME
        assert frames(second) == (79, 136)
        assert second.speech_start == 81 * FRAME
        assert not second.cut

    def test_prefers_a_long_pause_to_a_deep_one(self) -> None:
        runs = ((SPEECH, 70), (SILENCE, 1), (SPEECH, 10), (MURMUR, 10), (SPEECH, 60), (SILENCE, 30))
        first, _ = utterances(run(audio(*runs)))
        assert first.end in range(84 * FRAME, 88 * FRAME)

    def test_without_any_pause_it_cuts_where_there_is_least_speech(self) -> None:
        runs = ((0.95, 70), (0.7, 2), (0.95, 100), (SILENCE, 30))
        first, second = utterances(run(audio(*runs)))
        assert 64 * FRAME <= first.end <= 76 * FRAME
        assert second.start == first.end

    def test_monotonous_speech_is_still_cut_in_bounds(self) -> None:
        samples = audio((SPEECH, 1000))
        parts = utterances(run(samples))
        assert all(part.end - part.start <= 120 * FRAME for part in parts)
        assert np.array_equal(np.concatenate([part.samples for part in parts]), samples)
        assert parts[0].end > 110 * FRAME
        assert [part.cut for part in parts] == [True] * (len(parts) - 1) + [False]

    def test_only_the_first_part_has_an_onset(self) -> None:
        events = run(audio((SILENCE, 10), (SPEECH, 300), (SILENCE, 30)))
        assert [event.at for event in events if isinstance(event, SpeechOnset)] == [10 * FRAME]

    def test_the_rest_of_a_word_is_no_click(self) -> None:
        # The cut comes when 120 frames are full, within the pause that begins at 110; one frame follows.
        runs = ((SPEECH, 110), (SILENCE, 12), (SPEECH, 1), (SILENCE, 30))
        first, second = utterances(run(audio(*runs)))
        assert (first.cut, second.cut) == (True, False)
        assert second.start == first.end
        assert (second.speech_start, second.speech_end) == (122 * FRAME, 123 * FRAME)

    def test_nothing_but_silence_behind_the_cut_is_dropped(self) -> None:
        events = run(audio((SPEECH, 110), (SILENCE, 60), (SPEECH, 10), (SILENCE, 30)))
        first, second = utterances(events)
        assert first.cut
        assert frames(second) == (165, 185)
        assert len([event for event in events if isinstance(event, SpeechOnset)]) == 2


class TestFinish:
    def test_ends_the_open_utterance(self) -> None:
        samples = audio((SPEECH, 30), extra=100)
        [utterance] = utterances(run(samples))
        assert utterance.end == len(samples)

    def test_hears_the_last_samples(self) -> None:
        samples = audio((SILENCE, 10), (SPEECH, 3))[: 13 * FRAME - 200]
        [utterance] = utterances(run(samples))
        assert utterance.end == utterance.speech_end == len(samples)

    def test_decides_everything_and_flushes(self) -> None:
        cutter = UtteranceCutter(LoudnessVad(), POLICY)
        first = audio((SPEECH, 30), (SILENCE, 10), extra=77)
        second = audio((SILENCE, 1), (SPEECH, 30), (SILENCE, 30))
        [flushed] = utterances(cutter.feed(first) + cutter.finish())
        assert frames(flushed) == (0, 35)
        assert cutter.decided == len(first)
        [after] = utterances(cutter.feed(second) + cutter.finish())
        assert after.start == len(first)
        assert np.array_equal(after.samples, second[: 36 * FRAME])


class TestWhileSpeaking:
    def test_the_open_utterance_grows(self) -> None:
        samples = audio((SILENCE, 10), (SPEECH, 60))
        cutter = UtteranceCutter(LoudnessVad(), POLICY)
        cutter.feed(samples[: 12 * FRAME])
        assert cutter.open is None
        cutter.feed(samples[12 * FRAME : 30 * FRAME])
        early = cutter.open
        cutter.feed(samples[30 * FRAME :])
        late = cutter.open
        assert early is not None
        assert late is not None
        assert frames(early) == (5, 30)
        assert frames(late) == (5, 70)
        assert np.shares_memory(early.samples, late.samples)
        assert not late.samples.flags.writeable

    def test_a_view_never_changes(self) -> None:
        cutter = UtteranceCutter(LoudnessVad(), POLICY)
        samples = audio((SPEECH, 30))
        cutter.feed(samples)
        view = cutter.open
        assert view is not None
        for _ in range(20):
            cutter.feed(audio((SPEECH, 100)))
        assert np.array_equal(view.samples, samples)

    def test_decided_stands_at_the_open_utterance_and_else_follows_the_audio(self) -> None:
        cutter = UtteranceCutter(LoudnessVad(), POLICY)
        cutter.feed(audio((SILENCE, 50)))
        assert cutter.decided == 45 * FRAME
        cutter.feed(audio((SPEECH, 2)))
        assert cutter.decided == 45 * FRAME
        cutter.feed(audio((SPEECH, 20)))
        assert cutter.decided == 45 * FRAME
        cutter.feed(audio((SILENCE, 20)))
        assert cutter.decided == (72 + 15) * FRAME

    def test_what_is_no_number_is_silence(self) -> None:
        broken = audio((SILENCE, 10), (SPEECH, 30), (SILENCE, 30))
        broken[: 10 * FRAME] = [np.nan, np.inf, -np.inf, np.nan] * (10 * FRAME // 4)
        [utterance] = utterances(run(broken))
        assert frames(utterance) == (5, 45)
        assert np.isfinite(utterance.samples).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.3, "release": 0.4},
        {"release": 0.0},
        {"threshold": 1.0},
        {"silence": 0.0},
        {"padding": -0.1},
        {"min_speech": -0.1},
        {"max_utterance": 1.0},
        {"padding": 1.0, "max_utterance": 3.0},
    ],
)
def test_a_policy_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        CutterPolicy(**wrong)


levels = st.sampled_from([SPEECH, 0.6, MURMUR, 0.2, SILENCE])
recordings = st.lists(st.tuples(levels, st.integers(1, 90)), min_size=1, max_size=14)
policies = st.builds(
    CutterPolicy,
    silence=st.floats(0.05, 1.5),
    padding=st.floats(0.0, 0.5),
    min_speech=st.floats(0.0, 0.3),
    max_utterance=st.floats(2.0, 6.0),
)


@settings(max_examples=150, deadline=None)
@given(recordings, st.integers(0, FRAME - 1), policies)
def test_nothing_is_lost_or_said_twice(runs: list[tuple[float, int]], extra: int, policy: CutterPolicy) -> None:
    samples = audio(*runs, extra=extra)
    events = run(samples, policy)
    found = utterances(events)
    for utterance in found:
        assert 0 <= utterance.start <= utterance.speech_start < utterance.speech_end <= utterance.end <= len(samples)
        assert utterance.end - utterance.start <= policy.max_utterance * 16000 + 1
        assert np.array_equal(utterance.samples, samples[utterance.start : utterance.end])
    assert all(one.end <= other.start for one, other in pairwise(found))

    wait = int(policy.silence * 16000)
    spoken = np.flatnonzero(samples[::FRAME] >= policy.threshold) * FRAME
    covered = np.array([any(u.start <= at and at + FRAME <= u.end for u in found) for at in spoken], bool)
    for one, other in pairwise(found):
        if one.cut:
            between = ((spoken >= one.end) & (spoken < other.start)).any()
            assert other.start == one.end or not between
    clicks = np.split(spoken[~covered], np.flatnonzero(np.diff(spoken[~covered]) > wait + FRAME) + 1)
    assert all(len(click) * FRAME < policy.min_speech * 16000 + FRAME for click in clicks)

    starts = [u.speech_start for index, u in enumerate(found) if not (index and found[index - 1].cut)]
    onsets = [event.at for event in events if isinstance(event, SpeechOnset)]
    assert set(starts) <= set(onsets)
    assert onsets == sorted(set(onsets))
    assert len(onsets) <= len(found)


@settings(max_examples=60, deadline=None)
@given(recordings, st.integers(0, FRAME - 1), st.lists(st.integers(0, 40_000), max_size=40))
def test_the_same_however_it_is_chunked(runs: list[tuple[float, int]], extra: int, cuts: list[int]) -> None:
    samples = audio(*runs, extra=extra)
    cutter = UtteranceCutter(LoudnessVad(), POLICY)
    events: list[CutterEvent] = []
    decided = 0
    for chunk in np.split(samples, sorted(cut for cut in cuts if cut < len(samples))):
        new = cutter.feed(chunk)
        assert all(event.start >= decided for event in utterances(new))
        assert cutter.decided >= decided
        decided = cutter.decided
        if cutter.open is not None:
            assert cutter.open.start == decided
            assert np.array_equal(cutter.open.samples, samples[cutter.open.start : cutter.open.end])
        events += new
    events += cutter.finish()
    assert facts(events) == facts(run(samples))
