"""Live: what only processes show, on terminals and in pipes, with and without Ctrl-C."""

from __future__ import annotations

import fcntl
import json
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.screen import Screen

from debabelizer.testing.coded import encode_words, plan_words, wav
from debabelizer.testing.soniox import Fault, SonioxSimulator

Start = Callable[..., "subprocess.Popen[bytes]"]
Soniox = Callable[..., SonioxSimulator]

PLAN = plan_words(30, length=0.2, gap=0.05, phrase=10, pause=1.0)  # three utterances
AUDIO = encode_words(PLAN)
LINES = [" ".join(f"word{number}" for number in range(first, first + 10)) for first in (0, 10, 20)]
AFTER_TWO = AUDIO[: int(PLAN[25].start * 32000)]  # two utterances, and half of the third

NOTE = "note: No more audio. Press Ctrl-C again to abandon what is not transcribed yet."


def talking(start: Start, audio: bytes, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start to stream from a pipe that stays open after so much audio."""
    process = start("stream", "-", "--audio-format", "pcm_s16le/16000", *arguments, stdin=subprocess.PIPE, **options)
    process.stdin.write(audio)
    process.stdin.flush()
    return process


def lines_of(process: subprocess.Popen[bytes], count: int) -> list[str]:
    return [process.stdout.readline().decode().rstrip("\n") for _ in range(count)]


def squeezed(text: str) -> str:
    """The text without white space, wherever a terminal wrapped it."""
    return "".join(text.split())


class TestPipe:
    def test_lines_come_at_once(self, start: Start, soniox: Soniox) -> None:
        soniox()
        process = talking(start, AFTER_TWO)
        assert lines_of(process, 2) == LINES[:2]  # while the speaker still speaks
        out, err = process.communicate(AUDIO[len(AFTER_TWO) :])
        assert (out.decode().splitlines(), err) == (LINES[2:], b"")
        assert process.returncode == 0

    def test_so_do_events(self, start: Start, soniox: Soniox) -> None:
        soniox()
        process = talking(start, AFTER_TWO, "--json")
        while json.loads(process.stdout.readline()).get("type") != "utterance_ended":
            pass
        assert process.poll() is None

    def test_a_container_is_decoded_as_it_comes(self, start: Start, soniox: Soniox) -> None:
        soniox()
        file = wav(AUDIO)
        process = start("stream", "-", stdin=subprocess.PIPE)
        process.stdin.write(file[: len(AFTER_TWO)])
        process.stdin.flush()
        assert lines_of(process, 2) == LINES[:2]
        out, _ = process.communicate(file[len(AFTER_TWO) :])
        assert (out.decode().splitlines(), process.returncode) == (LINES[2:], 0)

    def test_a_reader_that_leaves_is_no_fault(self, start: Start, soniox: Soniox) -> None:
        soniox()
        process = talking(start, AFTER_TWO)
        assert lines_of(process, 1) == LINES[:1]
        process.stdout.close()
        process.stdin.write(AUDIO[len(AFTER_TWO) :])
        process.stdin.close()
        assert process.wait(30) == 1
        assert process.stderr.read() == b""

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_full_device_is_told_once(self, start: Start, soniox: Soniox, home: Path) -> None:
        soniox()
        (home / "speech.wav").write_bytes(wav(AUDIO))
        with Path("/dev/full").open("w") as full:
            process = start("stream", "speech.wav", stdout=full)
            told = b"error: Cannot write to standard output: No space left on device.\n"
            assert process.communicate() == (None, told)
        assert process.returncode == 1


class TestInterrupt:
    def test_once_ends_the_audio_and_what_was_said_is_transcribed(self, start: Start, soniox: Soniox) -> None:
        soniox()
        process = talking(start, AFTER_TWO)
        lines_of(process, 2)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().decode().split() == LINES[2].split()[:5]
        assert process.wait(30) == 0
        assert process.stderr.read().decode() == f"{NOTE}\n"

    def test_twice_abandons(self, start: Start, soniox: Soniox) -> None:
        soniox(faults=[Fault.ignore_end()], stream={"drain_timeout": 600.0})
        process = talking(start, AFTER_TWO)
        lines_of(process, 2)
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().decode() == f"{NOTE}\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        rest = process.stdout.read().decode().split()
        assert rest == LINES[2].split()[: len(rest)]
        assert process.stderr.read() == b""

    def test_what_cannot_be_drained_is_incomplete(self, start: Start, soniox: Soniox) -> None:
        soniox(faults=[Fault.ignore_end(connections="always")], stream={"drain_timeout": 0.2, "max_attempts": 2})
        process = talking(start, AFTER_TWO)
        assert lines_of(process, 2) == LINES[:2]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        assert process.returncode == 3
        assert b"DrainTimeout" in err


class TestTerminal:
    """The screen is 60 wide."""

    @pytest.fixture(autouse=True)
    def size(self, home: Path, terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("COLUMNS")
        monkeypatch.delenv("NO_COLOR", raising=False)
        fcntl.ioctl(terminal.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))

    @staticmethod
    def screen(output: str) -> Screen:
        screen = Screen(60, 24)
        screen.feed(output)
        return screen

    def test_interims_move_and_finals_stay(self, start: Start, soniox: Soniox, terminal: Any) -> None:
        soniox()
        process = talking(start, AFTER_TWO, stdout=terminal.descriptor, stderr=terminal.descriptor)
        shown = terminal.read_until("word23")
        screen = self.screen(shown[: shown.rindex("\x1b[0m") + 4])
        assert "word23" in screen.grey
        assert squeezed(str(screen)).startswith(squeezed(LINES[0] + LINES[1] + "word20 word21"))
        process.communicate(AUDIO[len(AFTER_TWO) :])
        assert process.returncode == 0
        screen = self.screen(shown + terminal.read_all()[len(shown) :])
        assert str(screen).replace("\n", "") == "".join(LINES)
        assert screen.grey == ""
        assert screen.cursor_is_shown

    def test_a_reconnect_stands_above(self, start: Start, soniox: Soniox, terminal: Any) -> None:
        soniox(faults=[Fault.reset(at=7.5)])
        process = talking(start, AUDIO, stdout=terminal.descriptor, stderr=terminal.descriptor)
        process.communicate()
        assert process.returncode == 0
        text = squeezed(str(self.screen(terminal.read_all())))
        first, second = text.index("note:soniox:Theconnection"), text.index("note:Connectedagain")
        assert text.index(squeezed(LINES[0])) < first < second < text.index(squeezed(LINES[2]))

    def test_ctrl_c(self, start: Start, soniox: Soniox, terminal: Any) -> None:
        soniox()
        process = talking(start, AFTER_TWO, stdout=terminal.descriptor, stderr=terminal.descriptor)
        terminal.read_until("word23")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        screen = self.screen(terminal.read_all())
        said = squeezed(str(screen)).partition(squeezed(NOTE))[2]
        assert said.startswith(squeezed(" ".join(LINES[2].split()[:4])))  # a word more, if it was sent by then
        assert (screen.grey, screen.cursor_is_shown) == ("", True)

    def test_no_interim(self, start: Start, soniox: Soniox, terminal: Any) -> None:
        soniox()
        process = talking(start, AUDIO, "--no-interim", stdout=terminal.descriptor)
        process.communicate()
        shown = terminal.read_all()
        assert "\x1b[2m" not in shown
        assert str(self.screen(shown)).replace("\n", "") == "".join(LINES)

    def test_no_color(self, start: Start, soniox: Soniox, terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        soniox()
        talking(start, AUDIO, stdout=terminal.descriptor).communicate()
        screen = self.screen(terminal.read_all())
        assert screen.colours == set()
        assert str(screen).replace("\n", "") == "".join(LINES)

    def test_a_terminal_that_cannot_move_gets_lines(
        self, start: Start, soniox: Soniox, terminal: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TERM", "dumb")
        soniox()
        talking(start, AUDIO, stdout=terminal.descriptor).communicate()
        assert terminal.read_all().splitlines() == LINES
