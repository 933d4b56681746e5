from __future__ import annotations

import errno
import io
import os
import stat
import sys
from pathlib import Path

import pytest

from debabelizer.cli.output import plan, write_aside, write_stdout
from debabelizer.cli.report import OutputError, UsageError
from debabelizer.export import BUILT_IN

TEXT, JSON, SRT = BUILT_IN["text"], BUILT_IN["json"], BUILT_IN["srt"]


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class TestStandardOutput:
    @pytest.mark.parametrize("written", [None, "-"])
    def test_one_text_has_no_heading(self, capsys: pytest.CaptureFixture[str], written: str | None) -> None:
        output = plan(written, ["a.wav"], TEXT)
        output.put(0, "Hello.\n")
        output.close()
        assert capsys.readouterr().out == "Hello.\n"

    def test_several_texts_stand_in_order_under_headings(self, capsys: pytest.CaptureFixture[str]) -> None:
        output = plan(None, ["a.wav", "b.wav", "c.wav"], TEXT)
        output.put(1, "Second.\n")
        assert capsys.readouterr().out == ""
        output.put(0, "First.\n")
        assert capsys.readouterr().out == "==> a.wav <==\nFirst.\n\n==> b.wav <==\nSecond.\n"
        output.put(2, "")
        assert capsys.readouterr().out == "\n==> c.wav <==\n"

    def test_a_failed_one_leaves_no_trace(self, capsys: pytest.CaptureFixture[str]) -> None:
        output = plan(None, ["a.wav", "b.wav"], TEXT)
        output.put(1, "Second.\n")
        output.put(0, None)
        assert capsys.readouterr().out == "==> b.wav <==\nSecond.\n"

    def test_json_has_no_headings(self, capsys: pytest.CaptureFixture[str]) -> None:
        output = plan(None, ["a.wav", "b.wav"], JSON)
        output.put(0, "{}\n")
        output.put(1, "[]\n")
        assert capsys.readouterr().out == "{}\n[]\n"

    def test_one_output_cannot_hold_several_subtitles(self) -> None:
        with pytest.raises(UsageError, match=r"One srt output cannot hold 2 recordings.*-o FOLDER/"):
            plan(None, ["a.wav", "b.wav"], SRT)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_full_device_is_told_and_not_told_again_at_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Path("/dev/full").open("w") as full:
            monkeypatch.setattr(sys, "stdout", full)
            with pytest.raises(OutputError, match=r"Cannot write to standard output: No space left"):
                write_stdout("text")

    def test_a_reader_that_left_is_no_error_of_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with open(writing, "w") as pipe:  # noqa: PTH123
            monkeypatch.setattr(sys, "stdout", pipe)
            with pytest.raises(BrokenPipeError):
                write_stdout("text")

    def test_a_closed_stream_without_a_descriptor_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.StringIO()
        monkeypatch.setattr(stream, "write", no_space)
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(OutputError):
            write_stdout("text")


class TestFile:
    def test_it_holds_what_would_have_been_printed(self, in_folder: Path) -> None:
        output = plan("all.txt", ["a.wav", "b.wav"], TEXT)
        output.put(1, "Second.\n")
        output.put(0, "First.\n")
        assert names(in_folder) == []
        output.close()
        assert (in_folder / "all.txt").read_text() == "==> a.wav <==\nFirst.\n\n==> b.wav <==\nSecond.\n"

    def test_nothing_is_written_when_everything_failed(self, in_folder: Path) -> None:
        output = plan("all.txt", ["a.wav"], TEXT)
        output.put(0, None)
        output.close()
        assert names(in_folder) == []

    def test_silence_gives_an_empty_file(self, in_folder: Path) -> None:
        output = plan("all.txt", ["a.wav"], TEXT)
        output.put(0, "")
        output.close()
        assert (in_folder / "all.txt").read_text() == ""

    def test_it_cannot_hold_several_subtitles(self, in_folder: Path) -> None:
        with pytest.raises(UsageError, match="cannot hold 2"):
            plan("all.srt", ["a.wav", "b.wav"], SRT)

    def test_its_folder_must_exist(self, in_folder: Path) -> None:
        with pytest.raises(UsageError, match=r"output folder missing does not exist.*mkdir -p missing"):
            plan("missing/all.txt", ["a.wav"], TEXT)

    def test_it_must_not_be_a_recording(self, in_folder: Path) -> None:
        (in_folder / "a.wav").write_bytes(b"RIFF")
        with pytest.raises(UsageError, match=r"a\.wav is a recording to be transcribed"):
            plan("./a.wav", ["a.wav"], TEXT)


class TestFolder:
    @pytest.mark.parametrize("written", ["out", "out/"])
    def test_each_recording_gets_its_file_when_it_is_done(self, in_folder: Path, written: str) -> None:
        (in_folder / "out").mkdir()
        output = plan(written, ["x/a.b.mp3", "-"], SRT)
        output.put(1, "two")
        assert names(in_folder / "out") == ["stdin.srt"]
        output.put(0, "one")
        output.close()
        assert (in_folder / "out/a.b.srt").read_text() == "one"
        assert (in_folder / "out/stdin.srt").read_text() == "two"

    def test_a_failed_one_gets_none(self, in_folder: Path) -> None:
        output = plan(".", ["a.wav"], TEXT)
        output.put(0, None)
        assert names(in_folder) == []

    def test_it_is_made_when_the_first_is_done(self, in_folder: Path) -> None:
        output = plan("new/", ["a.wav", "b.wav", "c.wav"], TEXT)
        output.put(0, None)
        assert names(in_folder) == []
        output.put(1, "one")
        output.put(2, "two")
        assert names(in_folder / "new") == ["b.txt", "c.txt"]

    def test_where_it_is_to_be_must_exist(self, in_folder: Path) -> None:
        with pytest.raises(UsageError, match=r"output folder missing does not exist.*mkdir -p missing"):
            plan("missing/new/", ["a.wav"], TEXT)

    def test_it_may_be_impossible_to_make(self, in_folder: Path) -> None:
        output = plan("new/", ["a.wav"], TEXT)
        (in_folder / "new").write_text("")
        with pytest.raises(OutputError, match=r"Cannot make the folder new: File exists\."):
            output.put(0, "one")

    def test_it_must_be_a_folder(self, in_folder: Path) -> None:
        (in_folder / "file").write_text("")
        with pytest.raises(UsageError, match=r"output folder file is not a folder"):
            plan("file/", ["a.wav"], TEXT)

    def test_it_must_be_writable(self, in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(UsageError, match=r"output folder \. is not writable"):
            plan(".", ["a.wav"], TEXT)

    def test_two_recordings_do_not_share_a_file(self, in_folder: Path) -> None:
        with pytest.raises(UsageError, match=r"x/a\.wav and y/a\.mp3 would both be written to a\.txt"):
            plan(".", ["x/a.wav", "y/a.mp3"], TEXT)

    def test_the_same_recording_twice_is_the_same_slip(self, in_folder: Path) -> None:
        with pytest.raises(UsageError, match="would both be written"):
            plan(".", ["a.wav", "a.wav"], TEXT)

    def test_no_file_must_be_a_recording(self, in_folder: Path) -> None:
        (in_folder / "a.txt").write_text("")
        with pytest.raises(UsageError, match=r"a\.txt is a recording to be transcribed"):
            plan(".", ["a.txt"], TEXT)


class TestWriteAside:
    def test_it_writes_utf_8(self, tmp_path: Path) -> None:
        write_aside(tmp_path / "out", "你好 \udcff\n")
        assert (tmp_path / "out").read_bytes() == "你好 \\udcff\n".encode()
        assert names(tmp_path) == ["out"]

    def test_new_files_obey_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            write_aside(tmp_path / "out", "")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640

    def test_a_file_that_is_there_keeps_its_permissions(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("old")
        (tmp_path / "out").chmod(0o604)
        write_aside(tmp_path / "out", "new")
        assert (tmp_path / "out").read_text() == "new"
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o604

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_text("old")
        (tmp_path / "out").symlink_to("real")
        write_aside(tmp_path / "out", "new")
        assert (tmp_path / "out").is_symlink()
        assert (tmp_path / "real").read_text() == "new"

    def test_a_named_pipe_is_written_to(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "out")
        reader = os.open(tmp_path / "out", os.O_RDONLY | os.O_NONBLOCK)
        try:
            write_aside(tmp_path / "out", "text")
            assert os.read(reader, 100) == b"text"
        finally:
            os.close(reader)
        assert stat.S_ISFIFO((tmp_path / "out").stat().st_mode)

    @pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.chmod"])
    def test_a_full_disk_leaves_what_was_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        (tmp_path / "out").write_text("old")
        monkeypatch.setattr(call, no_space)
        with pytest.raises(OutputError, match=r"Cannot write .*out: No space left on device\..*untouched"):
            write_aside(tmp_path / "out", "new")
        assert names(tmp_path) == ["out"]
        assert (tmp_path / "out").read_text() == "old"

    def test_an_interrupt_leaves_nothing_half_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_aside(tmp_path / "out", "new")
        assert names(tmp_path) == []

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_full_device_is_told(self) -> None:
        with pytest.raises(OutputError, match="No space left on device"):
            write_aside(Path("/dev/full"), "text")
        assert Path("/dev/full").is_char_device()
