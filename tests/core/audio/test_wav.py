from __future__ import annotations

import io
import struct
import wave

import av
import pytest

from debabelizer.audio import wav
from debabelizer.audio.format import AudioFormat


def riff(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """A WAV file of these chunks; `size` is what the last one claims."""
    body = b"WAVE"
    for index, (tag, content) in enumerate(chunks):
        claimed = size if size is not None and index == len(chunks) - 1 else len(content)
        body += tag + struct.pack("<I", claimed) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int = 1, channels: int = 1, rate: int = 16000, bits: int = 16, extra: bytes = b"") -> tuple[bytes, bytes]:
    frame = channels * bits // 8
    return b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits) + extra


@pytest.mark.parametrize(
    "text", ["pcm_s16le/16000/1", "pcm_s16le/44100/2", "pcm_f32le/8000/1", "mulaw/8000/1", "alaw/8000/2"]
)
class TestHeader:
    def test_is_read_back(self, text):
        audio_format = AudioFormat.parse(text)
        header = wav.header(audio_format, 800)

        assert wav.WavHeader(audio_format, len(header), 800, 800 / audio_format.bytes_per_second) == wav.parse(header)

    def test_is_understood_by_others(self, text):
        audio_format = AudioFormat.parse(text)
        file = io.BytesIO(wav.header(audio_format, 800) + bytes(800))

        with av.open(file) as container:
            track = container.streams.audio[0]
            assert (audio_format.sample_rate, audio_format.channels) == (track.rate, track.channels)
            assert f"pcm_{audio_format.encoding.removeprefix('pcm_')}" == track.codec_context.name
            frames = sum(frame.samples for frame in container.decode(track))
        assert 800 // audio_format.frame_bytes == frames

    def test_of_unknown_size_says_so(self, text):
        header = wav.parse(wav.header(AudioFormat.parse(text)))

        assert header is not None
        assert (header.size, header.seconds) == (None, None)


def test_the_header_of_pcm_is_the_classic_one():
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(48000)
        writer.writeframes(bytes(400))

    assert file.getvalue() == wav.header(AudioFormat("pcm_s16le", 48000, 2), 400) + bytes(400)


def test_audio_of_4_gib_has_a_header_of_unknown_size():
    assert wav.header(AudioFormat(), 2**32) == wav.header(AudioFormat())


def test_other_chunks_are_passed_over():
    header = wav.parse(riff(fmt(), (b"LIST", b"odd"), (b"data", bytes(10))))

    assert header == wav.WavHeader(AudioFormat(), 12 + 24 + 12 + 8, 10, 10 / 32000)


def test_the_extensible_header_is_understood():
    guid = struct.pack("<H", 3) + bytes.fromhex("000000001000800000aa00389b71")
    extra = struct.pack("<HHI", 22, 32, 4) + guid

    header = wav.parse(riff(fmt(0xFFFE, bits=32, extra=extra), (b"data", bytes(8))))

    assert header is not None
    assert AudioFormat("pcm_f32le") == header.audio_format


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFFF000, 0xFFFFFFFF - 36])
def test_sizes_that_were_never_filled_in(size):
    header = wav.parse(riff(fmt(), (b"data", b""), size=size))

    assert header is not None
    assert header.size is None


@pytest.mark.parametrize(
    "odd",
    [fmt(bits=24), fmt(bits=8), fmt(2, bits=4), fmt(0x55), fmt(rate=1), fmt(channels=200)],
    ids=["24 bit", "8 bit", "ADPCM", "MP3", "rate", "channels"],
)
def test_what_audio_format_has_no_name_for(odd):
    header = wav.parse(riff(odd, (b"data", bytes(24))))

    assert header is not None
    assert header.audio_format is None


def test_a_frame_size_that_does_not_fit_is_not_believed():
    tag, content = fmt()
    header = wav.parse(riff((tag, content[:12] + struct.pack("<H", 4) + content[14:]), (b"data", bytes(8))))

    assert header is not None
    assert header.audio_format is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIFF",
        b"ID3" + bytes(100),
        riff((b"data", bytes(8))),
        riff(fmt()),
        riff((b"fmt ", bytes(4)), (b"data", bytes(8))),
        riff(fmt(), (b"JUNK", bytes(5000)), (b"data", b""))[: wav.HEAD_BYTES],
    ],
)
def test_what_is_no_whole_header(head):
    assert wav.parse(head) is None


def test_every_cut_of_a_header_is_taken_calmly():
    whole = riff(fmt(), (b"data", bytes(8)))

    assert [wav.parse(whole[:size]) for size in range(44)] == [None] * 44
    assert wav.parse(whole[:44]) is not None
