"""What only a process of its own can show: signals, pipes that break, full devices, terminals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., "subprocess.Popen[bytes]"]
Record = Callable[[str, str], str]


class TestInterrupt:
    def test_it_leaves_nothing(self, start: Start, record: Record, home: Path) -> None:
        process = start("transcribe", record("a.wav", "hang"), record("b.wav", "say Hello."), "-o", "all.txt")
        assert process.stdout is not None
        assert process.stdout.readline() == b"hanging\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == (b"", b"")
        assert process.returncode == 130
        assert sorted(path.name for path in home.iterdir()) == ["a.wav", "b.wav"]

    def test_what_is_done_stays(self, start: Start, record: Record, home: Path) -> None:
        process = start("transcribe", record("a.wav", "say Hello."), record("b.wav", "hang"), "-o", ".")
        assert process.stdout is not None
        assert process.stdout.readline() == b"hanging\n"
        while not (home / "a.txt").exists():
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        assert process.communicate() == (b"", b"")
        assert process.returncode == 130
        assert (home / "a.txt").read_text() == "Hello.\n"

    def test_waiting_for_standard_input_ends_too(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PARROT_SAYS_WHEN_IT_LISTENS", "1")
        process = start("transcribe", "-", stdin=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


class TestPipes:
    def test_standard_input(self, start: Start) -> None:
        process = start("transcribe", "-", stdin=subprocess.PIPE)
        assert process.communicate(b"say Hello.") == (b"Hello.\n", b"")
        assert process.returncode == 0

    def test_a_pipe_gets_no_progress_and_utf_8(
        self, start: Start, record: Record, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONIOENCODING", "ascii")
        monkeypatch.setenv("FORCE_COLOR", "1")
        process = start("transcribe", record("a.wav", "say 你好."))
        assert process.communicate() == ("你好.\n".encode(), b"")

    def test_a_reader_that_leaves_is_no_fault(self, start: Start, record: Record) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        process = start("transcribe", record("a.wav", "say Hello."), record("b.wav", "hang"), stdout=writing)
        os.close(writing)
        assert process.communicate() == (None, b"")
        assert process.returncode == 1

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_full_device_is_told_once(self, start: Start, record: Record) -> None:
        with Path("/dev/full").open("w") as full:
            process = start("transcribe", record("a.wav", "say Hello."), stdout=full)
            told = b"error: Cannot write to standard output: No space left on device.\n"
            assert process.communicate() == (None, told)
        assert process.returncode == 1


class TestTerminal:
    def test_a_progress_bar(self, start: Start, record: Record, terminal: Any) -> None:
        process = start("transcribe", record("[red]a.wav", "hang"), stderr=terminal.descriptor)
        shown = terminal.read_until("25%")
        assert "[red]a.wav" in shown
        assert "recordings" not in shown
        process.send_signal(signal.SIGINT)
        assert process.communicate() == (b"hanging\n", None)
        assert process.returncode == 130
        after = terminal.read_all()[len(shown) :]
        assert "\x1b[2K" in after  # the bar is gone
        assert "\x1b[?25h" in after  # and the cursor back

    def test_several_have_one_for_all(self, start: Start, record: Record, terminal: Any) -> None:
        process = start("transcribe", record("a.wav", "hang"), record("b.wav", "hang"), stderr=terminal.descriptor)
        terminal.read_until("2 recordings")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130

    def test_a_comparison_says_who_is_at_work(self, start: Start, record: Record, terminal: Any) -> None:
        process = start(
            "compare", record("a.wav", "say Hello."), "--providers", "mute,parrot", stderr=terminal.descriptor
        )
        process.communicate()
        shown = terminal.read_all()
        assert 0 <= shown.index("mute: a.wav") < shown.index("parrot: a.wav")
        assert process.returncode == 0

    def test_results_and_errors_stand_clear_of_the_bars(self, start: Start, record: Record, terminal: Any) -> None:
        files = [record("a.wav", "say Hello."), record("b.wav", "fail No!")]
        process = start("transcribe", *files, stdout=terminal.descriptor, stderr=terminal.descriptor)
        process.wait()
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.read_all()).replace("\r", "\n").splitlines()
        assert [line for line in lines if line in ("==> a.wav <==", "Hello.")] == ["==> a.wav <==", "Hello."]
        assert [line for line in lines if "error" in line] == ["error: b.wav: parrot: No!"]

    def test_a_terminal_that_cannot_move_gets_none(
        self, start: Start, record: Record, terminal: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TERM", "dumb")
        process = start("transcribe", record("a.wav", "say Hello."), stderr=terminal.descriptor)
        assert process.communicate()[0] == b"Hello.\n"
        assert terminal.read_all() == ""


class TestFaults:
    def test_a_fault_of_the_program_is_one_line(self, start: Start, record: Record) -> None:
        process = start("transcribe", record("a.wav", "crash Oh"))
        out, err = process.communicate()
        assert (process.returncode, out) == (1, b"")
        assert err == (
            b"error: RuntimeError: Oh\n"
            b"This is a fault of the program. Run it again with -vv to see where it comes from.\n"
        )

    def test_those_who_look_into_it_see_where_it_comes_from(self, start: Start, record: Record) -> None:
        process = start("transcribe", "-vv", record("a.wav", "crash Oh"))
        _, err = process.communicate()
        assert process.returncode == 1
        assert b"Traceback" in err
        assert b"parrot_engine.py" in err

    def test_so_they_do_of_an_error(self, start: Start, record: Record) -> None:
        recording = record("a.wav", "fail No!")
        _, quiet = start("transcribe", recording).communicate()
        _, loud = start("-v", "transcribe", "-v", recording).communicate()
        assert b"Traceback" not in quiet
        assert b"Traceback" in loud
        assert quiet in loud
