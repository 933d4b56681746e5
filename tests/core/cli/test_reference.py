from __future__ import annotations

import re
import shlex
import sys
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from debabelizer.cli.app import app
from debabelizer.cli.reference import page, reference
from debabelizer.testing.coded import encode_words, wav

Run = Callable[..., Any]
Record = Callable[[str, str], str]

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    hint = "Type: python -m debabelizer.cli.reference"
    assert page(ROOT) == PAGE.read_text(encoding="utf-8"), hint


def test_every_verb_and_option_is_there() -> None:
    text = reference()
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"`debabelizer {command.callback.__name__.replace('_', '-')}`" in text
    for option, verbs in {"--config": 1, "--audio-format": 3, "--json": 3, "--mic": 1, "--sources": 1}.items():
        assert text.count(f"`{option}`") == verbs


def test_exit_codes_are_those_of_the_program() -> None:
    from debabelizer.cli import report

    told = [int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)]
    assert told == [report.COMPLETE, report.FAILED, report.USAGE, report.INCOMPLETE, report.INTERRUPTED]


EXAMPLES = re.findall(r"^\$ (.*debabelizer (?!stream).*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
LIVE = re.findall(r"^\$ (.*debabelizer stream .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_work(run: Run, record: Record, home: Path, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    for name in ("meeting.m4a", "talk.mp4", "a.mp3", "b.mp3", "call.raw"):
        record(name, "say Hello.")
    (home / "captions").mkdir()
    (home / "debabelizer.toml").write_text("[profiles.captions.stt]\nlanguage_hints = ['es']\n")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(b"say Hello."), isatty=lambda: False))
    words = shlex.split(example.partition("| ")[2] or example.partition(" >")[0], comments=True)
    assert words[0] == "debabelizer"
    arguments = [word.replace("soniox", "parrot") for word in words[1:] if "*" not in word]
    arguments[1:1] = [path.name for word in words if "*" in word for path in home.glob(word)]
    result = run(*arguments)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("example", LIVE)
def test_the_live_examples_work(
    run: Run, soniox: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch, example: str
) -> None:
    soniox()
    audio = encode_words(3)
    for name in ("talk.mp4", "lecture.mp3"):
        (home / name).write_bytes(wav(audio))
    stdin = audio if "--audio-format" in example else wav(audio)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(stdin), isatty=lambda: False))
    monkeypatch.setattr("debabelizer.audio.microphone.microphone", lambda **_: heard(audio))
    result = run(*shlex.split(re.sub(r".*\| | >.*", "", example), comments=True)[1:])
    assert (result.code, result.err) == (0, "")
    assert "word2" in result.out


async def heard(audio: bytes) -> AsyncIterator[bytes]:
    yield audio


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5
    assert len(LIVE) > 3
