from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from debabelizer.audio.convert import Converter
from debabelizer.audio.format import AudioFormat
from debabelizer.errors import AudioFormatError

SPEECH = AudioFormat()
RATES = [(48000, 16000), (44100, 16000), (8000, 16000), (11025, 16000), (16000, 8000), (22050, 24000), (96000, 16000)]


def convert(data: bytes, source: AudioFormat, target: AudioFormat, chunk: int | None = None) -> bytes:
    converter = Converter(source, target)
    size = chunk or max(1, len(data))
    parts = [converter.feed(data[place : place + size]) for place in range(0, len(data), size)]
    return b"".join([*parts, converter.finish()])


def tone(frequency: float, rate: int, seconds: float = 2.0, amplitude: float = 0.5) -> bytes:
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)).astype("<f4").tobytes()


def spectrum(data: bytes, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Amplitude of each frequency in the middle of the audio, where no edge disturbs."""
    samples = np.frombuffer(data, "<f4")[rate // 4 : -rate // 4]
    window = np.hanning(len(samples))
    return np.fft.rfftfreq(len(samples), 1 / rate), 2 * np.abs(np.fft.rfft(samples * window)) / window.sum()


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_tone_keeps_frequency_and_amplitude(source, target):
    data = convert(tone(1000, source), AudioFormat("pcm_f32le", source), AudioFormat("pcm_f32le", target))

    frequencies, amplitudes = spectrum(data, target)
    assert frequencies[amplitudes.argmax()] == pytest.approx(1000, abs=1)
    assert amplitudes.max() == pytest.approx(0.5, rel=0.005)


@pytest.mark.parametrize(
    ("source", "target", "frequency"),
    [(48000, 16000, 9000), (44100, 16000, 10000), (16000, 8000, 4500), (48000, 16000, 20000)],
)
def test_a_tone_above_the_new_nyquist_frequency_vanishes(source, target, frequency):
    data = convert(tone(frequency, source), AudioFormat("pcm_f32le", source), AudioFormat("pcm_f32le", target))

    _, amplitudes = spectrum(data, target)
    assert 20 * np.log10(amplitudes.max() / 0.5) < -90


def test_upsampling_makes_no_images():
    data = convert(tone(3000, 8000), AudioFormat("pcm_f32le", 8000), AudioFormat("pcm_f32le", 16000))

    frequencies, amplitudes = spectrum(data, 16000)
    assert 20 * np.log10(amplitudes[frequencies > 3500].max() / 0.5) < -90


def test_resampling_shifts_nothing():
    """An impulse stays where it was, to the sample."""
    source = np.zeros(48000, "<f4")
    source[24000] = 1.0

    data = convert(source.tobytes(), AudioFormat("pcm_f32le", 48000), AudioFormat("pcm_f32le", 16000))

    assert np.frombuffer(data, "<f4").argmax() == 8000


@pytest.mark.parametrize(("source", "target"), RATES)
@pytest.mark.parametrize("frames", [0, 1, 2, 7, 441, 16001, 99_999])
def test_duration_is_exact_to_the_sample(source, target, frames):
    given, wanted = AudioFormat("pcm_s16le", source), AudioFormat("pcm_s16le", target)

    data = convert(bytes(2 * frames), given, wanted, chunk=999)

    assert (2 * frames * target + source) // (2 * source) == len(data) // 2


@pytest.mark.parametrize("chunk", [1, 3, 5, 1000, 4099])
@pytest.mark.parametrize(
    ("source", "target"),
    [
        (AudioFormat("pcm_s16le", 48000, 2), AudioFormat()),
        (AudioFormat("mulaw", 8000), AudioFormat()),
        (AudioFormat("pcm_f32le", 16000, 3), AudioFormat("alaw", 8000)),
        (AudioFormat("pcm_s16le", 16000, 2), AudioFormat("pcm_s16le", 16000, 2)),
    ],
    ids=str,
)
def test_odd_chunks_give_what_one_piece_gives(source, target, chunk):
    whole = np.random.default_rng(1).integers(-9000, 9000, 6000).astype("<i2").tobytes()
    if source.encoding == "pcm_f32le":
        whole = (np.frombuffer(whole, "<i2") / 32768).astype("<f4").tobytes()

    pieces = convert(whole, source, target, chunk)

    # The resampler may round its last bit another way, which is one step of 16 bits at most.
    if target.encoding == "pcm_s16le":
        one, many = (np.frombuffer(data, "<i2").astype(int) for data in (convert(whole, source, target), pieces))
        assert len(one) == len(many)
        assert abs(one - many).max() <= 1
    else:
        assert convert(whole, source, target) == pieces


def test_stereo_becomes_the_mean():
    stereo = np.array([[1000, 3000], [-500, 501], [32767, -32768]], "<i2").tobytes()

    mono = convert(stereo, AudioFormat("pcm_s16le", 16000, 2), SPEECH)

    assert np.frombuffer(mono, "<i2").tolist() == [2000, 0, 0]


def test_mono_is_copied():
    mono = np.array([1, -2], "<i2").tobytes()

    stereo = convert(mono, SPEECH, AudioFormat("pcm_s16le", 16000, 2))

    assert np.frombuffer(stereo, "<i2").tolist() == [1, 1, -2, -2]


def test_channels_that_do_not_fit_together_are_refused():
    with pytest.raises(AudioFormatError, match="3 channels cannot be converted to 2") as caught:
        Converter(AudioFormat("pcm_s16le", 16000, 3), AudioFormat("pcm_s16le", 16000, 2))

    assert caught.value.hint


def test_equal_formats_pass_the_very_bytes():
    chunk = b"abcd"

    assert Converter(SPEECH, SPEECH).feed(chunk) is chunk


def test_a_split_frame_is_carried_over():
    converter = Converter(SPEECH, SPEECH)

    assert [converter.feed(b"abc"), converter.feed(b"def"), converter.finish()] == [b"ab", b"cdef", b""]


@pytest.mark.parametrize("target", [SPEECH, AudioFormat("mulaw", 8000)], ids=str)
def test_an_end_within_a_frame_is_an_error_that_names_the_bytes(target):
    source = AudioFormat("pcm_s16le", 16000, 1)
    converter = Converter(source, target)
    converter.feed(b"abc")

    with pytest.raises(AudioFormatError, match=r"1 of the 2 bytes of a frame of pcm_s16le/16000/1"):
        converter.finish()


def test_any_kind_of_bytes_will_do():
    assert [Converter(SPEECH, SPEECH).feed(kind(b"ab")) for kind in (bytearray, memoryview)] == [b"ab"] * 2


def test_audio_comes_out_while_it_goes_in():
    converter = Converter(AudioFormat("pcm_s16le", 48000), SPEECH)

    ready = sum(len(converter.feed(bytes(48000 * 2 // 50))) for _ in range(50)) / SPEECH.bytes_per_second

    assert 0.95 < ready < 1.0


def test_equal_formats_need_no_package():
    code = """
import sys
sys.modules |= dict.fromkeys(["numpy", "soxr", "av"])
from debabelizer.audio.convert import Converter
from debabelizer.audio.format import AudioFormat
from debabelizer.errors import AudioError
assert Converter(AudioFormat(), AudioFormat()).feed(b"ab") == b"ab"
for source, package in (("mulaw/16000", "numpy"), ("pcm_s16le/8000", "numpy")):
    try:
        Converter(AudioFormat.parse(source), AudioFormat())
    except AudioError as error:
        assert 'pip install "debabelizer[audio]>=0.3"' in error.hint, error
        assert package in error.message and source in error.message, error
    else:
        raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)
