from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debabelizer.rest.answers import Event, EventReader, LineReader


def read(reader: LineReader | EventReader, pieces: Iterable[bytes]) -> list[str] | list[Event]:
    return [item for piece in pieces for item in reader.feed(piece)] + reader.finish()  # type: ignore[operator,return-value]


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_end_in_three_ways_wherever_they_are_cut(size: int) -> None:
    assert read(LineReader(), cut("ä\nb\r\nc\r\rd".encode(), size)) == ["ä", "b", "c", "", "d"]
    assert read(LineReader(), cut(b"a\r\n", size)) == ["a"]
    assert read(LineReader(), cut(b"a\r", size)) == ["a"]
    assert read(LineReader(), []) == []


def test_what_is_no_utf8_is_replaced() -> None:
    assert read(LineReader(), [b"\xff\n\xc3"]) == ["�", "�"]


@given(st.text(st.characters(exclude_characters="\r", codec="utf-8")), st.lists(st.integers(1, 7)))
def test_lines_are_those_of_the_text(text: str, sizes: list[int]) -> None:
    data, pieces = text.encode(), []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    assert "\n".join(read(LineReader(), [*pieces, data])) == text.removesuffix("\n")  # type: ignore[arg-type]


STREAM = b"""\xef\xbb\xbf: a comment
event: transcript.text.delta
data: {"delta":
data:  "Hello"}
id: 1

data:no space
retry: 100
unknown: x
data

event: forgotten

id: nul\0l
data: last

data: cut off"""

EVENTS = [
    Event('{"delta":\n "Hello"}', "transcript.text.delta", "1"),
    Event("no space\n", id="1"),
    Event("last", id="1"),
]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_are_made_as_the_standard_says(size: int, end: bytes) -> None:
    assert read(EventReader(), cut(STREAM.replace(b"\n", end), size)) == EVENTS


def test_an_event_needs_its_blank_line() -> None:
    assert read(EventReader(), [b"data: x\n"]) == []
    assert read(EventReader(), [b"data: x\n\n"]) == [Event("x")]


def test_a_line_in_many_pieces_is_put_together_once() -> None:
    reader = LineReader()
    for _ in range(100_000):
        assert reader.feed(b"x") == []
    assert reader.feed(b"\n") == ["x" * 100_000]
