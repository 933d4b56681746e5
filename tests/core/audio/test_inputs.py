from __future__ import annotations

import asyncio
import errno
import io
import os
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from debabelizer.audio.inputs import FileInput, Input, checked, opened_file, opened_path, spooled
from debabelizer.audio.link import Link, Stopped
from debabelizer.errors import AudioSourceError


@pytest.fixture
def link():
    with closing(asyncio.new_event_loop()) as loop:
        yield Link(loop)


def once(*chunks: bytes) -> Input:
    supply = iter(chunks)
    return Input("it", lambda _: next(supply, b""))


def test_peeking_consumes_nothing():
    source = once(b"ab", b"cd", b"ef")

    assert [source.peek(3), source.peek(3)] == [b"abc", b"abc"]
    assert [source.read(1), source.read(9), source.read(9), source.read(9)] == [b"a", b"bcd", b"ef", b""]
    assert source.peek(1) == b""


def test_a_chunk_larger_than_asked_for_is_kept():
    source = once(b"abcdef")

    assert [source.read(2) for _ in range(4)] == [b"ab", b"cd", b"ef", b""]


def test_the_tail_is_remembered_only_when_asked_for():
    source = once(b"a" * 70000, b"b" * 10)
    assert source.tail() == b""
    source.keep_tail()
    while source.read():
        pass

    assert source.tail() == b"a" * (65536 - 10) + b"b" * 10


def test_a_file_is_read_from_where_it_stood(link):
    file = io.BytesIO(b"--abcdef")
    source = opened_file(file, 2, "it", link)

    assert isinstance(source, FileInput)
    assert (source.size, source.seekable(), source.tell()) == (6, True, 0)
    assert [source.peek(2), source.read(2), source.read(2)] == [b"ab", b"ab", b"cd"]
    assert (source.seek(1), source.read(1)) == (1, b"b")
    assert (source.seek(1, io.SEEK_CUR), source.read(1)) == (3, b"d")
    assert (source.seek(-1, io.SEEK_END), source.read(1)) == (5, b"f")
    assert source.tail() == b"abcdef"
    assert not file.closed


def test_a_path_is_opened_and_closed(tmp_path, link):
    path = tmp_path / "it"
    path.write_bytes(b"abc")

    with opened_path(path, "it", link) as source:
        assert (source.size, source.read()) == (3, b"abc")
    with pytest.raises(AudioSourceError, match="closed"):
        source.read()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "There is no file it."),
        (lambda path: path.mkdir(), "it is a directory."),
        (lambda path: path.symlink_to(path), "it cannot be read: Too many levels of symbolic links."),
    ],
    ids=["missing", "directory", "loop"],
)
def test_a_path_that_cannot_be_opened(tmp_path, link, make, message):
    make(tmp_path / "it")

    with pytest.raises(AudioSourceError) as caught, opened_path(tmp_path / "it", "it", link):
        pass
    assert (caught.value.message, caught.value.source) == (message, "it")


def test_a_path_without_permission(tmp_path, link, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # for root nothing is forbidden
    with (
        pytest.raises(AudioSourceError, match="permission denied"),
        opened_path(tmp_path, "it", link),
    ):
        pass


def test_a_path_with_a_nul_byte(link):
    with pytest.raises(AudioSourceError, match="cannot be read"), opened_path(Path("a\0b"), "it", link):
        pass


def test_an_address_is_not_fetched(link):
    address = "https://example.org/a.mp3"

    with pytest.raises(AudioSourceError) as caught, opened_path(Path(address), address, link):
        pass
    assert "download" in (caught.value.hint or "")


def test_an_error_while_reading(link):
    class Broken:
        def read(self, size: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(AudioSourceError, match="it cannot be read: Input/output error"):
        opened_file(Broken(), None, "it", link).read()


@pytest.mark.parametrize(("data", "kind"), [("text", "str"), (None, "NoneType"), (7, "int")])
def test_what_is_no_bytes(data, kind):
    with pytest.raises(AudioSourceError, match=f"it gave {kind} where audio bytes are expected"):
        checked(data, "it")


def test_all_kinds_of_bytes_are_taken():
    assert [checked(kind(b"ab"), "it") for kind in (bytes, bytearray, memoryview)] == [b"ab"] * 3


def test_reading_stops_when_told(link):
    source = opened_file(io.BytesIO(b"abc"), 0, "it", link)
    link.stop()

    with pytest.raises(Stopped):
        source.read()


def test_what_is_there_is_given_at_once(link):
    """A pipe that stays open gives what was written, not only full blocks."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file, os.fdopen(writing, "wb", buffering=0) as end:
        end.write(b"abc")

        assert opened_file(file, None, "it", link).read(65536) == b"abc"
    link.close()


class TestSpooled:
    def test_can_be_sought_in(self):
        with spooled(once(b"ab", b"cd")) as source:
            assert (source.size, source.seek(2), source.read()) == (4, 2, b"cd")

    def test_leaves_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

        with pytest.raises(LookupError), spooled(once(b"ab")):
            raise LookupError
        assert list(tmp_path.iterdir()) == []

    def test_says_when_there_is_no_room(self, monkeypatch):
        class Full(io.BytesIO):
            def write(self, data) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())

        with pytest.raises(AudioSourceError, match="No space left on device") as caught, spooled(once(b"ab")):
            pass
        assert "TMPDIR" in (caught.value.hint or "")
