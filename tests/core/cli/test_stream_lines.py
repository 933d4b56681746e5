from __future__ import annotations

from typing import Any

import pytest

from debabelizer.cli.lines import Lines
from debabelizer.cli.screen import tail
from debabelizer.results import StreamingResult


def final(text: str, *, ends: bool = False, **fields: Any) -> StreamingResult:
    return StreamingResult(text=text, is_final=True, ends_utterance=ends, **fields)


def test_an_utterance_is_a_line() -> None:
    lines = Lines()
    assert lines.add(final("Hello", separator="")) == []
    assert lines.add(final("world.")) == []
    assert lines.rest == "Hello world."
    assert lines.add(final("", ends=True)) == ["Hello world."]
    assert lines.rest == ""
    assert lines.add(final("Yes.", ends=True)) == ["Yes."]


def test_scripts_without_spaces_get_none() -> None:
    lines = Lines()
    lines.add(final("你好"))
    assert lines.add(final("世界", separator="", ends=True)) == ["你好世界"]


def test_nothing_that_ends_is_no_line() -> None:
    assert Lines().add(final("", ends=True)) == []


def test_speakers_have_lines_of_their_own() -> None:
    lines = Lines()
    assert lines.add(final("Yes?", speaker="1")) == []
    assert lines.add(final("No.", speaker="2")) == ["[1] Yes?"]
    assert lines.add(final("Never.", speaker="2", ends=True)) == ["[2] No. Never."]


def test_a_long_line_ends_with_its_sentence() -> None:
    lines = Lines()
    for _ in range(60):
        assert lines.add(final("word")) == []
    assert lines.add(final("end.")) == [" ".join(["word"] * 60) + " end."]


def test_a_very_long_line_just_ends() -> None:
    lines, over = Lines(), []
    for _ in range(200):
        over += lines.add(final("word"))
    assert [len(line) for line in over] == [404, 404]


@pytest.mark.parametrize("mean", ["a\nb", "a\r\n\x1b\x07b", "a\u2028b", "a\x85b", "a\x00b"])
def test_what_moves_a_cursor_or_ends_a_line_is_taken_out(mean: str) -> None:
    assert Lines().add(final(mean, ends=True)) == ["a b"]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("ask not what", 8, "…ot what"),
        ("ask not what", 9, "…not what"),
        ("what your country", 8, "…country"),
        ("你好世界", 8, "你好世界"),
        ("你好世界", 7, "…好世界"),
        ("你好世界", 6, "…世界"),
        ("cafe\u0301s", 3, "…e\u0301s"),
        ("cafe\u0301s", 2, "…s"),
        ("abc", 1, "…"),
        ("abc", 0, "…"),
    ],
)
def test_the_tail_of_a_text(text: str, width: int, shown: str) -> None:
    assert tail(text, width) == shown
