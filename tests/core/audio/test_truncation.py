from __future__ import annotations

import io
import struct

import pytest

from debabelizer.audio import truncation
from debabelizer.audio.inputs import FileInput


def source(data: bytes) -> FileInput:
    file = io.BytesIO(data)
    return FileInput("it", file, file.read)


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


@pytest.mark.parametrize(
    ("head", "is_mp4"),
    [(b"\0\0\0\x18ftypM4A ", True), (b"\0\0\0\x18moov", True), (b"RIFF\0\0\0\0WAVE", False), (b"", False)],
)
def test_the_mp4_family_is_known_by_its_first_box(head, is_mp4):
    assert is_mp4 is truncation.is_mp4(head)


@pytest.mark.parametrize(
    ("data", "has_index"),
    [
        (box(b"ftyp", b"M4A ") + box(b"moov"), True),
        (box(b"ftyp") + box(b"mdat", bytes(1000)) + box(b"moov"), True),
        (box(b"ftyp") + struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(100) + box(b"moov"), True),
        (box(b"ftyp") + box(b"mdat", bytes(1000)), False),
        (box(b"ftyp") + box(b"mdat", bytes(1000))[:500], False),
        (box(b"ftyp") + struct.pack(">I4s", 0, b"mdat") + bytes(100), False),
        (box(b"ftyp") + struct.pack(">I4s", 5, b"mdat") + bytes(100), False),
        (b"", False),
    ],
)
def test_whether_an_mp4_file_has_its_index(data, has_index):
    assert has_index is truncation.has_mp4_index(source(data))


def page(flags: int, body: bytes) -> bytes:
    return b"OggS\0" + bytes([flags]) + bytes(20) + bytes([1, len(body)]) + body


@pytest.mark.parametrize(
    ("tail", "is_whole"),
    [
        (page(0, b"abc") + page(4, b"def"), True),
        (page(4, b"abc") + page(0, b"def"), False),
        (page(0, b"abc") + page(4, b"def")[:-1], False),
        (page(4, b"abc")[:20], False),
        (page(4, b"abc")[:27], False),
        (b"", False),
    ],
)
def test_whether_an_ogg_file_has_its_end(tail, is_whole):
    assert is_whole is truncation.has_ogg_end(tail)


def test_the_end_of_a_real_ogg_file(recordings):
    data = (recordings / "jfk.opus.ogg").read_bytes()

    assert truncation.has_ogg_end(data[-65536:])
    assert not truncation.has_ogg_end(data[:-1])


class TestMp3:
    def test_counts_by_its_own_account(self, recordings):
        assert truncation.mp3_samples(source((recordings / "jfk.mp3").read_bytes())) == 308 * 576

    def test_count_stands_behind_the_tags(self, recordings):
        data = (recordings / "jfk.mp3").read_bytes()
        size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
        bare = data[10 + size :]
        tagged = b"ID3\4\0\0" + bytes([0, 1, 0, 0]) + bytes(1 << 14) + bare

        assert data[:3] == b"ID3"
        assert [truncation.mp3_samples(source(mp3)) for mp3 in (bare, tagged)] == [308 * 576] * 2

    def test_mpeg_1_has_longer_frames(self):
        frame = b"\xff\xfb\x90\x64" + bytes(32) + b"Info" + struct.pack(">II", 3, 7) + bytes(200)

        assert truncation.mp3_samples(source(frame)) == 7 * 1152

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"ID3",
            b"\xff\xfb\x90\x64" + bytes(300),
            b"\xff\xfb\x90\x64" + bytes(32) + b"Info" + struct.pack(">II", 2, 7) + bytes(200),
            b"\xff\xfb\x90\x64" + bytes(32) + b"Xing\0",
            b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(100),
        ],
        ids=["empty", "short", "no count", "count left out", "cut off", "endless tags"],
    )
    def test_without_an_account_there_is_no_count(self, data):
        assert truncation.mp3_samples(source(data)) is None
