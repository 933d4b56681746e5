from __future__ import annotations

import struct

import pytest

from debabelizer.audio.format import AudioFormat
from debabelizer.testing.audio import AudioInput, NotAudioError, RawAudio
from debabelizer.testing.coded import encode_words, wav

AUDIO = encode_words(2)


def test_raw_audio_passes() -> None:
    stream = AudioInput("pcm_s16le", RawAudio("pcm_s16le", 16000))
    assert stream.feed(AUDIO[:7]) == AUDIO[:7]
    assert stream.audible


@pytest.mark.parametrize("audio_format", ["auto", "wav"])
@pytest.mark.parametrize("chunk", [1, 3, 44, 4096])
def test_wav_is_understood_however_it_comes(audio_format: str, chunk: int) -> None:
    stream = AudioInput(audio_format)
    file = wav(AUDIO, AudioFormat("pcm_s16le", 8000, 2))
    assert b"".join(stream.feed(file[at : at + chunk]) for at in range(0, len(file), chunk)) == AUDIO
    assert stream.raw == RawAudio("pcm_s16le", 8000, 2)
    assert stream.audible


def wav_with(code: int, bits: int, *, extensible: bool = False, rate: int = 8000) -> bytes:
    chunk = struct.pack("<HHIIHH", 0xFFFE if extensible else code, 1, rate, 0, 0, bits)
    if extensible:
        chunk += struct.pack("<HHIH14x", 22, bits, 0, code)
    junk = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    return b"RIFF\0\0\0\0WAVE" + junk + b"fmt " + struct.pack("<I", len(chunk)) + chunk + b"data\0\0\0\0"


@pytest.mark.parametrize(
    ("code", "bits", "encoding"),
    [
        (1, 8, "pcm_u8"),
        (1, 24, "pcm_s24le"),
        (3, 32, "pcm_f32le"),
        (3, 64, "pcm_f64le"),
        (6, 8, "alaw"),
        (7, 8, "mulaw"),
    ],
)
@pytest.mark.parametrize("extensible", [False, True])
def test_wav_encodings(code: int, bits: int, encoding: str, extensible: bool) -> None:
    stream = AudioInput("wav")
    assert stream.feed(wav_with(code, bits, extensible=extensible) + b"xy") == b"xy"
    assert stream.raw == RawAudio(encoding, 8000)


@pytest.mark.parametrize("file", [b"RIFX" + bytes(60), wav_with(2, 4), wav_with(1, 16, rate=0)])
def test_broken_wav(file: bytes) -> None:
    with pytest.raises(NotAudioError, match="no wav"):
        AudioInput("wav").feed(file)


def test_a_header_without_end() -> None:
    stream = AudioInput("wav")
    stream.feed(b"RIFF\0\0\0\0WAVE" + b"junk\xff\xff\xff\xff")
    with pytest.raises(NotAudioError, match="no wav"):
        stream.feed(bytes(70000))


def test_compressed_audio_has_a_nominal_clock_and_no_samples() -> None:
    for stream in (AudioInput("mp3"), AudioInput("auto")):
        assert stream.feed(b"ID3\4rest") == b"ID3\4rest"
        assert stream.raw is not None
        assert stream.raw.bytes_per_second == 16000
        assert not stream.audible


def test_headerless_audio_cannot_be_found_out() -> None:
    stream = AudioInput("auto")
    assert stream.feed(bytes(3)) == b""
    with pytest.raises(NotAudioError, match="like no container") as caught:
        stream.feed(bytes(1))
    assert caught.value.container is None
