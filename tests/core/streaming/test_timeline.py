from __future__ import annotations

from debabelizer.results import StreamingResult, Word
from debabelizer.streaming.dialect import Hypothesis
from debabelizer.streaming.timeline import Timeline


def said(*words: tuple[str, float, float], final: bool = True, channel: int | None = None) -> Hypothesis:
    spoken = tuple(Word(text, start, end) for text, start, end in words)
    return Hypothesis(text=" ".join(word.text for word in spoken), final=final, words=spoken, channel=channel)


def timeline(base: float = 0.0) -> Timeline:
    made = Timeline()
    made.attach(base, "fake")
    return made


def given(result: StreamingResult | None) -> StreamingResult:
    assert result is not None
    return result


def test_connection_time_becomes_stream_time() -> None:
    result = given(timeline(base=12.3).result(said(("hello", 0.5, 0.9), ("you", 1.0, 1.1))))
    assert (result.start, result.end) == (12.8, 13.4)
    assert [(word.start, word.end) for word in result.words] == [(12.8, 13.2), (13.3, 13.4)]
    assert result.provider == "fake"


def test_the_first_final_has_no_separator_and_the_next_ones_have() -> None:
    clock = timeline()
    assert given(clock.result(said(("in", 0.0, 0.1), final=False))).separator == ""
    assert given(clock.result(said(("one", 0.0, 0.1)))).separator == ""
    assert given(clock.result(said(("two", 0.2, 0.3)))).separator == " "


def test_the_same_words_at_the_same_time_are_said_once() -> None:
    clock = timeline()
    line = said(("yes", 1.0, 1.2), ("yes", 1.3, 1.5))
    assert given(clock.result(line)).text == "yes yes"
    assert clock.result(line) is None
    assert clock.dropped == 2


def test_the_same_words_later_are_speech() -> None:
    clock = timeline()
    clock.result(said(("yes", 1.0, 1.2)))
    assert given(clock.result(said(("yes", 1.3, 1.5)))).text == "yes"


def test_of_a_final_said_in_part_before_only_the_rest_remains() -> None:
    clock = timeline()
    clock.result(said(("one", 1.0, 1.2), ("two", 1.3, 1.5)))
    result = given(clock.result(said(("two", 1.3, 1.5), ("three", 1.6, 1.8))))
    assert (result.text, result.start, result.separator) == ("three", 1.6, " ")


def test_words_that_overlap_by_a_hair_stay_and_results_do_not_overlap() -> None:
    clock = timeline()
    clock.result(said(("one", 1.0, 1.25)))
    result = given(clock.result(said(("two", 1.22, 1.5))))
    assert (result.text, result.start, result.end) == ("two", 1.25, 1.5)
    assert clock.dropped == 0


def test_words_of_one_final_may_share_their_time_or_overlap() -> None:
    clock = timeline()
    assert given(clock.result(said(("ni", 1.0, 1.2), ("hao", 1.0, 1.2)))).text == "ni hao"
    result = given(clock.result(said(("yes", 2.5, 2.9), ("no", 2.4, 2.6))))
    assert (result.text, result.start, result.end) == ("yes no", 2.4, 2.9)
    assert clock.result(said(("yes", 2.5, 2.9), ("no", 2.4, 2.6))) is None


def test_channels_have_a_time_each() -> None:
    clock = timeline()
    clock.result(said(("left", 1.0, 1.5), channel=0))
    assert clock.result(said(("right", 0.9, 1.4), channel=1)) is not None


def test_words_without_times_are_taken_as_they_come() -> None:
    clock = timeline()
    line = Hypothesis(text="no times", final=True)
    assert given(clock.result(line)).start is None
    assert given(clock.result(line)).text == "no times"


def test_interims_are_not_held_against_the_finals() -> None:
    clock = timeline()
    clock.result(said(("one", 1.0, 1.2)))
    assert given(clock.result(said(("on", 1.0, 1.1), final=False))).text == "on"
    assert given(clock.result(said(("two", 1.3, 1.4)))).text == "two"


def test_speakers_of_a_later_connection_are_told_apart() -> None:
    clock = timeline()
    line = Hypothesis(text="hi", final=True, speaker="1", words=(Word("hi", 0.0, 0.1, speaker="1"),))
    assert given(clock.result(line)).speaker == "1"
    clock.attach(5.0, "fake")
    result = given(clock.result(line))
    assert (result.speaker, result.words[0].speaker) == ("2/1", "2/1")
