from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debabelizer.audio.format import AudioFormat
from debabelizer.streaming.journal import AudioJournal

FORMAT = AudioFormat("pcm_s16le", 1000, 1)


def journal(seconds: float = 10.0, size: int = 1_000_000) -> AudioJournal:
    return AudioJournal(FORMAT, seconds=seconds, size=size)


def frames(first: int, count: int) -> bytes:
    return b"".join(value.to_bytes(2, "little") for value in range(first, first + count))


def test_positions_are_frames_since_the_start_whatever_was_forgotten() -> None:
    held = journal()
    held.append(frames(0, 300), 0.0)
    held.append(frames(300, 200), 0.1)
    assert held.accepted == 500
    assert held.confirm(120)
    assert (held.oldest, held.confirmed, held.accepted) == (120, 120, 500)
    assert held.read(120, 3) == frames(120, 3)
    assert held.read(499, 100) == frames(499, 1)


def test_confirmed_never_moves_back_and_never_beyond_what_was_accepted() -> None:
    held = journal()
    held.append(frames(0, 100), 0.0)
    assert held.confirm(60)
    assert not held.confirm(40)
    assert not held.confirm(60)
    assert held.confirm(1000)
    assert held.confirmed == 100


@pytest.mark.parametrize(("seconds", "size", "capacity"), [(2.0, 10_000, 4000), (10.0, 999, 998), (0.0, 10_000, 2)])
def test_capacity_is_bounded_in_seconds_and_in_bytes_and_holds_a_frame_at_least(
    seconds: float, size: int, capacity: int
) -> None:
    assert journal(seconds, size).capacity == capacity


def test_forget_makes_just_the_room_needed_and_only_before_the_position_given() -> None:
    held = journal(seconds=1.0)
    held.append(frames(0, 1000), 0.0)
    held.forget(900, size=200)
    assert (held.oldest, held.confirmed) == (100, 0)
    held.forget(150, size=1000)
    assert held.oldest == 150
    held.forget(150, size=1000)
    assert held.oldest == 150
    assert held.read(150, 2) == frames(150, 2)


def test_confirmed_audio_is_kept_for_whoever_needs_it_while_there_is_room() -> None:
    held = journal(1.0)
    held.append(bytes(2000), 0.0)
    held.needed = lambda: 300
    held.confirm(800)
    assert (held.oldest, held.confirmed) == (300, 800)
    held.release(600)  # as much as there is
    assert held.oldest == 300
    held.release(1000)
    assert (held.oldest, held.room) == (500, 1000)
    held.release(2000)  # never audio that is not confirmed
    assert held.oldest == 800


def test_forget_keeps_everything_while_there_is_room() -> None:
    held = journal(seconds=1.0)
    held.append(frames(0, 400), 0.0)
    held.forget(400, size=1200)
    assert held.oldest == 0


def test_arrival_times_are_known_to_within_fifty_milliseconds_of_audio() -> None:
    held = journal()
    for index in range(100):  # 20 ms each, at twice real time
        held.append(frames(index * 20, 20), index * 0.01)
    arrived = held.arrived(1000)
    assert arrived is not None
    assert arrived == pytest.approx(0.49, abs=0.03)
    assert journal().arrived(0) is None


def test_the_position_of_a_time_stays_within_the_audio() -> None:
    held = journal()
    held.append(frames(0, 100), 0.0)
    assert held.position(-1.0) == 0
    assert held.position(0.0501) == 50
    assert held.position(0.05) == 50
    assert held.position(9.0) == 100


def test_hours_of_confirmed_audio_leave_nothing_behind() -> None:
    held = journal()
    for second in range(1, 3601):
        held.append(b"\0\0" * 1000, now=float(second))
        held.confirm(second * 1000 - 500)
    assert sum(map(len, held._chunks)) == 1000
    assert len(held._starts) == len(held._chunks) <= 2
    assert len(held._arrivals) <= 2
    assert held.arrived(3_600_000) == 3600.0


@given(
    sizes=st.lists(st.integers(1, 70), min_size=1, max_size=60),
    cuts=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 4000)), max_size=20),
    reads=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 200)), min_size=1, max_size=30),
)
def test_whatever_is_held_is_read_as_it_was_given(
    sizes: list[int], cuts: list[tuple[int, int]], reads: list[tuple[int, int]]
) -> None:
    """In chunks of any size, short ones put together, with some of it forgotten on the way."""
    held, whole = journal(), b""
    for number, size in enumerate(sizes):
        chunk = b"".join((len(whole) // 2 + frame).to_bytes(2, "big") for frame in range(size))
        held.append(chunk if number % 2 else memoryview(chunk), now=0.0)
        whole += chunk
        for _, position in (cut for cut in cuts if cut[0] == number):
            held.confirm(position)
        assert held.room == held.capacity - (len(whole) - 2 * held.oldest)
        for start, frames in reads:
            position = held.oldest + start % max(held.accepted - held.oldest, 1)
            if position < held.accepted:
                count = min(frames, held.accepted - position)
                assert held.read(position, count) == whole[2 * position : 2 * (position + count)]
    assert sum(map(len, held._chunks)) == len(whole) - 2 * held.oldest
    assert all(len(chunk) >= 2 * 10 for chunk in list(held._chunks)[1:-1])  # ten milliseconds
