# ruff: noqa: RUF001
from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debabelizer.errors import CapabilityError
from debabelizer.export.cues import LINE_WIDTH, MAX_LINES, Cue, cues
from debabelizer.export.tokens import width
from debabelizer.results import Segment, Transcript, Word

settled = settings(deadline=None, derandomize=True)


def said(transcript: Transcript) -> str:
    """All that must be shown, without white space."""
    return "".join(
        "".join("".join(word.text for word in segment.words).split() or segment.text.split())
        for segment in transcript.segments
    )


def shown(result: tuple[Cue, ...]) -> str:
    return "".join("".join("".join(cue.lines).split()) for cue in result)


def one_segment(text: str, start: float | None = 0.0, end: float | None = 10.0, duration: float = 10.0) -> Transcript:
    return Transcript(text=text, segments=(Segment(text, start, end),), duration=duration, provider="parrot")


def evenly(text: str, *, start: float = 0.0, each: float = 0.3, gap: float = 0.05) -> tuple[Word, ...]:
    return tuple(
        Word(word, start + i * (each + gap), start + i * (each + gap) + each) for i, word in enumerate(text.split())
    )


@settled
@given(data=st.data())
def test_every_word_is_shown_once_and_in_order(data: st.DataObject, transcripts: st.SearchStrategy[Transcript]) -> None:
    transcript = data.draw(transcripts)
    assert shown(cues(transcript)) == said(transcript)


@settled
@given(data=st.data())
def test_lines_fit(data: st.DataObject, transcripts: st.SearchStrategy[Transcript]) -> None:
    for cue in cues(data.draw(transcripts)):
        assert 1 <= len(cue.lines) <= MAX_LINES
        for line in cue.lines:
            assert 1 <= width(line) <= LINE_WIDTH
            assert line == re.sub(r"[^\S\u00a0\u2007\u202f]+", " ", line).strip(" ")


@settled
@given(data=st.data())
def test_cues_follow_each_other(data: st.DataObject, transcripts: st.SearchStrategy[Transcript]) -> None:
    result = cues(data.draw(transcripts))
    assert all(0 <= cue.start < cue.end <= cue.start + 7000 for cue in result)
    assert all(before.end <= after.start for before, after in pairwise(result))


@settled
@given(data=st.data())
def test_a_short_cue_has_no_free_time_beside_it(
    data: st.DataObject, transcripts: st.SearchStrategy[Transcript]
) -> None:
    transcript = data.draw(transcripts)
    result = cues(transcript)
    for before, cue, after in zip((None, *result), result, (*result[1:], None), strict=False):
        long_enough = cue.end - cue.start >= 1000
        assert long_enough or cue.start == (before.end if before else 0)
        assert long_enough or after is None or cue.end == after.start
        assert long_enough or after is not None or cue.end >= round(transcript.duration * 1000)


@settled
@given(data=st.data())
def test_reading_is_hurried_only_where_no_time_is_left(
    data: st.DataObject, transcripts: st.SearchStrategy[Transcript]
) -> None:
    for cue, after in pairwise(cues(data.draw(transcripts))):
        needed = sum(map(len, cue.lines)) / 20 * 1000
        assert cue.end - cue.start >= min(needed, 7000) - 1 or cue.end == after.start


@settled
@given(st.lists(st.text("abcdefgh.,?!", min_size=1, max_size=14), min_size=1, max_size=80), st.integers(1, 90))
def test_words_stay_whole(words: list[str], seconds: int) -> None:
    result = cues(one_segment(" ".join(words), 0, seconds, seconds))
    assert [word for cue in result for line in cue.lines for word in line.split(" ")] == words


def test_word_times_are_kept() -> None:
    words = (*evenly("This is the first.", start=1.0), *evenly("And this the second.", start=8.0))
    result = cues(Transcript(text="", segments=(Segment("", words=words),), duration=20))
    assert [(cue.start, cue.lines) for cue in result] == [
        (1000, ("This is the first.",)),
        (8000, ("And this the second.",)),
    ]
    assert result[0].end == round((words[3].end or 0) * 1000)


def test_a_cue_begins_and_ends_with_a_sentence_where_it_can() -> None:
    text = "We choose to go to the moon. We choose to go to the moon in this decade and do the other things."
    result = cues(Transcript(text=text, segments=(Segment(text, words=evenly(text)),), duration=20))
    assert [" ".join(cue.lines) for cue in result] == [
        "We choose to go to the moon.",
        "We choose to go to the moon in this decade and do the other things.",
    ]


def test_two_lines_are_balanced() -> None:
    (cue,) = cues(one_segment("one two three four five six seven eight nine ten", 0, 5))
    assert cue.lines == ("one two three four five", "six seven eight nine ten")


def test_a_line_breaks_behind_a_comma_rather_than_in_the_exact_middle() -> None:
    (cue,) = cues(one_segment("what your country can do, ask what you can do for it", 0, 5))
    assert cue.lines == ("what your country can do,", "ask what you can do for it")


def test_a_pause_ends_a_cue() -> None:
    words = (*evenly("and then", start=0.0), *evenly("nothing", start=5.0))
    result = cues(Transcript(text="", segments=(Segment("", words=words),), duration=9))
    assert [cue.lines for cue in result] == [("and then",), ("nothing",)]
    assert result[0].end == 1000


def test_speakers_do_not_share_a_cue() -> None:
    segments = (Segment("Is it you?", 0, 1.2, speaker="1"), Segment("It is.", 1.2, 2.4, speaker="2"))
    result = cues(Transcript(text="", segments=segments, duration=3))
    assert [(cue.speaker, cue.lines) for cue in result] == [("1", ("Is it you?",)), ("2", ("It is.",))]


def test_voices_that_overlap_give_cues_that_do_not() -> None:
    segments = (Segment("I was saying that", 0, 4, channel=0), Segment("No wait", 1, 2, channel=1))
    first, second = cues(Transcript(text="", segments=segments, duration=6))
    assert first.end <= second.start < second.end


def test_a_word_at_the_very_end_is_shown_early_rather_than_too_briefly() -> None:
    (cue,) = cues(Transcript(text="", segments=(Segment("Over.", 10.7, 10.9),), duration=11.0))
    assert (cue.start, cue.end) == (10_000, 11_000)


def test_a_word_that_lasts_too_long_is_shown_for_seven_seconds() -> None:
    (cue,) = cues(one_segment("Goooal", 2, 30, 60))
    assert (cue.start, cue.end) == (2000, 9000)


def test_text_without_spaces_breaks_between_characters_and_keeps_its_punctuation() -> None:
    text = "不是因为它们容易，而是因为它们困难。" * 3
    result = cues(one_segment(text, 0, 12, 12))
    lines = [line for cue in result for line in cue.lines]
    assert "".join(lines) == text
    assert all(width(line) <= LINE_WIDTH and line[0] not in "，。" for line in lines)


def test_a_word_wider_than_a_line_is_cut() -> None:
    (cue,) = cues(one_segment("x" * 60, 0, 5))
    assert "".join(cue.lines) == "x" * 60


def test_a_no_break_space_is_never_broken() -> None:
    text = f"{'word ' * 7}Bonjour\u00a0! et encore {'word ' * 7}"
    assert all(not line.startswith("!") for cue in cues(one_segment(text)) for line in cue.lines)


def test_missing_times_are_filled_from_their_neighbours() -> None:
    words = (Word("one", 1.0), Word("two"), Word("three"), Word("four", None, 3.0), Word("five", 9.0, 9.5))
    first, second = cues(Transcript(text="", segments=(Segment("", words=words),), duration=12))
    assert (first.start, first.end, first.lines) == (1000, 3000, ("one two three four",))
    assert (second.start, second.lines) == (9000, ("five",))


def test_a_segment_without_times_stands_between_its_neighbours() -> None:
    segments = (Segment("First.", 0, 2), Segment("Second."), Segment("Third.", 4, 6))
    result = cues(Transcript(text="", segments=segments, duration=6))
    assert [word for cue in result for line in cue.lines for word in line.split()] == ["First.", "Second.", "Third."]


def test_an_unknown_end_is_not_taken_for_the_end_of_the_recording() -> None:
    (cue,) = cues(one_segment("Hello there.", 5.0, None, 3600))
    assert (cue.start, cue.end) == (5000, 7200)  # nobody speaks slower than 0.2 s a character


def test_an_unknown_start_is_not_taken_for_the_end_of_what_came_before() -> None:
    segments = (Segment("Yes.", 0, 1), Segment("No.", None, 60))
    _, cue = cues(Transcript(text="", segments=segments, duration=60))
    assert cue.start == 59_000


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_said_gives_no_cue(text: str) -> None:
    assert cues(Transcript(text=text, segments=(Segment(text, 0, 1),), duration=1)) == ()
    assert cues(Transcript(text=text, duration=1)) == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Transcript(text="Hello.", duration=2, provider="parrot"),
        lambda: one_segment("Hello.", None, None),
        lambda: Transcript(text="", segments=(Segment("", words=(Word("Hello."),)),), duration=2, provider="parrot"),
    ],
)
def test_a_transcript_without_any_time_is_refused(make: Callable[[], Transcript]) -> None:
    with pytest.raises(CapabilityError, match=r"parrot gave none") as caught:
        cues(make())
    assert (caught.value.provider, caught.value.capability) == ("parrot", "words")
    assert caught.value.hint
