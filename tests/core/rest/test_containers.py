from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from debabelizer.rest.containers import Container, content_type, recognised, with_suffix

RECORDINGS = Path(__file__).parents[2] / "audio"


@pytest.mark.parametrize(
    ("name", "container"),
    [
        ("jfk.wav", "wav"),
        ("jfk.flac", "flac"),
        ("jfk.m4a", "mp4"),
        ("jfk.mp3", "mp3"),
        ("jfk.opus.ogg", "ogg"),
        ("jfk.webm", "webm"),
        ("jfk-alaw-8k.wav", "wav"),
        ("goforward.raw", None),
    ],
)
def test_real_recordings_are_recognised(name: str, container: Container | None) -> None:
    assert recognised((RECORDINGS / name).read_bytes()[:100]) == container
    assert container is None or with_suffix(name, container) == name


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\xff\xf1\x50\x80", "aac"),  # ADTS frames
        (b"\xff\xf9\x50\x80", "aac"),
        (b"ADIF", "aac"),
        (b"\xff\xfb\x90\x64", "mp3"),  # MPEG 1
        (b"\xff\xf3\x40\xc4", "mp3"),  # MPEG 2
        (b"ID3\x04", "mp3"),
        (b"#!AMR-WB\n", "amr"),
        (b"FORM\0\0\0\0AIFC", "aiff"),
        (b"RF64\0\0\0\0WAVE", "wav"),
        (bytes.fromhex("3026b2758e66cf11a6d9"), "asf"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "matroska"),
        (b".snd", "au"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"FORM\0\0\0\0ILBM", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_containers_are_known_by_their_first_bytes(head: bytes, container: Container | None) -> None:
    assert recognised(head) == container


def test_every_container_has_a_type_and_a_suffix() -> None:
    for container in get_args(Container):
        assert content_type(container).startswith("audio/")
        assert with_suffix("audio", container).startswith("audio.")
    assert content_type(None) == "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        ("a.MP4", "mp4", "a.MP4"),
        ("a.m4a", "mp4", "a.m4a"),
        ("a.bin", "wav", "a.wav"),
        ("audio", "ogg", "audio.ogg"),
        ("a.bin", None, "a.bin"),
    ],
)
def test_a_name_gets_the_suffix_of_its_container(name: str, container: Container | None, expected: str) -> None:
    assert with_suffix(name, container) == expected
