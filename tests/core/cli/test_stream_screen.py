"""What is on a terminal's screen while a stream runs."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console
from support.screen import Screen

from debabelizer.cli.screen import ScreenView
from debabelizer.errors import ConnectionLostError
from debabelizer.results import Reconnected, Reconnecting, StreamingResult


class Shown:
    """A view, and the screen it draws on."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = Screen(width, height)
        self.output = io.StringIO()
        self.console = Console(
            file=self.output, force_terminal=True, width=width, height=height, legacy_windows=False, highlight=False
        )
        self.view = ScreenView(self.console)
        self.writes = 0

    def look(self) -> str:
        self.screen.feed(self.output.getvalue())
        self.output.seek(0)
        self.output.truncate()
        return str(self.screen)

    def interim(self, text: str, **fields: Any) -> str:
        self.view.show(StreamingResult(text=text, is_final=False, **fields))
        return self.look()

    def final(self, text: str, *, ends: bool = False, **fields: Any) -> str:
        self.view.show(StreamingResult(text=text, is_final=True, ends_utterance=ends, **fields))
        return self.look()

    def resize(self, width: int) -> None:
        self.screen.resize(width)
        self.console.width = width


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Shown]]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    made: list[Shown] = []

    def show(width: int = 40, height: int = 10) -> Shown:
        made.append(Shown(width, height))
        made[-1].view.__enter__()
        return made[-1]

    yield show
    for shown in made:
        shown.view.__exit__(None, None, None)
        shown.look()
        assert shown.screen.grey == ""
        assert shown.screen.cursor_is_shown


def test_an_interim_moves_and_a_final_stays(show: Callable[..., Shown]) -> None:
    shown = show()
    assert shown.interim("Hallo") == "Hallo"
    assert shown.screen.grey == "Hallo"
    assert shown.interim("Hello wor") == "Hello wor"
    assert shown.final("Hello") == "Hello"
    assert shown.screen.grey == ""
    assert shown.interim("world") == "Hello world"
    assert shown.screen.grey == " world"
    assert shown.final("world.", ends=True) == "Hello world."
    assert shown.interim("Again") == "Hello world.\nAgain"
    assert shown.screen.grey == "Again"


def test_a_withdrawn_interim_leaves_nothing(show: Callable[..., Shown]) -> None:
    shown = show()
    shown.interim("ghost")
    assert shown.interim("") == ""


def test_a_long_interim_shows_its_end_in_one_row(show: Callable[..., Shown]) -> None:
    shown = show(width=20)
    text = "ask not what your country can do for you"
    for end in range(1, len(text) + 1):
        shown.interim(text[:end])
        assert len(shown.screen.rows) == 1
    assert str(shown.screen) == "…ry can do for you"
    assert shown.final(text, ends=True).replace("\n", "") == text  # the terminal itself wraps what stays


def test_wide_characters_are_counted(show: Callable[..., Shown]) -> None:
    shown = show(width=12)
    assert shown.interim("国家能为你做什么") == "…你做什么"
    assert shown.final("国家能为你做什么") == "国家能为你\n做什么"
    assert shown.interim("更多", separator="") == "国家能为你\n做什么更多"
    assert shown.final("更多", separator="", ends=True) == "国家能为你做\n什么更多"


def test_finals_stay_while_their_line_grows_over_several_rows(show: Callable[..., Shown]) -> None:
    shown = show(width=22)
    text = ""
    for number in range(12):
        shown.interim(f"word{number} and")
        text = f"{text} word{number}".strip()
        assert shown.final(f"word{number}").replace("\n", " ") == text
    assert shown.final("", ends=True).replace("\n", "") == text


def test_on_a_low_terminal_the_end_of_the_line_is_shown(show: Callable[..., Shown]) -> None:
    shown = show(width=22, height=3)
    for number in range(12):
        shown.final(f"word{number}")
        shown.interim("and so on")
    assert str(shown.screen) == "word9 word10 word11\nand so on"
    assert shown.final("", ends=True).replace("\n", "") == " ".join(f"word{number}" for number in range(12))


@pytest.mark.parametrize("width", [39, 21, 20, 13, 8, 60])
def test_a_terminal_that_changes_its_width_keeps_no_ghosts(show: Callable[..., Shown], width: int) -> None:
    shown = show(width=40, height=30)
    shown.final("It was said before.", ends=True)
    shown.final("Several finals stand in this line, so many that it has")
    shown.interim("two rows or more")
    shown.resize(width)
    said = "It was said before. Several finals stand in this line, so many that it has been wrapped."
    assert "".join(shown.final("been wrapped.").split()) == said.replace(" ", "")


def test_what_goes_to_standard_error_stands_above(show: Callable[..., Shown]) -> None:
    shown = show(width=70)
    shown.final("One")
    shown.interim("two")
    sys.stderr.write("warning: It rains.\n")
    assert shown.look() == "warning: It rains.\nOne two"
    assert shown.screen.grey == " two"


def test_reconnects_are_told(show: Callable[..., Shown]) -> None:
    shown = show(width=100)
    shown.interim("two")
    cause = ConnectionLostError("The line is dead.\nReally.", provider="soniox")
    shown.view.show(Reconnecting(attempt=1, provider="soniox", cause=cause, delay=0.25))
    shown.view.show(StreamingResult(text="", is_final=False))
    shown.view.show(Reconnected(attempt=2, provider="soniox", replayed=2.0, gap=1.5))
    assert shown.look().splitlines() == [
        "note: soniox: The line is dead. Really. The next attempt is in 0.2 s.",
        "note: Connected again; 2.0 s of audio are sent once more.",
        "warning: 1.5 s of audio are lost.",
    ]


def test_the_line_that_is_not_over_stays_in_the_end(show: Callable[..., Shown]) -> None:
    shown = show()
    shown.final("Unfinished")
    shown.interim("busi")
    shown.view.__exit__(None, None, None)
    assert shown.look() == "Unfinished"
    assert shown.output.getvalue() == ""


def test_each_change_is_one_write(show: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    shown = show()
    shown.final("One")
    writes: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(shown.output, "write", lambda text: writes.append(text) or len(text))
        shown.view.show(StreamingResult(text="two.", is_final=True, ends_utterance=True))
    assert len(writes) == 1
    assert "One two." in writes[0]


def test_markup_and_control_codes_are_text(show: Callable[..., Shown]) -> None:
    shown = show()
    shown.interim("[red]a\x1b[2Jb")
    assert shown.final("[red]a\x1b[2Jb", ends=True) == "[red]a [2Jb"


def test_no_color_is_respected(show: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = show()
    shown.interim("grey")
    shown.final("black", ends=True)
    assert shown.screen.colours == set()  # grey is made by dimming, which is no colour
