from __future__ import annotations

import array
import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from debabelizer import AudioError, AudioFormat, AudioSource, AudioSourceError, InvalidRequestError
from debabelizer.audio.wav import header
from debabelizer.rest import Container, Upload, prepared
from debabelizer.testing.coded import encode_words, wav

SPEECH = encode_words(12)
ACCEPTED: set[Container] = {"wav", "flac"}


def uploaded(
    source: Any, *, audio_format: AudioFormat | None = None, largest: int | None = None, **options: Any
) -> tuple[Upload, bytes]:
    async def main() -> tuple[Upload, bytes]:
        audio = AudioSource.of(source, audio_format=audio_format)
        async with prepared(audio, accepts=ACCEPTED, largest=largest, **options) as upload:
            return upload, b"".join([block async for block in upload])

    return asyncio.run(main())


def test_a_file_goes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(wav(SPEECH))
    upload, sent = uploaded(path)
    assert sent == wav(SPEECH)
    assert (upload.filename, upload.content_type, upload.complete) == ("speech.wav", "audio/wav", True)


def sun() -> bytes:
    """Speech in a container that is not accepted."""
    samples = array.array("h", SPEECH)
    samples.byteswap()
    return struct.pack(">4s5I", b".snd", 24, len(SPEECH), 3, 16000, 1) + samples.tobytes()


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_file_in_another_container_is_decoded(tmp_path: Path, in_memory: bool) -> None:
    path = tmp_path / "speech.au"
    path.write_bytes(sun())
    upload, sent = uploaded(sun() if in_memory else path)
    assert sent == header(AudioFormat()) + SPEECH
    assert upload.filename == ("audio.wav" if in_memory else "speech.wav")


def test_the_format_of_what_is_decoded_can_be_chosen() -> None:
    _, sent = uploaded(sun(), decoded=AudioFormat("mulaw", 8000))
    head = header(AudioFormat("mulaw", 8000))
    assert sent.startswith(head)
    assert len(sent) - len(head) == pytest.approx(len(SPEECH) / 4, abs=100)


def test_what_comes_only_once_goes_as_it_is() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in sun()[:500]:
            yield bytes([byte])

    upload, sent = uploaded(pieces())
    assert sent == sun()[:500]
    assert (upload.filename, upload.content_type) == ("audio.au", "audio/basic")


def test_a_file_that_is_too_large_is_decoded(tmp_path: Path) -> None:
    stereo = encode_words(12, AudioFormat("pcm_s16le", 48000, 2))
    path = tmp_path / "large.wav"
    path.write_bytes(wav(stereo, AudioFormat("pcm_s16le", 48000, 2)))
    _, sent = uploaded(path, largest=200_000)
    assert len(sent) == pytest.approx(44 + len(stereo) / 6, abs=100)


def test_bytes_that_are_too_many_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="more than 100000 bytes"):
        uploaded(wav(SPEECH), largest=100_000)


@pytest.mark.parametrize("source", [b"", b"x", b"not audio"])
def test_what_is_no_audio_is_told(source: bytes) -> None:
    with pytest.raises(AudioError):
        uploaded(source)


@pytest.mark.parametrize("blocks", [[b"1234"], [b"1234", b"5678", b"9"]])
def test_a_file_that_changes_on_the_way_is_noticed(blocks: list[bytes]) -> None:
    async def main() -> None:
        async def rest() -> AsyncIterator[bytes]:
            for block in blocks:
                yield block

        upload = Upload(b"head", rest(), filename="a.wav", size=12)
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
