from __future__ import annotations

import av
import numpy as np
import pytest

from debabelizer.audio import pcm
from debabelizer.audio.format import AudioFormat

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768).astype("<i2")


def law(encoding: str) -> AudioFormat:
    return AudioFormat(encoding, 8000)  # type: ignore[arg-type]


def by_ffmpeg(encoding: str, data: bytes) -> np.ndarray:
    codec = av.CodecContext.create(f"pcm_{encoding}", "r")
    codec.sample_rate = 8000
    codec.layout = "mono"
    return np.concatenate([frame.to_ndarray() for frame in codec.decode(av.Packet(data))], axis=1)[0]


def test_16_bit_survives_untouched():
    samples = pcm.decode(EVERY_SAMPLE.tobytes(), AudioFormat())

    assert samples.dtype == np.float32
    assert (samples.min(), samples.max()) == (-1.0, 32767 / 32768)
    assert EVERY_SAMPLE.tobytes() == pcm.encode(samples, "pcm_s16le")


def test_floats_survive_untouched():
    data = np.array([0.1, -1.0, 1.5, 1e-9], "<f4").tobytes()

    assert data == pcm.encode(pcm.decode(data, AudioFormat("pcm_f32le")), "pcm_f32le")


def test_what_is_no_number_is_silence_or_full_scale():
    data = np.array([np.nan, np.inf, -np.inf], "<f4").tobytes()

    assert pcm.decode(data, AudioFormat("pcm_f32le")).ravel().tolist() == [0.0, 1.0, -1.0]


def test_what_is_too_loud_is_clipped():
    samples = np.array([[1.0], [7.0], [-7.0]], np.float32)

    assert np.frombuffer(pcm.encode(samples, "pcm_s16le"), "<i2").tolist() == [32767, 32767, -32768]


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
class TestG711:
    def test_expands_as_ffmpeg_does(self, encoding):
        expanded = np.rint(pcm.decode(EVERY_CODE, law(encoding)).ravel() * 32768)

        assert by_ffmpeg(encoding, EVERY_CODE).tolist() == expanded.tolist()

    def test_every_code_survives(self, encoding):
        again = pcm.encode(pcm.decode(EVERY_CODE, law(encoding)), encoding)

        expected = bytearray(EVERY_CODE)
        if encoding == "mulaw":
            expected[0x7F] = 0xFF  # the one value that has two codes: negative and positive zero
        assert bytes(expected) == again

    def test_compresses_every_sample_to_the_interval_it_lies_in(self, encoding):
        samples = pcm.decode(EVERY_SAMPLE.tobytes(), AudioFormat())
        again = pcm.decode(pcm.encode(samples, encoding), law(encoding))

        linear = EVERY_SAMPLE.astype(int)
        error = np.abs(np.rint(again.ravel() * 32768).astype(int) - linear)
        # Steps double with each segment: half of one is at most 1/32 of the sample, 8 near zero; the top is cut off.
        assert (error <= np.maximum(np.abs(linear) / 31, 8) + 4)[abs(linear) <= 32635].all()
        assert (np.diff(again.ravel()) >= 0).all()

    def test_compresses_both_signs_alike(self, encoding):
        positive = np.arange(1, 32768, dtype=np.int64)
        offset = 1 if encoding == "alaw" else 0  # A-law has no zero: -1 mirrors 0
        up = pcm.decode(pcm.encode((positive / 32768).astype(np.float32).reshape(-1, 1), encoding), law(encoding))
        mirrored = (-(positive + offset) / 32768).astype(np.float32).reshape(-1, 1)
        down = pcm.decode(pcm.encode(mirrored, encoding), law(encoding))

        assert (up == -down).all()


def test_down_mix_is_the_mean():
    stereo = np.array([[0.5, -0.25], [1.0, 1.0], [0.0, 0.5]], np.float32)

    assert pcm.mix(stereo, 1).tolist() == [[0.125], [1.0], [0.25]]


def test_mono_is_copied_to_every_channel():
    assert pcm.mix(np.array([[0.5]], np.float32), 3).tolist() == [[0.5, 0.5, 0.5]]


def test_equal_channels_are_left_alone():
    stereo = np.array([[0.5, -0.25]], np.float32)

    assert pcm.mix(stereo, 2) is stereo


@pytest.mark.parametrize(
    ("dtype", "lowest", "middle", "highest"),
    [("u1", 0, 128, 255), ("i2", -(2**15), 0, 2**15 - 1), ("i4", -(2**31), 0, 2**31 - 1), ("f8", -1.0, 0.0, 1.0)],
)
def test_every_width_is_brought_to_full_scale(dtype, lowest, middle, highest):
    low, mid, high = pcm.scaled(np.array([lowest, middle, highest], dtype)).tolist()

    assert (low, mid) == (-1.0, 0.0)
    assert 0.99 < high <= 1.0
