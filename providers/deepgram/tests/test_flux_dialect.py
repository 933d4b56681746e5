"""What the Flux dialect makes of messages, of silence, and of a close."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from debabelizer_deepgram.flux import FluxDialect

from debabelizer import AudioFormat, ProtocolError, ServiceUnavailableError, Word
from debabelizer.streaming.dialect import (
    Finished,
    Flushed,
    Hypothesis,
    Processed,
    Reply,
    SpeechStart,
)

Turn = Callable[..., list[Any]]
Seconds = Callable[[float], bytes]

ONE, TWO = ("One", 0.1, 0.4), ("two.", 0.5, 0.8)
FORCED = Reply(('{"type": "ForceEndTurn"}',))
CLOSE = '{"type": "CloseStream"}'


def interim(text: str, *words: Word, **members: Any) -> Hypothesis:
    return Hypothesis(text=text, final=False, words=words, confidence=0.5, **members)


def finals(events: list[Any]) -> list[Hypothesis]:
    return [event for event in events if isinstance(event, Hypothesis) and event.final]


def settled(events: list[Any]) -> list[float]:
    return [event.through for event in events if isinstance(event, Processed) and event.final]


def test_a_turn_may_change_until_it_ends(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(2.0))
    one, two = Word("One", 0.1, 0.4, 0.5), Word("two.", 0.5, 0.8, 0.5)
    assert take_turn("StartOfTurn", [ONE], 0.5) == [
        SpeechStart(0.1),
        interim("One", one, start=0.1, end=0.4),
        Processed(0.5),
    ]
    assert take_turn("Update", [ONE], 0.75) == [Processed(0.75)], "the same again is no news"
    assert take_turn("Update", [ONE, TWO], 1.0) == [interim("One two.", one, two, start=0.1, end=0.8), Processed(1.0)]
    assert take_turn("EagerEndOfTurn", [ONE, TWO], 1.25) == [Processed(1.25)]
    assert take_turn("TurnResumed", [ONE, TWO], 1.5) == [Processed(1.5)]
    assert take_turn("EndOfTurn", [ONE, TWO], 1.75, trigger="model") == [
        Hypothesis(
            text="One two.", final=True, words=(one, two), start=0.1, end=0.8, confidence=0.5, ends_utterance=True
        ),
        Hypothesis(text="", final=False),
        Processed(1.75, final=True),
    ]


def test_silence_between_turns_is_settled_with_a_margin(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(9.0))
    assert take_turn("Update", [], 1.0) == [Processed(1.0), Processed(0.0, final=True)]
    assert take_turn("Update", [], 9.0) == [Processed(9.0), Processed(7.0, final=True)]


def test_utterances_are_not_marked_for_those_who_do_not_want_it(make_flux_request: Callable[..., Any]) -> None:
    dialect = FluxDialect(make_flux_request(endpointing=False), AudioFormat())
    body = {"type": "TurnInfo", "event": "EndOfTurn", "audio_window_end": 1.0, "transcript": "One", "words": []}
    (final,) = finals(list(dialect.receive(json.dumps(body))))
    assert not final.ends_utterance


def test_words_without_times_have_the_time_of_their_turn(take_turn: Turn) -> None:
    (final,) = finals(take_turn("EndOfTurn", [("One",)], 3.0, audio_window_start=1.0, languages=["es", "en"]))
    assert (final.start, final.end, final.language) == (1.0, 3.0, "es")
    assert final.words[0].start is None


def test_a_turn_that_was_forced_settles_only_its_words(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(2.0))
    assert settled(take_turn("EndOfTurn", [ONE], 1.0, trigger="manual")) == []
    assert settled(take_turn("EndOfTurn", [TWO], 2.0, trigger="newer")) == [2.0]


def test_without_audio_silence_keeps_the_clock_of_the_vendor_going(
    flux: FluxDialect, take_turn: Turn, seconds: Seconds
) -> None:
    flux.audio(seconds(1.0))
    take_turn("StartOfTurn", [ONE], 0.5)
    (frame,) = flux.keepalive()
    assert frame == seconds(flux.keepalive_after or 0.0).replace(b"\1", b"\0"), "as much silence as time has passed"
    take_turn("EndOfTurn", [ONE], 2.0, trigger="model")
    (frame,) = flux.keepalive()
    assert 0 < len(frame) < 16000, "between turns a little will do"


def test_silence_is_taken_out_of_all_times(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(1.0))
    take_turn("StartOfTurn", [ONE], 0.5)
    flux.keepalive()  # 2 s
    flux.audio(seconds(1.0))
    (final, _, processed) = take_turn("EndOfTurn", [ONE, ("two.", 3.1, 3.4)], 3.75, trigger="model")
    assert [(word.start, word.end) for word in final.words] == [(0.1, 0.4), (pytest.approx(1.1), pytest.approx(1.4))]
    assert processed == Processed(1.75, final=True)


def test_a_flush_forces_the_turn_to_end_when_all_of_it_was_transcribed(
    flux: FluxDialect, take_turn: Turn, seconds: Seconds
) -> None:
    flux.audio(seconds(1.0))
    take_turn("StartOfTurn", [ONE], 0.5)
    assert flux.flush(0.0) == ()
    assert FORCED not in take_turn("Update", [ONE], 0.75)
    assert take_turn("Update", [ONE, TWO], 1.0)[-1] == FORCED
    assert FORCED not in take_turn("Update", [ONE, TWO], 1.25), "it is asked once"
    assert take_turn("EndOfTurn", [ONE, TWO], 1.25, trigger="manual")[-1] == Flushed()


def test_a_flush_without_a_turn_is_answered_by_silence(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(1.0))
    flux.flush(0.0)
    assert Flushed() not in take_turn("Update", [], 0.75)
    assert take_turn("Update", [], 1.0)[-1] == Flushed()
    assert Flushed() not in take_turn("Update", [], 1.25)


def test_silence_comes_sooner_for_somebody_who_waits_for_a_flush(
    flux: FluxDialect, take_turn: Turn, seconds: Seconds
) -> None:
    """Updates come in steps: without more audio the last of it would not be heard."""
    flux.audio(seconds(1.0))
    before = flux.keepalive_after or 0.0
    flux.flush(0.0)
    while_waiting = flux.keepalive_after or 0.0
    assert while_waiting < before
    assert flux.keepalive() == (bytes(round(while_waiting * 32000)),)
    take_turn("Update", [], 1.25)
    assert flux.keepalive_after == before


def test_a_short_wait_for_a_flush_that_is_answered_meanwhile_brings_no_silence(
    flux: FluxDialect, take_turn: Turn, seconds: Seconds
) -> None:
    flux.audio(seconds(1.0))
    flux.flush(0.0)
    assert (flux.keepalive_after or 0.0) < 1.0
    take_turn("Update", [], 1.0)  # answers it
    flux.audio(seconds(1.0))
    take_turn("StartOfTurn", [ONE], 1.5)
    assert flux.keepalive() == ()
    assert flux.keepalive_after == 2.0
    assert flux.keepalive() == (bytes(64000),)


@pytest.mark.parametrize("code", [None, 1000, 1005])
def test_a_close_behind_the_last_audio_is_the_end(
    flux: FluxDialect, take_turn: Turn, seconds: Seconds, code: int | None
) -> None:
    flux.audio(seconds(1.0))
    take_turn("StartOfTurn", [ONE], 0.5)
    assert flux.end()[-1] == CLOSE
    take_turn("Update", [ONE, TWO], 1.25)
    said = list(flux.hung_up(code))
    assert [final.text for final in finals(said)] == ["One two."]
    assert said[-2:] == [Hypothesis(text="", final=False), Finished(1.0)]


def test_a_close_is_no_end_before_all_audio_was_heard(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(1.0))
    take_turn("StartOfTurn", [ONE], 1.0)
    assert list(flux.hung_up(1000)) == [], "it was not asked for"
    flux.end()
    take_turn("Update", [ONE], 0.99)
    assert list(flux.hung_up(1011)) == [], "a failure"


def test_the_last_audio_must_be_reached(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(1.0))
    flux.end()
    take_turn("Update", [ONE], 0.99)
    assert list(flux.hung_up(None)) == []
    take_turn("Update", [ONE], 1.0)
    assert list(flux.hung_up(None))[-1] == Finished(1.0)


def test_nothing_is_asked_for_after_the_end(flux: FluxDialect, take_turn: Turn, seconds: Seconds) -> None:
    flux.audio(seconds(1.0))
    take_turn("StartOfTurn", [ONE], 0.5)
    flux.flush(0.0)
    flux.end()
    assert FORCED not in take_turn("Update", [ONE], 2.0)
    assert Flushed() in flux.hung_up(1005)


def test_a_fatal_error_is_typed(flux: FluxDialect) -> None:
    body = {"type": "Error", "sequence_id": 3, "code": "INTERNAL_SERVER_ERROR", "description": "Oh dear."}
    with pytest.raises(ServiceUnavailableError, match="INTERNAL_SERVER_ERROR: Oh dear") as caught:
        list(flux.receive(json.dumps(body)))
    assert caught.value.code == "INTERNAL_SERVER_ERROR"


def test_what_is_newer_than_the_dialect_is_passed_over(flux: FluxDialect) -> None:
    for kind in ("Connected", "Warning", "ConfigureSuccess", "Weather"):
        assert list(flux.receive(json.dumps({"type": kind}))) == []


@pytest.mark.parametrize("frame", ["", b"", '{"type": "TurnInfo"}', '{"type": "TurnInfo", "event": "Update"}'])
def test_what_is_no_message_breaks_the_protocol(flux: FluxDialect, frame: str | bytes) -> None:
    with pytest.raises(ProtocolError):
        list(flux.receive(frame))


def test_the_address_is_that_of_turns(flux: FluxDialect) -> None:
    opening = flux.open()
    assert urlsplit(opening.url).path == "/v2/listen"
    assert parse_qs(urlsplit(opening.url).query)["model"] == ["flux-general-multi"]
    assert opening.headers == {"Authorization": "Token test-key"}
