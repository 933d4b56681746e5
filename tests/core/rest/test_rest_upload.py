from __future__ import annotations

import array
import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from debabelizer_soniox.upload import Upload, Watch, is_container, prepared

from debabelizer import AudioFormat, AudioSource, AudioSourceError, InvalidRequestError
from debabelizer.audio.wav import header
from debabelizer.testing.coded import encode_words, wav

SPEECH = encode_words(12)
RECORDINGS = Path(__file__).parents[3] / "tests" / "audio"


def uploaded(source: Any, **options: Any) -> tuple[Upload, bytes]:
    async def main() -> tuple[Upload, bytes]:
        async with prepared(AudioSource.of(source, **options), "mark") as upload:
            return upload, b"".join([block async for block in upload])

    return asyncio.run(main())


def test_a_file_goes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(wav(SPEECH))
    upload, sent = uploaded(path)
    assert sent == wav(SPEECH)
    assert (upload.filename, upload.complete) == ("speech.wav", True)


def test_a_file_in_another_container_is_decoded(tmp_path: Path) -> None:
    samples = array.array("h", SPEECH)
    samples.byteswap()
    path = tmp_path / "speech.au"  # Sun's format: Soniox does not document it
    path.write_bytes(struct.pack(">4s5I", b".snd", 24, len(SPEECH), 3, 16000, 1) + samples.tobytes())
    upload, sent = uploaded(path)
    assert sent == header(AudioFormat()) + SPEECH
    assert upload.filename == "speech.wav"


def test_a_file_that_is_too_large_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stereo = encode_words(12, AudioFormat("pcm_s16le", 48000, 2))
    path = tmp_path / "large.wav"
    path.write_bytes(wav(stereo, AudioFormat("pcm_s16le", 48000, 2)))
    monkeypatch.setattr("debabelizer_soniox.upload.LARGEST_FILE", 200_000)
    _, sent = uploaded(path)
    assert len(sent) == pytest.approx(44 + len(stereo) / 6, abs=100)


def test_bytes_that_are_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer_soniox.upload.LARGEST_FILE", 100_000)
    with pytest.raises(InvalidRequestError, match="more than 100000 bytes"):
        uploaded(wav(SPEECH))


@pytest.mark.parametrize("blocks", [[b"1234"], [b"1234", b"5678", b"9"]])
def test_a_file_that_changes_on_the_way_is_noticed(blocks: list[bytes]) -> None:
    async def main() -> None:
        async def rest() -> AsyncIterator[bytes]:
            for block in blocks:
                yield block

        upload = Upload(b"head", rest(), filename="a.wav", mark="mark", size=12)
        with pytest.raises(AudioSourceError, match="changed"):
            async for _ in upload:
                pass
        assert not upload.complete
        assert isinstance(upload.error, AudioSourceError)

    asyncio.run(main())


def test_audio_without_a_header_gets_one() -> None:
    audio_format = AudioFormat("mulaw", 8000)
    upload, sent = uploaded(b"\x7f" * 100, audio_format=audio_format)
    assert sent == header(audio_format, 100) + b"\x7f" * 100
    assert upload.filename.endswith(".wav")


@pytest.mark.parametrize(
    "name",
    ["jfk.wav", "jfk.flac", "jfk.m4a", "jfk.mp3", "jfk.opus.ogg", "jfk.webm", "jfk-alaw-8k.wav", "jfk-float32.wav"],
)
def test_documented_containers_are_known(name: str) -> None:
    assert is_container((RECORDINGS / name).read_bytes()[:100])


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b"\xff\xf1\x50\x80", True),  # AAC in ADTS frames
        (b"#!AMR-WB\n", True),
        (b"FORM\0\0\0\0AIFC", True),
        (bytes.fromhex("3026b2758e66cf11a6d9"), True),  # ASF
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", True),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", False),
        (b"RIFF\0\0\0\0AVI ", False),
        (b".snd", False),
        (b"", False),
        (b"\xff", False),
    ],
)
def test_containers_are_known_by_their_first_bytes(head: bytes, known: bool) -> None:
    assert is_container(head) is known


def test_a_watch_expires_only_when_nothing_moves() -> None:
    async def main() -> list[bool]:
        outcome = []
        async with Watch(0.05) as watch:
            for _ in range(4):
                await asyncio.sleep(0.03)
                watch.touch()
        outcome.append(watch.expired)
        async with Watch(0.01) as watch:
            watch.pause()  # our own source is slow
            await asyncio.sleep(0.05)
            watch.touch()
        outcome.append(watch.expired)
        with pytest.raises(TimeoutError):
            async with Watch(0.01) as watch:
                await asyncio.sleep(5)
        outcome.append(watch.expired)
        watch.touch()  # too late, and no matter
        return outcome

    assert asyncio.run(main()) == [False, False, True]
