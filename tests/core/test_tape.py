from __future__ import annotations

import numpy as np
import pytest

from debabelizer.audio.tape import Tape


def ramp(start: int, end: int) -> np.ndarray:
    return np.arange(start, end, dtype=np.float32)


def test_positions_survive_forgetting_and_moving() -> None:
    tape = Tape(100)
    for start in range(0, 10_000, 30):
        tape.append(ramp(start, start + 30))
        tape.forget(tape.end - 50)
        assert tape.end == start + 30
        assert np.array_equal(tape.view(max(0, tape.end - 50), tape.end), ramp(max(0, tape.end - 50), tape.end))


def test_memory_follows_what_is_kept_and_not_what_was_heard() -> None:
    tape = Tape(100)
    for start in range(0, 10_000, 30):
        tape.append(ramp(start, start + 30))
        tape.forget(tape.end - 50)
        memory = tape.view(tape.end - 1, tape.end).base
        assert isinstance(memory, np.ndarray)
        assert len(memory) == 100


def test_a_view_is_read_only_costs_no_copy_and_never_changes() -> None:
    tape = Tape(100)
    tape.append(ramp(0, 60))
    view = tape.view(0, 60)
    assert np.shares_memory(view, tape.view(10, 60))
    with pytest.raises(ValueError):
        view[0] = 1.0
    tape.forget(60)
    for start in range(60, 1000, 40):
        tape.append(ramp(start, start + 40))
        tape.forget(start)
    assert np.array_equal(view, ramp(0, 60))


def test_more_than_the_capacity_fits_when_it_is_kept() -> None:
    tape = Tape(10)
    tape.append(ramp(0, 25))
    tape.append(ramp(25, 31))
    assert np.array_equal(tape.view(0, 31), ramp(0, 31))


@pytest.mark.parametrize(("start", "end"), [(4, 8), (5, 11), (8, 7)])
def test_what_is_not_there_cannot_be_viewed(start: int, end: int) -> None:
    tape = Tape(100)
    tape.append(ramp(0, 10))
    tape.forget(5)
    with pytest.raises(IndexError, match="holds 5 to 10"):
        tape.view(start, end)


def test_forgetting_goes_only_forward_and_not_beyond_the_end() -> None:
    tape = Tape(100)
    tape.append(ramp(0, 10))
    tape.forget(5)
    tape.forget(2)
    assert np.array_equal(tape.view(5, 10), ramp(5, 10))
    tape.forget(99)
    tape.append(ramp(10, 20))
    assert np.array_equal(tape.view(10, 20), ramp(10, 20))
