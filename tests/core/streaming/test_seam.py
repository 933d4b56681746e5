from __future__ import annotations

from typing import Any

import pytest

from debabelizer.errors import ProtocolError
from debabelizer.results import Word
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Finished,
    Flushed,
    Hypothesis,
    Processed,
    SpeechStart,
    UtteranceEnd,
)
from debabelizer.streaming.seam import TOLERANCE, Seam

LAST = Word("country", 11.5, 12.0)  # of the stream; the connection began to listen at 10.0


def seam(at: float = 12.0, last: Word | None = LAST, base: float = 10.0) -> Seam:
    return Seam(at, last, base)


def said(*words: tuple[str, float, float], final: bool = True, **fields: Any) -> Hypothesis:
    given = tuple(Word(*word) for word in words)
    return Hypothesis(text=" ".join(word.text for word in given), final=final, words=given, **fields)


def admitted(made: Seam, *events: ConnectionEvent) -> list[ConnectionEvent]:
    return [news for event in events if (news := made.admit(event)) is not None]


BEFORE = said(("your", 1.0, 1.5), ("country", 1.5, 2.0))
BEHIND = said(("can", 2.1, 2.4), ("do", 2.4, 2.6))


def test_what_was_said_is_left_out_and_the_rest_let_through() -> None:
    made = seam()
    assert admitted(made, BEFORE) == []
    assert not made.closed
    assert admitted(made, BEHIND, BEFORE) == [BEHIND, BEFORE]
    assert made.closed


def test_a_final_across_the_seam_is_cut() -> None:
    whole = said(("country", 1.5, 2.0), ("can", 2.1, 2.4), ("do", 2.4, 2.6), ends_utterance=True, speaker="1")
    (new,) = admitted(seam(), whole)
    assert new == said(("can", 2.1, 2.4), ("do", 2.4, 2.6), start=2.1, ends_utterance=True, speaker="1")


def test_nothing_is_cut_where_nothing_was_heard_before() -> None:
    made = seam(at=10.0)
    assert made.closed
    assert admitted(made, BEFORE) == [BEFORE]


@pytest.mark.parametrize("text", ["Country,", "COUNTRY", "coun-try"])
def test_writing_is_no_difference(text: str) -> None:
    assert admitted(seam(), said((text, 1.5, 2.0)), BEHIND) == [BEHIND]


@pytest.mark.parametrize("off", [-TOLERANCE + 0.01, TOLERANCE - 0.01])
def test_times_may_differ_a_little(off: float) -> None:
    assert admitted(seam(), said(("country", 1.5 + off, 2.0 + off)), BEHIND) == [BEHIND]


@pytest.mark.parametrize(
    "event",
    [
        BEHIND,  # the last word was not heard at all
        said(("county", 1.5, 2.0), ("can", 2.1, 2.4)),
        said(("country", 1.2, 1.8), ("can", 2.1, 2.4)),
        said(("country", 1.5, 2.0), ("can", 1.8, 2.4)),  # reaches across
        said(("can", 2.1, 2.4), ("country", 1.5, 2.0)),
        said(("country", 1.5, 2.0), ("can", 2.1, 2.4), translation="Land kann"),
        said(("country", 1.5, 2.0), ("can", 2.1, 2.4), channel=0),
        Hypothesis(text="country can", final=True, start=1.5, end=2.6),
        Hypothesis(text="country can", final=True),
        Hypothesis(text="can", final=True, words=(Word("can", 2.1),)),
        Processed(3.0, final=True),
        Finished(),
    ],
    ids=str,
)
def test_in_doubt_the_connection_is_refused(event: ConnectionEvent) -> None:
    with pytest.raises(ProtocolError, match="heard once more") as caught:
        seam().admit(event)
    assert caught.value.retry_after == 0.0


def test_where_nothing_was_said_nothing_may_have_been_heard() -> None:
    assert admitted(seam(last=None), BEHIND) == [BEHIND]
    with pytest.raises(ProtocolError):
        admitted(seam(last=None), BEFORE, BEHIND)


def test_a_last_word_from_before_it_listened_need_not_have_been_heard() -> None:
    assert admitted(seam(last=Word("ask", 9.0, 10.0)), BEHIND) == [BEHIND]


def test_text_without_words_fits_in_a_pause() -> None:
    segment = Hypothesis(text="for your country.", final=True, start=0.5, end=2.0)
    assert admitted(seam(), segment, BEHIND) == [BEHIND]


@pytest.mark.parametrize("proof", [Processed(2.5, final=True), Finished()])
def test_silence_behind_the_seam_closes_it_too(proof: ConnectionEvent) -> None:
    made = seam()
    assert admitted(made, BEFORE, Processed(1.9, final=True), proof) == [proof]
    assert made.closed


def test_guesses_show_only_what_is_behind() -> None:
    made = seam()
    nothing = Hypothesis(text="", final=False)
    assert made.admit(said(("country", 1.5, 2.0), final=False)) == nothing
    assert made.admit(Hypothesis(text="country can", final=False)) == nothing
    assert made.admit(Hypothesis(text="country can", final=False, start=1.5, end=2.6)) == nothing
    assert made.admit(said(("can", 2.1, 2.4), final=False)) == said(("can", 2.1, 2.4), final=False)
    cut = made.admit(said(("country", 1.5, 2.0), ("can", 2.1, 2.4), final=False))
    assert cut == said(("can", 2.1, 2.4), final=False, start=2.1)
    assert not made.closed


def test_the_end_of_the_utterance_that_was_said_is_told() -> None:
    made = seam()
    assert admitted(made, UtteranceEnd(2.2)) == []  # whose?
    assert admitted(made, said(("country", 1.5, 2.0), ends_utterance=True)) == [UtteranceEnd(None)]
    assert admitted(made, UtteranceEnd(1.0), UtteranceEnd(2.2), UtteranceEnd(None)) == [
        UtteranceEnd(2.2),
        UtteranceEnd(None),
    ]


def test_other_news_pass() -> None:
    events = [Processed(1.0), Flushed(), SpeechStart(2.2)]
    assert admitted(seam(), SpeechStart(1.0), *events) == events
