from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

FILE = """
[stt]
language_hints = ["es"]

[providers.caged]
api_key = "test-key-in-a-file"
pitch = 3

[profiles.quiet.stt]
provider = "mute"
"""


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "debabelizer.toml"
    path.write_text(FILE)
    return path


def test_show_is_toml(run: Run, file: Path) -> None:
    result = run("config", "show")
    assert (result.code, result.err) == (0, "")
    shown = tomllib.loads(result.out)
    assert shown["stt"]["provider"] == ["parrot"]
    assert shown["stt"]["language_hints"] == ["es"]
    assert shown["providers"]["caged"]["pitch"] == 3
    assert "# stt.translate_to =\n" in result.out
    assert "test-key" not in result.out


def test_show_says_where_each_setting_was_written(run: Run, file: Path) -> None:
    result = run("config", "show", "--sources", "--set", "stt.interim=false")
    sources = {line.split(" ")[0]: line.partition("  # ")[2] for line in result.out.splitlines()}
    assert sources["stt.provider"] == "environment variable DEBABELIZER_STT__PROVIDER"
    assert sources["stt.language_hints"] == f"{file}:3"
    assert sources["stt.interim"] == "--set"
    assert sources["stt.diarization"] == "default"
    assert tomllib.loads(result.out)["stt"]["interim"] is False


def test_show_takes_a_profile(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBABELIZER_STT__PROVIDER")
    assert 'stt.provider = ["mute"]\n' in run("config", "show", "--profile", "quiet").out


def test_check_is_content(run: Run, file: Path) -> None:
    result = run("config", "check")
    assert (result.code, result.out, result.err) == (0, f"Nothing is wrong with {file}.\n", "")


def test_check_without_a_file(run: Run, home: Path) -> None:
    result = run("config", "check")
    assert (result.code, result.out) == (0, "There is no configuration file: all is default.\n")


def test_check_tells_every_problem(run: Run, file: Path) -> None:
    file.write_text(FILE + '[providers.parrot]\npich = 1\n[providers.mute]\npitch = "high"\n')
    result = run("config", "check")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: 2 problems in the configuration:\n")
    assert "debabelizer.toml:12" in result.err
    assert "debabelizer.toml:14" in result.err
    assert "Did you mean 'pitch'?" in result.err


def test_check_tells_what_does_no_harm_as_a_note(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBABELIZER_STT__PROVIDER")
    file.write_text('[stt]\nprovider = "parrot"\n[profiles.jail.stt]\nprovider = "caged"\n')
    result = run("config", "check")
    assert result.code == 0
    assert result.err.startswith("note: ")
    assert "CAGED_API_KEY" in result.err


@pytest.mark.parametrize("verb", ["show", "check"])
def test_a_file_that_cannot_be_read(run: Run, file: Path, verb: str) -> None:
    file.write_text("[stt\n")
    result = run("config", verb)
    assert (result.code, result.out) == (2, "")
    assert "debabelizer.toml:1:5" in result.err


def test_two_files_in_one_folder(run: Run, file: Path, home: Path) -> None:
    (home / "pyproject.toml").write_text("[tool.debabelizer]\n")
    result = run("config", "check")
    assert (result.code, result.out) == (2, "")
    assert "two configurations" in result.err


def test_faults_of_the_configuration_and_of_a_providers_table_are_told_together(run: Run, home: Path) -> None:
    file = home / "debabelizer.toml"
    file.write_text('[sst]\nx = 1\n[providers.caged]\napi_kee = "hidden-value"\n')
    result = run("config", "check")
    assert result.code == 2
    assert "sst: there is no such key" in result.err
    assert "providers.caged.api_kee" in result.err
    assert "hidden-value" not in result.err + result.out
