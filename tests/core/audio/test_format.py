from __future__ import annotations

import pytest

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import AudioFormatError


def test_default_is_what_speech_engines_like_best():
    assert str(AudioFormat()) == "pcm_s16le/16000/1"


@pytest.mark.parametrize(
    ("text", "frame_bytes", "bytes_per_second"),
    [
        ("pcm_s16le/16000/1", 2, 32000),
        ("pcm_s16le/48000/2", 4, 192000),
        ("pcm_f32le/16000/1", 4, 64000),
        ("mulaw/8000/1", 1, 8000),
        ("alaw/8000/2", 2, 16000),
    ],
)
def test_sizes(text, frame_bytes, bytes_per_second):
    audio_format = AudioFormat.parse(text)

    assert (frame_bytes, bytes_per_second) == (audio_format.frame_bytes, audio_format.bytes_per_second)
    assert audio_format.seconds(3 * bytes_per_second) == 3.0
    assert str(audio_format) == text


@pytest.mark.parametrize("text", ["mulaw/8000", "mulaw/8000/1"])
def test_parts_left_out_have_their_defaults(text):
    assert AudioFormat.parse(text) == AudioFormat("mulaw", 8000, 1)
    assert AudioFormat.parse("alaw") == AudioFormat("alaw", 16000, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mp3", "encoding 'mp3'"),
        ("", "encoding ''"),
        ("mulaw/fast", "'mulaw/fast'"),
        ("mulaw/8000/1/1", "'mulaw/8000/1/1'"),
        ("mulaw/10", "10 Hz"),
        ("mulaw/400000", "400000 Hz"),
        ("mulaw/8000/0", "0 audio channels"),
        ("mulaw/8000/33", "33 audio channels"),
    ],
)
def test_formats_that_cannot_be(text, message):
    with pytest.raises(AudioFormatError, match=message) as caught:
        AudioFormat.parse(text)

    assert caught.value.hint


def test_frames_are_whole_and_forgive_rounding():
    audio_format = AudioFormat("pcm_s16le", 44100)

    assert audio_format.frames(0.3) == 13230  # 0.3 * 44100 is a hair below it
    assert audio_format.frames(1 / 44100) == 1
    assert audio_format.frames(0.9 / 44100) == 0
