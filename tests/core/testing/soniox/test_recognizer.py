"""What becomes final when; tokens; counters. Also what a client may rely on, whatever the audio is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debabelizer.testing.audio import RawAudio
from debabelizer.testing.coded import encode_words, plan_words
from debabelizer.testing.script import Line, Words
from debabelizer.testing.soniox import Behaviour, CodedWords, Script, SpokenWord
from debabelizer.testing.soniox.config import StartRequest, Translation
from debabelizer.testing.soniox.recognizer import Recognizer
from debabelizer.testing.soniox.tokens import Tokenizer

RAW = RawAudio("pcm_s16le", 16000)
REQUEST = StartRequest(model="stt-rt-v5", raw=RAW)
AUDIO = encode_words(20)
PLAN = plan_words(20)


def recognizer(words: Words | None = None, request: StartRequest = REQUEST, **behaviour: Any) -> Recognizer:
    ear = (words or CodedWords()).listen(Line(RAW))
    return Recognizer(request, Behaviour(**behaviour), RAW, ear)


def tokens(responses: Sequence[dict[str, Any]], *, final: bool) -> list[dict[str, Any]]:
    return [token for response in responses for token in response["tokens"] if token["is_final"] is final]


def text(responses: Sequence[dict[str, Any]]) -> str:
    return "".join(token["text"] for token in tokens(responses, final=True))


def seconds(count: float) -> int:
    return int(count * RAW.bytes_per_second)


class TestFinality:
    def test_every_word_becomes_final_once(self) -> None:
        listener = recognizer()
        responses = listener.hear(AUDIO) + listener.finish()
        assert text(responses).split() == [word.text for word in PLAN]

    def test_finals_come_first(self) -> None:
        for response in recognizer().hear(AUDIO):
            finality = [token["is_final"] for token in response["tokens"]]
            assert finality == sorted(finality, reverse=True)

    @given(st.lists(st.integers(1, 40_000), max_size=40))
    def test_the_same_audio_gives_the_same_responses_however_it_is_cut(self, sizes: list[int]) -> None:
        whole, pieces = recognizer(), recognizer()
        expected = whole.hear(AUDIO) + whole.finish()
        responses, at = [], 0
        for size in sizes:
            responses += pieces.hear(AUDIO[at : at + size])
            at += size
        responses += pieces.hear(AUDIO[at:]) + pieces.finish()
        assert responses == expected

    def test_a_token_becomes_final_after_the_delay(self) -> None:
        listener = recognizer(final_delay=1.0, cadence=0.1)
        for response in listener.hear(AUDIO):
            now = response["total_audio_proc_ms"]
            for token in response["tokens"]:
                assert token["is_final"] == (token["end_ms"] <= now - 1000)

    def test_a_word_may_become_final_in_parts(self) -> None:
        responses = recognizer(cadence=0.1).hear(AUDIO)
        starts = [next(iter(tokens([r], final=True)), None) for r in responses]
        assert any(token and not token["text"].startswith(" ") for token in starts[10:])

    def test_tokens_that_are_not_final_show_what_was_said_since(self) -> None:
        responses = recognizer(final_delay=60.0).hear(AUDIO)
        shown = "".join(token["text"] for token in tokens(responses[-1:], final=False))
        assert shown.split() == [word.text for word in PLAN]

    def test_a_word_that_is_being_said_is_not_final(self) -> None:
        listener = recognizer(final_delay=0.0, cadence=0.01)
        middle = (PLAN[0].start + PLAN[0].end) / 2
        responses = listener.hear(AUDIO[: seconds(middle)])
        assert tokens(responses, final=True) == []
        assert [token["text"] for token in responses[-1]["tokens"]] == ["wor"]

    def test_a_word_that_was_cut_is_damaged(self) -> None:
        listener = recognizer()
        middle = (PLAN[1].start + PLAN[1].end) / 2
        responses = listener.hear(AUDIO[: seconds(middle)]) + listener.finish()
        assert text(responses) == "word0 #"

    def test_finalize(self) -> None:
        listener = recognizer(final_delay=60.0)
        listener.hear(AUDIO)
        response = listener.finalize()
        assert text([response]).endswith(" word19<fin>")
        assert response["final_audio_proc_ms"] == response["total_audio_proc_ms"]
        assert text([listener.finalize()]) == "<fin>"

    def test_finalize_leaves_the_word_that_is_being_said(self) -> None:
        listener = recognizer(final_delay=60.0)
        middle = seconds((PLAN[3].start + PLAN[3].end) / 2)
        listener.hear(AUDIO[:middle])
        response = listener.finalize()
        assert text([response]) == "word0 word1 word2<fin>"
        assert response["final_audio_proc_ms"] == int(PLAN[3].start * 1000)
        assert text(listener.hear(AUDIO[middle:]) + listener.finish()).split() == [word.text for word in PLAN[3:]]

    def test_finish_without_anything_left(self) -> None:
        listener = recognizer()
        listener.hear(bytes(seconds(1)))
        assert listener.finish() == [
            {"tokens": [], "final_audio_proc_ms": 1000, "total_audio_proc_ms": 1000, "finished": True}
        ]


class TestEndpoints:
    REQUEST = replace(REQUEST, endpoint_detection=True)

    def test_an_utterance_ends_with_silence(self) -> None:
        listener = recognizer(Script.of("one two three"), self.REQUEST, endpoint_silence=0.5, cadence=0.1)
        responses = listener.hear(bytes(seconds(5)))
        assert text(responses) == "one two three<end>"
        end = next(r for r in responses if r["tokens"] and r["tokens"][-1]["text"] == "<end>")
        assert end["total_audio_proc_ms"] == pytest.approx(1110 + 500, abs=100)
        assert end["final_audio_proc_ms"] == end["total_audio_proc_ms"]

    def test_the_request_can_shorten_the_silence(self) -> None:
        request = replace(self.REQUEST, max_endpoint_delay=0.5)
        listener = recognizer(Script.of("one"), request, endpoint_silence=3.0)
        assert text(listener.hear(bytes(seconds(1.2)))) == "one<end>"

    def test_every_utterance_once(self) -> None:
        plan = plan_words(18, pause=1.0)
        listener = recognizer(request=self.REQUEST)
        assert text(listener.hear(encode_words(plan, tail=2.0))).count("<end>") == 2

    def test_without_the_option_there_are_no_endpoints(self) -> None:
        assert "<end>" not in text(recognizer(Script.of("one")).hear(bytes(seconds(5))))

    def test_markers_carry_nothing_else(self) -> None:
        listener = recognizer(Script.of("one"), self.REQUEST)
        marker = tokens(listener.hear(bytes(seconds(5))), final=True)[-1]
        assert marker == {"text": "<end>", "is_final": True}


class TestCounters:
    @pytest.mark.parametrize("silence_is_final", [True, False])
    def test_final_position_never_passes_a_word_that_is_not_final(self, silence_is_final: bool) -> None:
        listener = recognizer(silence_is_final=silence_is_final, final_delay=0.3)
        said, last = "", 0
        for response in listener.hear(AUDIO):
            position = response["final_audio_proc_ms"]
            assert last <= position <= response["total_audio_proc_ms"]
            last = position
            said += text([response])
            for word in PLAN:
                if word.end * 1000 <= position:
                    assert word.text in said
                assert not (word.start * 1000 < position < word.end * 1000) or word.text[:3] in said

    def test_silence_moves_the_final_position_on_or_not(self) -> None:
        moving, staying = recognizer(Script.of("one")), recognizer(Script.of("one"), silence_is_final=False)
        assert moving.hear(bytes(seconds(12)))[-1]["final_audio_proc_ms"] == 10500
        assert staying.hear(bytes(seconds(12)))[-1]["final_audio_proc_ms"] == 450

    def test_responses_come_at_the_cadence(self) -> None:
        positions = [r["total_audio_proc_ms"] for r in recognizer(cadence=0.25).hear(bytes(seconds(1.1)))]
        assert positions == [250, 500, 750, 1000]

    def test_empty_responses_can_be_left_out(self) -> None:
        responses = recognizer(Script.of("one"), empty_responses=False).hear(bytes(seconds(10)))
        assert responses[0]["tokens"]
        assert text(responses) == "one"
        assert len(responses) < 20


class TestTokens:
    def tokenizer(self, request: StartRequest = REQUEST, **behaviour: Any) -> Tokenizer:
        return Tokenizer(request, Behaviour(**behaviour))

    def texts(self, *words: SpokenWord, **behaviour: Any) -> list[str]:
        tokenizer = self.tokenizer(**behaviour)
        return [token.final["text"] for word in words for token in tokenizer.tokens(word)]

    def test_pieces(self) -> None:
        assert self.texts(SpokenWord("Hello,"), SpokenWord("morning!")) == ["Hel", "lo", ",", " mor", "nin", "g", "!"]
        assert self.texts(SpokenWord("don't"), subword=0) == ["don", "'", "t"]
        assert self.texts(SpokenWord("one"), SpokenWord("two"), leading_space=True) == [" one", " two"]
        assert self.texts(SpokenWord("one"), SpokenWord("two"), space_tokens=True) == ["one", " ", "two"]
        assert self.texts(SpokenWord("你", separator=""), SpokenWord("好", separator="")) == ["你", "好"]

    def test_times_of_pieces_make_up_the_word(self) -> None:
        pieces = self.tokenizer().tokens(SpokenWord("morning!", 1.0, 1.7))
        times = [time for token in pieces for time in (token.start, token.end)]
        assert times == pytest.approx([1, 1.3, 1.3, 1.6, 1.6, 1.7, 1.7, 1.7])
        assert pieces[-2].end == 1.7

    def test_a_sign_alone_has_the_time_of_the_word(self) -> None:
        (token,) = self.tokenizer().tokens(SpokenWord("#", 1.0, 1.7))
        assert (token.final["start_ms"], token.final["end_ms"]) == (1000, 1700)

    def test_plain_members(self) -> None:
        (token,) = self.tokenizer().tokens(SpokenWord("one", 0.1, 0.2))
        assert token.final == {"text": "one", "start_ms": 100, "end_ms": 200, "confidence": 0.97, "is_final": True}
        assert token.interim == {**token.final, "is_final": False}

    def test_speakers_are_numbered_as_they_come(self) -> None:
        tokenizer = self.tokenizer(replace(REQUEST, diarization=True))
        labels = ["Bo", "Al", "Bo"]
        assert [tokenizer.tokens(SpokenWord("a", speaker=label))[0].final["speaker"] for label in labels] == [
            "1",
            "2",
            "1",
        ]

    def test_language(self) -> None:
        request = replace(REQUEST, language_identification=True, language_hints=("es",))
        tokenizer = self.tokenizer(request)
        assert tokenizer.tokens(SpokenWord("a"))[0].final["language"] == "es"
        assert tokenizer.tokens(SpokenWord("a", language="de"))[0].final["language"] == "de"
        assert self.tokenizer(replace(request, language_hints=())).tokens(SpokenWord("a"))[0].final["language"] == "en"

    def test_an_interim_may_be_another_word(self) -> None:
        pieces = self.tokenizer().tokens(SpokenWord("their", interim="thereabout"))
        assert [token.final["text"] for token in pieces] == ["the", "ir"]
        assert "".join(token.interim["text"] for token in pieces if token.interim) == "thereabout"
        pieces = self.tokenizer().tokens(SpokenWord("thereabout", interim="the"))
        assert [token.interim and token.interim["text"] for token in pieces] == ["the", None, None, None]


class TestTranslation:
    WORDS = Script(
        [
            SpokenWord("good", 0.1, 0.3, language="en", translation="buenos"),
            SpokenWord("morning", 0.4, 0.7, language="en", translation="días"),
            SpokenWord("hola", 0.8, 1.0, language="es"),
        ]
    )

    def translate(self, translation: Translation) -> list[dict[str, Any]]:
        request = replace(REQUEST, language_identification=True, translation=translation)
        listener = recognizer(self.WORDS, request, subword=0)
        return tokens(listener.hear(bytes(seconds(2))) + listener.finish(), final=True)

    def test_one_way(self) -> None:
        said = self.translate(Translation(target="es"))
        assert {(token["text"], token["translation_status"]) for token in said} == {
            ("good", "original"),
            (" morning", "original"),
            (" hola", "none"),
            (" buenos", "translation"),
            (" días", "translation"),
        }
        translated = next(token for token in said if token["translation_status"] == "translation")
        assert translated == {
            "text": " buenos",
            "is_final": True,
            "translation_status": "translation",
            "language": "es",
            "source_language": "en",
        }

    def test_originals_come_first(self) -> None:
        request = replace(REQUEST, translation=Translation(target="es"))
        listener = recognizer(self.WORDS, request, subword=0, final_delay=60.0)
        listener.hear(bytes(seconds(2)))
        statuses = [token.get("translation_status") for token in listener.finalize()["tokens"]]
        assert statuses == ["original", "original", "none", "translation", "translation", None]

    def test_two_way_leaves_other_languages_alone(self) -> None:
        said = self.translate(Translation(pair=("de", "fr")))
        assert {token["translation_status"] for token in said} == {"none"}


class TestSources:
    def test_a_script_for_each_connection(self) -> None:
        script = Script([SpokenWord("one", 0.1, 0.2)], [SpokenWord("two", 0.1, 0.2)])
        for number, expected in enumerate(["one", "two", "two"]):
            listener = Recognizer(REQUEST, Behaviour(), RAW, script.listen(Line(RAW, number=number)))
            assert text(listener.hear(bytes(seconds(3)))) == expected

    def test_a_word_of_a_script_that_was_cut_is_written(self) -> None:
        listener = recognizer(Script([SpokenWord("morning", 0.5, 1.5)]))
        listener.hear(bytes(seconds(1)))
        word = listener.finish()[0]["tokens"][0]
        assert (word["text"], word["start_ms"]) == ("mor", 500)

    def test_an_empty_script_is_silence(self) -> None:
        listener = recognizer(Script())
        assert text(listener.hear(AUDIO) + listener.finish()) == ""

    def test_coded_words_take_their_texts_from_a_list(self) -> None:
        words = CodedWords(["yes", SpokenWord("no", speaker="A")])
        listener = recognizer(words, replace(REQUEST, diarization=True))
        responses = listener.hear(AUDIO[: seconds(PLAN[2].end + 0.05)]) + listener.finish()
        assert text(responses) == "yes no word2"

    def test_coded_words_cannot_be_read_from_compressed_audio(self) -> None:
        ear = CodedWords().listen(Line(RAW, audible=False))
        assert ear.hear(AUDIO) == []
        assert ear.flush() == []
