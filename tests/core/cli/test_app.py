from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from debabelizer import __version__
from debabelizer.cli import main

Run = Callable[..., Any]
Record = Callable[[str, str], str]


def test_version(run: Run) -> None:
    assert run("--version").out == f"debabelizer {__version__}\n"


@pytest.mark.parametrize(
    "verb",
    ["transcribe", "stream", "compare", "providers", "config show", "config check", "doctor", "demo failover"],
)
def test_every_verb_has_help(run: Run, verb: str) -> None:
    result = run(*verb.split(), "--help")
    assert result.code == 0
    assert f"debabelizer {verb}" in result.out
    assert all(option in result.out for option in ("--config", "--profile", "--set", "--verbose"))


def test_help_is_wrapped_to_the_terminal_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    out = run("stream", "--help").out
    assert "what is final stays. In a pipe there is a line for each utterance as soon as it is over. Everything" in out
    assert " stream [OPTIONS] [FILE] " in out


def test_help_shows_verbs_and_the_commands_of_plugins(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    for name in ("transcribe", "stream", "providers", "config", "doctor", "squawk"):
        assert f" {name} " in result.out
    assert "$ debabelizer transcribe meeting.m4a" in result.out


def test_help_tells_of_a_plugin_s_command_that_cannot_be_built(run: Run) -> None:
    result = run("--help")
    assert "crooked" not in result.out
    assert "warning: Plugin 'parrot_plugin' has a command that cannot be used: " in result.err


def test_without_a_verb_there_is_help(run: Run) -> None:
    assert "transcribe" in run().out


def test_a_plugin_s_command(run: Run) -> None:
    result = run("squawk", "hello")
    assert (result.code, result.out) == (0, "HELLO\n")


def test_a_plugin_does_not_take_a_verb(run: Run) -> None:
    assert "stolen" not in run("doctor").out
    result = run("--help")
    assert result.out.count(" doctor ") == 1
    assert "warning: A plugin's command 'doctor' is passed over: there is one of that name." in result.err


def test_a_disabled_plugin_has_no_commands(run: Run) -> None:
    result = run("--set", "plugins.disable=parrot", "squawk", "hello")
    assert result.code == 2
    assert "No such command 'squawk'" in result.err


def test_a_plugin_that_fails_to_register_costs_nobody_else_anything(
    run: Run, record: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "site/parrot_plugin.py"
    source.write_text(source.read_text().replace("@cli.command()\n    def squawk", "1 / 0\n    def squawk"))
    result = run("--help")
    assert (result.code, "transcribe" in result.out) == (0, True)
    assert "ZeroDivisionError" in result.err
    result = run("transcribe", record("a.wav", "say Hello."))
    assert (result.code, result.out, result.err) == (0, "Hello.\n", "")


def test_a_verb_with_a_slip(run: Run) -> None:
    result = run("transcibe", "a.wav")
    assert result.code == 2
    assert "Did you mean 'transcribe'?" in result.err


def test_a_broken_configuration_does_not_hide_help(run: Run, home: Path) -> None:
    (home / "debabelizer.toml").write_text("[stt\n")
    result = run("--help")
    assert (result.code, "transcribe" in result.out) == (0, True)
    assert result.err.startswith("error: ")
    assert "debabelizer.toml:1:5" in result.err


def test_a_broken_configuration_and_an_unknown_verb(run: Run, home: Path) -> None:
    (home / "debabelizer.toml").write_text("[stt\n")
    result = run("squawk", "hello")
    assert result.code == 2
    assert "debabelizer.toml:1:5" in result.err


def test_an_interrupt_before_any_verb_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("debabelizer.cli.app.run", interrupt)
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 130


def test_the_module_is_the_command(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    out, err = start("--version").communicate()
    assert (out, err) == (f"debabelizer {__version__}\n".encode(), b"")


def test_log_records_are_shown_by_verbosity(run: Run, record: Record) -> None:
    recording = record("a.wav", "log")
    assert run("transcribe", recording).err == "warning: It rains.\n"
    assert run("transcribe", "-v", recording).err.startswith("warning: It rains.\ninfo: It shines.\n")
    assert "debug: debabelizer.parrot: It is dark.\n" in run("transcribe", "-vv", recording).err


def test_secrets_are_not_shown(run: Run, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAGED_API_KEY", "test-key-of-the-cage")
    result = run("transcribe", "-p", "caged", "-vv", record("a.wav", "fail The key test-key-of-the-cage is bad."))
    assert result.code == 1
    assert "The key ********** is bad." in result.err
    assert "test-key" not in result.err
