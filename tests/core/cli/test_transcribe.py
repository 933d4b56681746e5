from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Run = Callable[..., Any]
Record = Callable[[str, str], str]


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put bytes into standard input."""

    def piped(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))

    return piped


class TestOutput:
    def test_the_text_of_one_recording(self, run: Run, record: Record) -> None:
        result = run("transcribe", record("a.wav", "say Hello there."))
        assert (result.code, result.out, result.err) == (0, "Hello there.\n", "")

    def test_several_come_in_the_order_given(self, run: Run, record: Record) -> None:
        files = [record("a.wav", "wait"), record("b.wav", "release"), record("c.wav", "say Third.")]
        result = run("transcribe", *files)
        assert (result.code, result.err) == (0, "")
        assert result.out == "==> a.wav <==\n\n==> b.wav <==\n\n==> c.wav <==\nThird.\n"

    def test_json_is_one_object_a_line(self, run: Run, record: Record) -> None:
        result = run("transcribe", "-f", "json", record("a.wav", "say One."), record("b.wav", "say Two."))
        first, second = map(json.loads, result.out.splitlines())
        assert list(first) == ["file", "text", "segments", "words", "language", "duration", "provider"]
        assert (first["file"], first["text"], first["provider"]) == ("a.wav", "One.", "parrot")
        assert (second["file"], second["text"]) == ("b.wav", "Two.")

    @pytest.mark.parametrize(("name", "begin"), [("srt", "1\n00:00:00,000 --> "), ("vtt", "WEBVTT\n\n00:00:00.000")])
    def test_subtitles(self, run: Run, record: Record, name: str, begin: str) -> None:
        result = run("transcribe", "--format", name, record("a.wav", "say Hello there."))
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith(begin)

    def test_a_plugin_s_format(self, run: Run, record: Record) -> None:
        result = run("transcribe", "-f", "shout", record("a.wav", "say Hello."))
        assert (result.code, result.out) == (0, "HELLO.")

    def test_a_plugin_s_format_with_a_name_that_cannot_be(self, run: Run, record: Record, tmp_path: Path) -> None:
        source = tmp_path / "site/parrot_plugin.py"
        source.write_text(source.read_text().replace('"broken"', '"../broken"'))
        result = run("transcribe", "-f", "../broken", record("a.wav", "say Hello."))
        assert result.code == 2
        assert "'../broken' is no name for a format" in result.err

    def test_silence_is_complete(self, run: Run, record: Record) -> None:
        result = run("transcribe", record("a.wav", "say"))
        assert (result.code, result.out, result.err) == (0, "", "")

    def test_a_file(self, run: Run, record: Record, home: Path) -> None:
        result = run("transcribe", record("a.wav", "say Hello."), "-o", "a.txt")
        assert (result.code, result.out, result.err) == (0, "", "")
        assert (home / "a.txt").read_text() == "Hello.\n"

    def test_a_folder(self, run: Run, record: Record, home: Path) -> None:
        (home / "out").mkdir()
        result = run("transcribe", record("a.wav", "say One."), record("b.mp3", "say Two."), "-o", "out/", "-f", "srt")
        assert (result.code, result.out, result.err) == (0, "", "")
        assert "One." in (home / "out/a.srt").read_text()
        assert "Two." in (home / "out/b.srt").read_text()
        assert len(list((home / "out").iterdir())) == 2

    def test_names_that_are_no_text_are_written_somehow(self, run: Run, home: Path) -> None:
        name = os.fsdecode(b"\xff.wav")
        try:
            (home / name).write_text("say Hello.")
        except OSError:
            pytest.skip("this file system has no such names")
        result = run("transcribe", "-f", "json", name)
        assert json.loads(result.out)["file"] == name


class TestInput:
    def test_standard_input(self, run: Run, piped: Callable[[bytes], None]) -> None:
        piped(b"say Hello.")
        result = run("transcribe", "-", "-f", "json")
        assert result.code == 0
        assert (json.loads(result.out)["file"], json.loads(result.out)["text"]) == ("-", "Hello.")

    def test_audio_without_a_header(self, run: Run, piped: Callable[[bytes], None]) -> None:
        piped(b"say Hello.")
        result = run("transcribe", "-", "--audio-format", "mulaw/8000")
        assert (result.code, result.out) == (0, "mulaw/8000/1\n")

    def test_an_audio_format_that_cannot_be(self, run: Run) -> None:
        result = run("transcribe", "a.raw", "--audio-format", "mp3")
        assert result.code == 2
        assert result.err == ("error: Unknown audio encoding 'mp3'.\nUse one of pcm_s16le, pcm_f32le, mulaw, alaw.\n")

    def test_standard_input_is_read_once(self, run: Run) -> None:
        result = run("transcribe", "-", "-")
        assert (result.code, result.err) == (2, "error: Standard input can be read only once.\nGive - once.\n")

    def test_standard_input_is_not_typed(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
        result = run("transcribe", "-")
        assert result.code == 2
        assert result.err.startswith("error: Standard input is the keyboard.\n")

    def test_languages_are_handed_on(self, run: Run, record: Record) -> None:
        result = run("transcribe", "-l", "es", "--language", "en", "-f", "json", record("a.wav", "say Hola."))
        assert json.loads(result.out)["language"] == "es"


class TestChoices:
    def test_the_provider(self, run: Run, record: Record) -> None:
        result = run("transcribe", "--provider", "mute", "-f", "json", record("a.wav", "say Hello."))
        assert json.loads(result.out)["provider"] == "mute"

    @pytest.mark.parametrize("place", ["before", "behind"])
    @pytest.mark.parametrize(
        "option", [("--profile", "quiet"), ("--config", "other.toml"), ("--set", "stt.provider=mute")]
    )
    def test_configuration_options_before_and_behind_the_verb(
        self, run: Run, record: Record, home: Path, monkeypatch: pytest.MonkeyPatch, place: str, option: list[str]
    ) -> None:
        monkeypatch.delenv("DEBABELIZER_STT__PROVIDER")
        (home / "debabelizer.toml").write_text('[stt]\nprovider = "parrot"\n[profiles.quiet.stt]\nprovider = "mute"\n')
        (home / "other.toml").write_text('[stt]\nprovider = "mute"\n')
        verb = ["transcribe", "-f", "json", record("a.wav", "say Hello.")]
        result = run(*option, *verb) if place == "before" else run(*verb, *option)
        assert (result.code, json.loads(result.out)["provider"]) == (0, "mute")

    def test_behind_the_verb_is_stronger(self, run: Run, record: Record) -> None:
        recording = record("a.wav", "say Hello.")
        result = run(
            "--set", "stt.provider=nobody", "transcribe", "--set", "stt.provider=mute", "-f", "json", recording
        )
        assert (result.code, json.loads(result.out)["provider"]) == (0, "mute")


class TestFailure:
    def test_one_bad_recording_does_not_keep_the_others_from_being_done(self, run: Run, record: Record) -> None:
        result = run(
            "transcribe", record("a.wav", "say One."), record("b.wav", "fail No!"), record("c.wav", "say Two.")
        )
        assert result.code == 1
        assert result.out == "==> a.wav <==\nOne.\n\n==> c.wav <==\nTwo.\n"
        assert result.err == "error: b.wav: parrot: No!\nTry later.\n"

    @pytest.mark.parametrize("prepare", [lambda path: None, Path.mkdir, Path.touch], ids=["missing", "folder", "empty"])
    def test_what_cannot_be_read_is_a_failure(self, run: Run, home: Path, prepare: Callable[[Path], None]) -> None:
        prepare(home / "a.wav")
        result = run("transcribe", "a.wav")
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("error: ")
        assert result.err.count("a.wav") == 1

    def test_what_broke_off_is_incomplete(self, run: Run, record: Record) -> None:
        result = run("transcribe", record("a.wav", "break"))
        assert result.code == 3
        assert result.err.startswith(
            "error: a.wav: Broke off.\n  audio: 2.00 s accepted, 2.00 s sent, 1.00 s confirmed"
        )

    def test_a_failure_weighs_more_than_what_is_incomplete(self, run: Run, record: Record) -> None:
        scripts = [record("a.wav", "break"), record("b.wav", "fail No!"), record("c.wav", "break")]
        assert run("transcribe", *scripts).code == 1

    def test_warnings_are_told(self, run: Run, record: Record) -> None:
        result = run("transcribe", record("a.wav", "warn The recording is cut off."))
        assert (result.code, result.out, result.err) == (0, "", "warning: a.wav: The recording is cut off.\n")

    def test_a_full_disk_leaves_nothing(
        self, run: Run, record: Record, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_space(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", no_space)
        result = run("transcribe", record("a.wav", "say Hello."), "-o", "a.txt")
        assert result.code == 1
        assert result.err.startswith("error: Cannot write a.txt: No space left on device.\n")
        assert [path.name for path in home.iterdir()] == ["a.wav"]

    def test_a_fault_of_the_program_passes(self, run: Run, record: Record) -> None:
        with pytest.raises(RuntimeError, match="Oh"):
            run("transcribe", record("a.wav", "crash Oh"))


class TestUsage:
    """Whatever is wrong with the command or the configuration ends the program before any work."""

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ("a.wav -p parrott", "error: There is no provider 'parrott'.\nDid you mean 'parrot'?"),
            ("a.wav -p soniox", "error: Provider 'soniox' cannot be used."),
            ("a.wav --profile quit", "Did you mean 'quiet'?"),
            ("a.wav -f srr", "error: There is no format 'srr'.\nDid you mean srt?"),
            ("a.wav -f xyzzy", "error: There is no format 'xyzzy'.\nThere are text, json, srt, vtt, shout, broken."),
            ("a.wav -f broken", "error: Plugin 'broken' failed to write a transcript: ZeroDivisionError"),
            ("a.wav -l fr", "error: Provider 'parrot' does not understand fr."),
            ("a.wav -p mute -f srt", "error: Provider 'mute' does not meet require = words."),
            ("a.wav -p caged", "CAGED_API_KEY"),
            ("a.wav -o missing/a.txt", "error: The output folder missing does not exist.\nCreate it first"),
            ("a.wav a.wav -f srt", "error: One srt output cannot hold 2 recordings.\nWrite to a folder: -o FOLDER/"),
            ("a.wav --set stt.providr=parrot", "Did you mean 'provider'?"),
            ("a.wav --config missing.toml", "missing.toml"),
            ("a.wav --nonsense", "No such option: --nonsense"),
            ("", "Missing argument"),
        ],
    )
    def test_it_is_told(self, run: Run, record: Record, home: Path, arguments: str, told: str) -> None:
        (home / "debabelizer.toml").write_text('[profiles.quiet.stt]\nprovider = "mute"\n')
        record("a.wav", "say Hello.")
        result = run("transcribe", *arguments.split())
        assert (result.code, result.out) == (2, "")
        assert told in result.err
        assert "Traceback" not in result.err

    def test_it_is_told_once_for_all_recordings(self, run: Run, record: Record) -> None:
        result = run("transcribe", "-p", "parrott", record("a.wav", "say One."), record("b.wav", "say Two."))
        assert (result.code, result.out) == (2, "")
        assert result.err.count("There is no provider 'parrott'.") == 1

    def test_a_configuration_that_is_no_toml(self, run: Run, record: Record, home: Path) -> None:
        (home / "debabelizer.toml").write_text("[stt\n")
        result = run("transcribe", record("a.wav", "say Hello."))
        assert (result.code, result.out) == (2, "")
        assert "debabelizer.toml:1:5" in result.err

    def test_all_problems_are_told_at_once(self, run: Run, record: Record) -> None:
        result = run("transcribe", record("a.wav", "say"), "--set", "stt.a=1", "--set", "stt.b=2")
        assert result.code == 2
        assert result.err.startswith("error: 2 problems in the configuration:\n  --set: stt.a: ")
