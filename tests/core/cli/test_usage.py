from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from debabelizer.cli.usage import choice_line, tell_choice, tell_usage
from debabelizer.results import Choice, Usage
from debabelizer.testing.coded import encode_words, plan_words, wav

Run = Callable[..., Any]


def test_what_was_given_and_what_it_cost(capsys: pytest.CaptureFixture[str]) -> None:
    tell_usage(
        (
            Usage(provider="a", attempts=2, sent=10.0, replayed=2.0, price_per_hour=0.36),
            Usage(provider="b", sent=0.0, raced=1.26),
            Usage(provider="c", sent=3.0, price_per_hour=0.0),
        )
    )
    assert capsys.readouterr().err.splitlines() == [
        "note: a was given 12.0 s of audio, 2.0 s of it sent again; US$ 0.0012 by its price.",
        "note: b was given 1.3 s of audio, 1.3 s of it sent beside another one; its price is not known.",
        "note: c was given 3.0 s of audio; it costs nothing.",
    ]


def test_a_choice_is_told_if_there_was_one(capsys: pytest.CaptureFixture[str]) -> None:
    choices = (Choice(provider="a", place=1, reason="cheap"), Choice(provider="b", place=None, reason="It is mute."))
    assert [choice_line(choice) for choice in choices] == ["a is number 1: cheap.", "b is not asked: It is mute."]
    tell_choice(choices[:1])
    assert capsys.readouterr().err == ""
    tell_choice(choices)
    assert capsys.readouterr().err.splitlines() == ["note: a is number 1: cheap.", "note: b is not asked: It is mute."]


@pytest.mark.parametrize("verbose", [True, False])
def test_recordings(run: Run, verbose: bool, record: Callable[[str, str], str]) -> None:
    files = [record("a.wav", "say Hello there."), record("b.wav", "fail It is down.")]
    result = run("transcribe", *files, *(["-v"] if verbose else []))
    assert result.code == 1
    assert ("note: parrot was given" in result.err) is verbose


def test_a_stream(run: Run, soniox: Callable[..., Any], home: Path) -> None:
    (home / "speech.wav").write_bytes(wav(encode_words(plan_words(10))))
    soniox()
    result = run("stream", "speech.wav", "--json", "-v")
    assert result.code == 0
    assert "note: soniox was given" in result.err
    closed = json.loads(result.out.splitlines()[-1])
    (usage,) = closed["stats"]["usage"]
    assert (usage["provider"], usage["attempts"]) == ("soniox", 1)
    assert usage["sent"] > 3.0
    assert closed["stats"]["choice"] == [{"provider": "soniox", "place": 1, "reason": "in the configured order"}]


def test_the_doctor_says_in_which_order_and_why(run: Run) -> None:
    result = run("doctor", "--set", 'stt.provider=["parrot", "mute"]', "--set", "stt.prefer=accuracy")
    assert "choice: parrot is number 1: not in [stt.accuracy]." in result.out
    assert "choice: mute is number 2" in result.out
    assert "choice:" not in run("doctor").out
