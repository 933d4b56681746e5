from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Record = Callable[[str, str], str]


def test_figures_and_differences(run: Run, record: Record, home: Path) -> None:
    (home / "said.txt").write_text("The cat sat on the mat.")
    file = record("a.wav", "say The hat sat down on the mat.")
    result = run("compare", file, "--providers", "parrot,mute", "--reference", "said.txt")
    assert (result.code, result.err) == (0, "")
    head, parrot, mute, _, *words = result.out.splitlines()
    assert head.split("  ")[0] == "provider"
    assert "word error rate" in head
    assert parrot.split()[:6] == ["parrot", "7", "33.3%", "1", "1", "0"]
    assert mute.split()[0] == "mute"
    assert [" ".join(line.split()) for line in words] == [
        "reference The cat sat on the mat.",
        "parrot The [cat→hat] sat [+down] on the mat.",
        "mute The [cat→hat] sat [+down] on the mat.",
    ]


def test_what_was_measured_can_be_written_into_the_configuration(run: Run, record: Record, home: Path) -> None:
    (home / "said.txt").write_text("The cat sat on the mat.")
    file = record("a.wav", "say The hat sat down on the mat.")
    result = run("compare", file, "--providers", "parrot,mute", "--reference", "said.txt", "-v")
    assert 'prefer = "accuracy", accuracy = { parrot = 0.3333, mute = 0.3333 }' in result.err


def test_where_all_agree_it_is_said_once(run: Run, record: Record) -> None:
    result = run("compare", record("a.wav", "say Hello there."), "--providers", "parrot,mute")
    assert (result.code, result.out.splitlines()[-1].split()) == (0, ["all", "Hello", "there."])
    assert "differs" in result.out


def test_in_a_narrow_window_names_stay_whole(run: Run, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer.cli.compare._WIDE", 50)
    lines = run("compare", record("a.wav", "say Hello there."), "--providers", "parrot,mute").out.splitlines()
    assert max(map(len, lines)) <= 50
    assert [line.split()[0] for line in lines if line.startswith(("parrot", "mute"))] == ["parrot", "mute"]


def test_by_default_the_configured_providers(run: Run, record: Record) -> None:
    result = run("compare", record("a.wav", "say Hello."), "--set", "stt.provider=mute")
    assert (result.code, result.out.splitlines()[1].split()[0]) == (0, "mute")


def test_json_and_a_page(run: Run, record: Record, home: Path) -> None:
    result = run("compare", record("a.wav", "say One two."), "--providers", "parrot", "--json", "--html", "a.html")
    assert (result.code, result.err) == (0, "")
    told = json.loads(result.out)
    assert (told["file"], told["baseline"]) == ("a.wav", "parrot")
    parrot = told["providers"][0]
    assert (parrot["text"], parrot["error_rate"], parrot["inserted"]) == ("One two.", 0.0, 0)
    assert "One two." in (home / "a.html").read_text()


def test_some_that_fail_make_it_incomplete(run: Run, record: Record) -> None:
    result = run("compare", record("a.wav", "say Hello."), "--providers", "caged,parrot")
    assert result.code == 3
    assert "CAGED_API_KEY" in result.err
    assert result.out.splitlines()[1].split() == ["caged", "failed"]


def test_all_that_fail_make_it_a_failure(run: Run, record: Record) -> None:
    result = run("compare", record("a.wav", "fail The line is dead."), "--providers", "parrot,mute", "--json")
    assert result.code == 1
    assert [it["error"] for it in json.loads(result.out)["providers"]] == [
        "parrot: The line is dead. Try later.",
        "mute: The line is dead. Try later.",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "--providers", "parrot"], "read once for each provider"),
        (["a.wav", "--providers", " , "], "No provider is named"),
        (["a.wav", "--providers", "parot"], "parrot"),
        (["a.wav", "--reference", "nowhere.txt"], "reference nowhere.txt cannot be read"),
        (["a.wav", "--reference", "latin.txt"], "is not UTF-8 text"),
    ],
)
def test_bad_usage(run: Run, record: Record, home: Path, arguments: list[str], message: str) -> None:
    record("a.wav", "say Hello.")
    (home / "latin.txt").write_bytes(b"caf\xe9")
    result = run("compare", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
