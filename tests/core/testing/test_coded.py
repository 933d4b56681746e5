from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debabelizer.audio.format import AudioFormat
from debabelizer.results import Segment, StreamingResult, Transcript, Word
from debabelizer.testing._samples import RAW_ENCODINGS, sample_codec
from debabelizer.testing.coded import (
    CodedWord,
    HeardWord,
    WordReader,
    compare,
    encode_words,
    plan_words,
    wav,
)

PLAN = plan_words(12)
AUDIO = encode_words(12)
SPANS = [HeardWord(word.number, round(word.start * 16000), round(word.end * 16000)) for word in PLAN]


def hear(audio: bytes, *, encoding: str = "pcm_s16le", channels: int = 1, chunk: int = 3200) -> list[HeardWord]:
    reader = WordReader(encoding, channels)
    words = [word for at in range(0, len(audio), chunk) for word in reader.feed(audio[at : at + chunk])]
    return words + reader.flush()


class TestSamples:
    @pytest.mark.parametrize("encoding", RAW_ENCODINGS)
    def test_every_encoding_carries_every_symbol(self, encoding: str) -> None:
        codec = sample_codec(encoding)
        symbols = b" 0123456789<> "
        audio = codec.write(symbols)
        assert len(audio) == len(symbols) * codec.width
        assert codec.read(audio, 1) == symbols

    def test_the_first_of_several_channels_is_read(self) -> None:
        codec = sample_codec("pcm_s16le")
        left, right = codec.write(b"012"), codec.write(b"987")
        both = b"".join(left[at : at + 2] + right[at : at + 2] for at in (0, 2, 4))
        assert codec.read(both, 2) == b"012"

    def test_unknown_encoding(self) -> None:
        with pytest.raises(ValueError, match="s16le"):
            sample_codec("s16le")

    def test_levels_survive_conversion_between_encodings(self) -> None:
        symbols = b"0123456789<> "
        wide = sample_codec("pcm_s16le").write(symbols)
        # Only the highest byte is left, as in an 8-bit copy.
        assert sample_codec("pcm_s8").read(wide[1::2], 1) == symbols


class TestEncoding:
    def test_words_stand_where_the_plan_says(self) -> None:
        assert hear(AUDIO) == SPANS

    def test_audio_is_as_long_as_the_plan_and_the_tail(self) -> None:
        assert len(encode_words(PLAN, tail=1.0)) == 2 * (SPANS[-1].end + 16000)

    @pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "mulaw", "alaw"])
    @pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_every_format_of_the_framework(self, encoding: str, rate: int, channels: int) -> None:
        audio_format = AudioFormat(encoding, rate, channels)  # type: ignore[arg-type]
        audio = encode_words(PLAN[:3], audio_format)
        words = hear(audio, encoding=encoding, channels=channels, chunk=1001)
        assert [word.number for word in words] == [0, 1, 2]
        assert [(word.start, word.end) for word in words] == [
            (round(word.start * rate), round(word.end * rate)) for word in PLAN[:3]
        ]

    def test_words_without_a_gap_between_them(self) -> None:
        plan = plan_words(20, gap=0.0, pause=0.0, lead=0.0)
        assert [word.number for word in hear(encode_words(plan, tail=0.0))] == list(range(20))

    def test_overlapping_words_are_refused(self) -> None:
        with pytest.raises(ValueError, match="word 1 starts"):
            encode_words([CodedWord(0, "a", 0.0, 0.5), CodedWord(1, "b", 0.4, 0.8)])

    @pytest.mark.parametrize("word", [CodedWord(0, "a", 0.0, 0.001), CodedWord(10**6, "a", 0.0, 1.0)])
    def test_words_that_cannot_be_encoded_are_refused(self, word: CodedWord) -> None:
        with pytest.raises(ValueError, match="cannot be encoded"):
            encode_words([word])

    def test_wav(self) -> None:
        with wave.open(io.BytesIO(wav(AUDIO))) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
            assert file.readframes(file.getnframes()) == AUDIO

    def test_wav_of_another_encoding_is_refused(self) -> None:
        with pytest.raises(ValueError, match="mulaw"):
            wav(b"", AudioFormat("mulaw", 8000))


class TestReading:
    @given(st.lists(st.integers(1, 9000), min_size=1, max_size=60))
    def test_how_the_audio_is_cut_into_pieces_does_not_matter(self, sizes: list[int]) -> None:
        reader, at, words = WordReader(), 0, []
        for size in sizes:
            words += reader.feed(AUDIO[at : at + size])
            at += size
        words += reader.feed(AUDIO[at:])
        assert words == SPANS

    @given(st.integers(0, len(AUDIO) // 2))
    def test_listening_from_any_sample(self, sample: int) -> None:
        """Words that lie behind the cut are heard, with times from the cut; a word that was cut is damaged."""
        words = hear(AUDIO[2 * sample :])
        whole = [HeardWord(w.number, w.start - sample, w.end - sample) for w in SPANS if w.start >= sample]
        cut = [w for w in SPANS if w.start < sample <= w.end - 40]
        assert [word for word in words if word.number is not None] == whole
        assert [word.end for word in words if word.number is None] == [w.end - sample for w in cut]

    @given(st.integers(0, len(AUDIO) // 2))
    def test_listening_up_to_any_sample(self, sample: int) -> None:
        words = hear(AUDIO[: 2 * sample])
        assert [word for word in words if word.number is not None] == [w for w in SPANS if w.end <= sample]
        cut = [HeardWord(None, w.start, sample) for w in SPANS if w.start + 40 <= sample < w.end]
        assert [word for word in words if word.number is None] == cut

    @given(st.integers(0, len(AUDIO) // 2), st.integers(1, 2000))
    def test_a_hole_never_goes_unseen(self, sample: int, size: int) -> None:
        """Whoever loses samples loses a word, or shifts all later ones."""
        words = hear(AUDIO[: 2 * sample] + AUDIO[2 * (sample + size) :])
        after = [word for word in words if word.number is not None and word.start >= sample]
        assert all(word.end == SPANS[word.number].end - size for word in after if word.number is not None)
        assert len([word for word in words if word.number is None]) <= 2

    @given(st.integers(0, len(AUDIO) // 2), st.integers(1, 8000))
    def test_repetition_never_goes_unseen(self, sample: int, size: int) -> None:
        words = hear(AUDIO[: 2 * sample] + AUDIO[2 * max(sample - size, 0) :])
        shift = sample - max(sample - size, 0)
        after = [word for word in words if word.number is not None and word.start >= sample]
        assert all(word.end == SPANS[word.number].end + shift for word in after if word.number is not None)

    def test_half_a_sample_lost_is_noise_and_not_silence(self) -> None:
        words = hear(AUDIO[1:])
        assert words
        assert all(word.number is None for word in words)

    def test_noise_is_damage(self) -> None:
        assert [word.number for word in hear(b"\x40\x60" * 4000)] == [None]

    def test_silence_is_nothing(self) -> None:
        assert hear(bytes(64000)) == []

    def test_speech_in_progress_can_be_seen(self) -> None:
        reader = WordReader()
        start = SPANS[0].start
        reader.feed(AUDIO[: 2 * start])
        assert reader.speaking_since is None
        assert reader.partial is None
        reader.feed(AUDIO[2 * start : 2 * (start + 10)])
        assert (reader.speaking_since, reader.partial) == (start, None)
        reader.feed(AUDIO[2 * (start + 10) : 2 * (start + 1000)])
        assert reader.speaking_since == start
        assert reader.partial == HeardWord(0, start, start + 1000)
        reader.feed(AUDIO[2 * (start + 1000) : 2 * (SPANS[0].end + 5)])
        assert reader.speaking_since is None


class TestCompare:
    def test_a_perfect_transcript(self) -> None:
        report = compare(12, [Word(word.text, word.start, word.end) for word in PLAN])
        assert report.perfect
        assert report.time_error == 0.0
        assert str(report) == "12 words written of 12 said; times within 0.0 ms"

    def test_everything_that_can_go_wrong(self) -> None:
        report = compare(6, "word0 word0 word2 word1 # hello word5")
        assert report.lost == ("word3", "word4")
        assert report.repeated == ("word0",)
        assert report.out_of_order == ("word1",)
        assert report.damaged == 1
        assert report.unknown == ("hello",)
        assert report.time_error is None
        assert not report.perfect
        assert str(report) == (
            "7 words written of 6 said; 2 lost (word3, word4); 1 repeated (word0); 1 out of order (word1); "
            "1 unknown (hello); 1 damaged"
        )

    @pytest.mark.parametrize("text", ["word0 #", "word0 word1 word1", "word1 word0", "word0 word1 so"])
    def test_one_fault_is_enough(self, text: str) -> None:
        assert not compare(2, text).perfect

    def test_the_greatest_difference_of_times(self) -> None:
        words = [Word(word.text, word.start + 0.01, word.end - 0.03) for word in PLAN]
        assert compare(12, words).time_error == pytest.approx(0.03)

    def test_the_same_text_twice_is_told_apart_by_time(self) -> None:
        plan = plan_words(["yes", "yes", "yes"])
        said = [Word(word.text, word.start, word.end) for word in plan]
        assert compare(plan, said).perfect
        report = compare(plan, [said[0], said[0], said[2]])
        assert (report.lost, report.repeated) == (("yes",), ("yes",))

    def test_the_same_text_twice_without_times(self) -> None:
        plan = plan_words(["yes", "no", "yes"])
        assert compare(plan, "yes no yes").perfect
        assert compare(plan, "yes no").lost == ("yes",)

    def test_results_of_every_kind(self) -> None:
        words = tuple(Word(word.text, word.start, word.end) for word in plan_words(2))
        final = StreamingResult(text="word0 word1", is_final=True, words=words)
        interim = StreamingResult(text="word0 wor", is_final=False)
        transcript = Transcript(text="word0 word1", segments=(Segment("word0 word1", words=words),))
        for results in ("word0 word1", ["word0", "word1"], words, [interim, final], transcript, [transcript]):
            assert compare(2, results).perfect, results
        assert compare(2, Transcript(text="word0 word1")).perfect

    def test_what_holds_no_words(self) -> None:
        with pytest.raises(TypeError, match="int"):
            compare(2, 7)
