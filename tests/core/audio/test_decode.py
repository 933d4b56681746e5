from __future__ import annotations

import re
import struct
import subprocess
import sys

import numpy as np
import pytest

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import AudioDecodeError, NoAudioTrackError

RATE = 16000
ENCODED = [
    # How alike to jfk.wav at least, and by how many samples it may be shifted: lossy coders change the waveform.
    ("jfk.wav", 1.0, 0),
    ("jfk.flac", 1.0, 0),
    ("jfk-24bit.wav", 1.0, 0),
    ("jfk-float32.wav", 1.0, 0),
    ("jfk-mulaw-8k.wav", 0.999, 0),
    ("jfk-alaw-8k.wav", 0.999, 0),
    ("jfk.mp3", 0.999, 0),
    ("jfk.m4a", 0.998, 0),
    ("jfk.opus.ogg", 0.99, 0),
    ("jfk.webm", 0.99, 0),
]


def tone(seconds: float, rate: int = RATE, channels: int = 1, frequency: float = 440) -> np.ndarray:
    wave = 10000 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)
    return np.tile(wave.astype(np.int16), (channels, 1))


def likeness(one: np.ndarray, other: np.ndarray) -> tuple[float, int]:
    """The best correlation of two signals, and the shift that gives it."""
    size = min(len(one), len(other))
    crossed = np.fft.irfft(np.fft.rfft(one[:size], 2 * size) * np.fft.rfft(other[:size], 2 * size).conj())
    shift = int(crossed.argmax())
    shift -= 2 * size if shift > size else 0
    one, other = one[max(shift, 0) : size + min(shift, 0)], other[max(-shift, 0) : size - max(shift, 0)]
    return float(np.corrcoef(one, other)[0, 1]), shift


class TestEveryFormat:
    @pytest.mark.parametrize(("name", "alike", "shift"), ENCODED)
    def test_sounds_as_the_original(self, read, samples, recordings, jfk, name, alike, shift):
        source, audio = read(recordings / name)

        correlation, at = likeness(samples(audio), jfk[0].astype(float))
        assert correlation >= alike - 1e-9
        assert abs(at) <= shift
        assert len(audio) / 2 / RATE == pytest.approx(11.0, abs=0.01)
        assert source.duration == pytest.approx(11.0, abs=0.01)
        assert source.position == len(audio) / 2 / RATE
        assert source.warnings == ()

    @pytest.mark.parametrize("name", [name for name, _, _ in ENCODED])
    def test_is_the_same_from_everywhere(self, read, samples, recordings, pipe, stream, name):
        data = (recordings / name).read_bytes()
        _, expected = read(recordings / name)

        assert expected == read(data)[1]
        for source in (pipe(data), stream(data, 999)):
            audio, found = read(source)
            # Only of an MP3 file that can be sought in does FFmpeg cut off the padding at the end.
            assert found[: len(expected)] == expected
            assert len(found) - len(expected) <= (0.02 * RATE * 2 if name == "jfk.mp3" else 0)
            assert audio.warnings == ()

    @pytest.mark.parametrize("seconds", [0.1, 0.333, 4.0])
    def test_comes_in_blocks_of_the_wanted_length(self, read, recordings, seconds):
        assert read(recordings / "jfk.m4a", seconds=seconds)[1] == read(recordings / "jfk.m4a")[1]

    def test_in_16_bit_and_the_wanted_rate_is_untouched(self, read, recordings, jfk):
        for name in ("jfk.wav", "jfk.flac", "jfk-24bit.wav"):
            assert read(recordings / name)[1] == jfk.tobytes()

    def test_can_be_had_in_any_other(self, read, recordings):
        wanted = AudioFormat("mulaw", 8000, 2)

        assert len(read(recordings / "jfk.m4a", wanted)[1]) == pytest.approx(11 * 16000, abs=160)

    def test_8_bit(self, read, make, samples):
        _, audio = read(make(tone(1.0), RATE, "wav", "pcm_u8"))

        correlation, _ = likeness(samples(audio), tone(1.0)[0].astype(float))
        assert correlation > 0.999

    @pytest.mark.parametrize(
        ("container", "codec", "rate"),
        [("adts", "aac", 44100), ("matroska", "flac", 22050), ("ogg", "flac", 16000), ("aiff", "pcm_s16be", 44100)],
    )
    def test_others(self, read, make, container, codec, rate):
        source, audio = read(make(tone(2.0, rate), rate, container, codec))

        assert len(audio) / 2 / RATE == pytest.approx(2.0, abs=0.1)
        assert source.warnings == ()

    def test_tags_in_another_encoding_do_no_harm(self, read, make):
        data = make(tone(1.0), RATE, "wav", "pcm_u8")
        tags = b"INFOINAM" + struct.pack("<I", 4) + "Café".encode("latin-1")
        tagged = data[:36] + b"LIST" + struct.pack("<I", len(tags)) + tags + data[data.index(b"data") :]

        assert read(tagged)[1] == read(data)[1]

    def test_digital_silence_is_fine(self, read, make):
        source, audio = read(make(np.zeros((1, RATE), np.int16), RATE, "flac", "flac"))

        assert audio == bytes(2 * RATE)
        assert source.warnings == ()


class TestChannels:
    def test_two_are_kept_apart_or_mixed_to_their_mean(self, read, samples, recordings, jfk):
        _, both = read(recordings / "two-channel.flac", AudioFormat(channels=2))
        _, mixed = read(recordings / "two-channel.flac")

        left, right = samples(both).reshape(-1, 2).T
        assert (left[: jfk.shape[1]] == jfk[0]).all()
        assert (abs(samples(mixed) - (left + right) / 2) <= 0.5).all()

    def test_surround_sound_keeps_its_centre_loud(self, read, make, samples):
        """Speech of films is in the centre; a plain mean of six would bury it."""
        surround = np.zeros((6, RATE), np.int16)
        surround[2] = tone(1.0)[0]
        film = make(surround, RATE, "flac", "flac")

        _, mono = read(film)
        _, stereo = read(film, AudioFormat(channels=2))
        _, all_six = read(film, AudioFormat(channels=6))

        assert np.std(samples(mono)) / np.std(surround[2]) > 0.25
        assert np.std(samples(stereo)) / np.std(surround[2]) > 0.25
        assert (surround == samples(all_six).reshape(-1, 6).T).all()


class TestVideo:
    @pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("matroska", "aac")])
    @pytest.mark.parametrize("cover", [1.0, 3.0])
    def test_gives_its_sound_track(self, read, make, container, codec, cover):
        source, audio = read(make(tone(2.0), RATE, container, codec, video=cover))

        assert len(audio) / 2 / RATE == pytest.approx(2.0, abs=0.1)
        assert source.warnings == ()  # also where the picture goes on longer

    def test_from_a_pipe(self, read, make, pipe):
        film = make(tone(2.0), RATE, "mp4", "aac", video=2.0)

        assert read(film)[1] == read(pipe(film))[1]

    def test_without_sound(self, read, tmp_path):
        av = pytest.importorskip("av")
        path = tmp_path / "silent.mp4"
        with av.open(str(path), "w") as output:
            picture = output.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
            for _ in range(5):
                output.mux(picture.encode(av.VideoFrame(32, 32, "yuv420p")))
            output.mux(picture.encode(None))

        with pytest.raises(NoAudioTrackError) as caught:
            read(path)
        assert str(caught.value) == f"{path} has no sound track (it holds: video)."
        assert caught.value.source == str(path)


class TestTruncation:
    @pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
    @pytest.mark.parametrize("name", [name for name, _, _ in ENCODED if name != "jfk.m4a"])
    def test_gives_what_is_there_and_says_so(self, read, recordings, pipe, name, share):
        whole = (recordings / name).read_bytes()
        data = whole[: int(len(whole) * share)]

        for piece in (data, pipe(data)):
            source, audio = read(piece)
            assert len(audio) > (share - 0.15) * 11 * 2 * RATE
            seconds = len(audio) / 2 / RATE
            (warning,) = source.warnings
            assert warning.startswith(f"The audio is truncated: it ends after {seconds:.1f} s")
            if name != "jfk.opus.ogg":  # an Ogg file announces no duration
                assert warning.endswith((" of 11.0 s.", " of 11.1 s."))

    def test_mp4_with_its_index_in_front(self, read, make, pipe, jfk):
        whole = make(jfk, RATE, "ipod", "aac", movflags="faststart")
        assert whole.find(b"moov") < whole.find(b"mdat")

        for piece in (whole[: len(whole) // 2], pipe(whole[: len(whole) // 2])):
            source, audio = read(piece)
            (warning,) = source.warnings
            assert warning.startswith("The audio is truncated: it ends after 5.")
            assert warning.endswith(" s of 11.0 s.")
            assert 4.5 < len(audio) / 2 / RATE < 6

    def test_mp4_in_fragments(self, read, make, jfk):
        options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"}
        whole = make(jfk, RATE, "mp4", "aac", **options)

        assert read(whole)[0].warnings == ()
        (warning,) = read(whole[: len(whole) // 2])[0].warnings
        assert warning.startswith("The audio is truncated: it ends after ")

    def test_mp4_whose_index_is_missing(self, read, recordings, pipe):
        data = (recordings / "jfk.m4a").read_bytes()[:-3000]

        for piece in (data, pipe(data)):
            with pytest.raises(AudioDecodeError, match="without its index") as caught:
                read(piece, name="memo.m4a")
            assert caught.value.message.startswith("memo.m4a ")
            assert caught.value.hint

    def test_mp4_cut_off_right_behind_its_index(self, read, make):
        whole = make(tone(2.0), RATE, "ipod", "aac", movflags="faststart")

        with pytest.raises(AudioDecodeError, match="no sound that can be decoded"):
            read(whole[: whole.find(b"mdat") + 20])

    @pytest.mark.parametrize("share", [0.31, 0.52, 0.73])
    def test_mp3_that_announces_nothing(self, read, make, share):
        """Without a count of frames a cut within one of them can be seen, where all have the same size."""
        whole = make(tone(5.0, 44100), 44100, "mp3", "libmp3lame", write_xing="0", id3v2_version="0")

        assert read(whole)[0].warnings == ()
        assert read(whole + b"TAG" + bytes(125))[0].warnings == ()
        (warning,) = read(whole[: int(len(whole) * share)])[0].warnings
        assert warning.startswith("The audio is truncated: it ends after ")

    def test_mp3_files_joined_are_longer_than_announced(self, read, recordings):
        source, audio = read((recordings / "jfk.mp3").read_bytes() * 2)

        assert len(audio) / 2 / RATE == pytest.approx(22.0, abs=0.2)
        assert source.warnings == ()

    def test_an_aac_stream(self, read, make):
        whole = make(tone(5.0, 44100), 44100, "adts", "aac")

        (warning,) = read(whole[: len(whole) // 2])[0].warnings
        assert warning.startswith("The audio is truncated: it ends after 2.")


class TestDamage:
    @pytest.mark.parametrize("name", ["jfk.flac", "jfk.m4a", "jfk.opus.ogg", "jfk.webm"])
    def test_in_the_middle_leaves_a_gap_that_is_named(self, read, recordings, name):
        data = bytearray((recordings / name).read_bytes())
        hole = slice(len(data) // 2, len(data) // 2 + len(data) // 20)
        data[hole] = bytes(len(data) // 20)

        source, audio = read(bytes(data))

        missing = 11 - len(audio) / 2 / RATE
        (warning,) = source.warnings
        said = re.fullmatch(r"The audio has gaps: (.*) s of it are missing, the first after (.*) s.", warning)
        assert said
        assert float(said[1]) == pytest.approx(missing, abs=0.15)
        assert 4 < float(said[2]) < 7

    def test_a_format_that_changes_on_the_way(self, read, make):
        """Two MP3 files joined: stereo at 44.1 kHz, then mono at 16 kHz."""
        first = make(tone(1.0, 44100, 2), 44100, "mp3", "libmp3lame", write_xing="0", id3v2_version="0")
        second = make(tone(1.0), RATE, "mp3", "libmp3lame", write_xing="0", id3v2_version="0")

        _, audio = read(first + second)

        assert len(audio) / 2 / RATE == pytest.approx(2.0, abs=0.25)


class TestNoAudio:
    @pytest.mark.parametrize(
        "data",
        [
            b"This is a text, whatever its name says.\n" * 100,
            b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n",
            b"ffconcat version 1.0\nfile 'jfk.wav'\n",
            bytes(5000),
            bytes(range(256)) * 20,
            b"a",
            b"RIFF\x24\0\0\0WAVEfmt ",
        ],
        ids=["text", "play list", "list of files", "zeros", "noise", "one byte", "half a header"],
    )
    def test_is_refused_whatever_its_name(self, read, tmp_path, pipe, recordings, monkeypatch, data):
        monkeypatch.chdir(recordings)
        path = tmp_path / "song.mp3"
        path.write_bytes(data)

        for source in (path, pipe(data)):
            with pytest.raises(AudioDecodeError, match="is not audio or video in any format") as caught:
                read(source)
            assert "format declared" in (caught.value.hint or "")

    def test_subtitles_have_no_sound(self, read):
        text = b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:03,000 --> 00:00:04,000\nGood bye.\n"

        with pytest.raises(NoAudioTrackError, match="it holds: subtitle"):
            read(text)


def test_ffmpeg_says_nothing_on_its_own(recordings):
    """Its messages would break a progress bar, and name nothing that a user knows."""
    code = f"""
import asyncio
from debabelizer.audio.source import AudioSource

async def main():
    for cut in (5000, 40000, 10**7):
        for name in ("jfk.mp3", "jfk.m4a", "jfk.flac", "jfk.webm", "jfk.opus.ogg"):
            data = open({str(recordings)!r} + "/" + name, "rb").read()
            try:
                async with AudioSource.of(data[:cut]).blocks() as blocks:
                    async for _ in blocks:
                        pass
            except ValueError:
                raise
            except Exception as error:
                assert type(error).__name__ == "AudioDecodeError"

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
