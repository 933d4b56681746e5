from __future__ import annotations

import pytest
from debabelizer_deepgram.silence import AudioClock
from hypothesis import given
from hypothesis import strategies as st

from debabelizer import AudioFormat

FORMAT = AudioFormat(sample_rate=8000)


def audio(seconds: float) -> bytes:
    return b"\1\0" * round(seconds * 8000)


def test_silence_counts_for_the_vendor_only() -> None:
    clock = AudioClock(FORMAT)
    clock.count(audio(1.0))
    assert clock.silence(0.5) == bytes(8000)
    clock.count(audio(1.0))
    assert (clock.sent, clock.total) == (2.0, 2.5)


def test_times_behind_silence_come_earlier_and_those_within_are_where_it_begins() -> None:
    clock = AudioClock(FORMAT)
    clock.count(audio(1.0))
    clock.silence(0.5)
    clock.count(audio(1.0))
    assert [clock.own(at) for at in (0.5, 1.0, 1.25, 1.5, 2.0, 2.5)] == [0.5, 1.0, 1.0, 1.0, 1.5, 2.0]


@pytest.mark.parametrize(("encoding", "byte"), [("mulaw", b"\xff"), ("alaw", b"\xd5"), ("pcm_f32le", b"\0\0\0\0")])
def test_silence_is_silent_in_every_encoding(encoding: str, byte: bytes) -> None:
    assert AudioClock(AudioFormat.of(f"{encoding}/8000")).silence(0.001) == byte * 8


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4000)), max_size=30), st.integers(0, 30))
def test_the_clocks_agree_whatever_was_sent(pieces: list[tuple[bool, int]], forget: int) -> None:
    """Every sample of the user's is found again at its own time, also after old silences were forgotten."""
    clock, own, total = AudioClock(FORMAT), 0, 0
    for number, (silent, frames) in enumerate(pieces):
        if silent:
            clock.silence(frames / 8000)
        else:
            clock.count(bytes(2 * frames))
            own += frames
        total += frames
        if number == forget:
            clock.forget(total / 8000)
        assert clock.own(total / 8000) == pytest.approx(own / 8000)
        if not silent:
            assert clock.own((total - 1) / 8000) == pytest.approx((own - 1) / 8000)
