"""What the Nova dialect makes of messages. What it must do as a provider is tested in test_conformance.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from debabelizer_deepgram.dialect import DeepgramDialect

from debabelizer import AudioFormat, InvalidRequestError, ProtocolError, ServiceUnavailableError, Word
from debabelizer.streaming.dialect import (
    Finished,
    Flushed,
    Hypothesis,
    Processed,
    Refusal,
    SpeechStart,
    UtteranceEnd,
)

Hear = Callable[..., list[Any]]

ONE, TWO, THREE = ("One", 0.1, 0.4), ("two", 0.5, 0.8), ("three.", 0.9, 1.2)
FINAL: dict[str, Any] = {"is_final": True}
PAUSE: dict[str, Any] = {"is_final": True, "speech_final": True}


def tell(dialect: DeepgramDialect, kind: str, **members: Any) -> list[Any]:
    return list(dialect.receive(json.dumps({"type": kind, **members})))


def texts(events: list[Any]) -> list[tuple[str, bool]]:
    return [(event.text, event.final) for event in events if isinstance(event, Hypothesis)]


def ends(events: list[Any]) -> list[Any]:
    """The signals that an utterance ended, as users get them."""
    return [
        event
        for event in events
        if isinstance(event, UtteranceEnd) or (isinstance(event, Hypothesis) and event.ends_utterance)
    ]


def settled(events: list[Any]) -> list[float]:
    return [event.through for event in events if isinstance(event, Processed) and event.final]


def test_everything_is_asked_for_in_the_address_but_the_key(nova: DeepgramDialect) -> None:
    opening = nova.open()
    assert opening.headers == {"Authorization": "Token test-key"}
    assert "test-key" not in opening.url
    assert urlsplit(opening.url).path == "/v1/listen"
    query = parse_qs(urlsplit(opening.url).query)
    assert query["encoding"] == ["linear16"]
    assert query["sample_rate"] == ["16000"]
    assert query["diarize_model"] == ["latest"]
    assert opening.frames == ()


def test_a_guess_is_replaced_until_it_is_final(hear: Hear) -> None:
    assert hear([ONE], 0.0, 0.6) == [
        Hypothesis(text="One", final=False, words=(Word("One", 0.1, 0.4, 0.5),), confidence=0.5),
        Processed(0.6),
    ]
    assert texts(hear([ONE, TWO], 0.0, 1.0)) == [("One two", False)]
    final = hear([ONE, TWO], 0.0, 1.0, **FINAL)
    assert texts(final) == [("One two", True), ("", False)]
    assert final[-2:] == [Processed(1.0), Processed(1.0, final=True)]


def test_the_rest_of_a_guess_stays_on_the_screen_when_the_final_is_shorter(hear: Hear) -> None:
    hear([ONE, TWO, THREE], 0.0, 1.3)
    final = hear([ONE], 0.0, 0.45, **FINAL)
    assert texts(final) == [("One", True), ("two three.", False)]
    assert settled(final) == [0.45]
    assert texts(hear([TWO, THREE], 0.45, 1.5)) == [("two three.", False)]
    assert texts(hear([TWO, THREE], 0.45, 1.5, **FINAL)) == [("two three.", True), ("", False)]


def test_a_window_that_cuts_a_word_of_the_guess_does_not_settle_it(hear: Hear) -> None:
    hear([ONE, TWO], 0.0, 1.0)
    assert settled(hear([ONE], 0.0, 0.55, **FINAL)) == [0.5]


def test_words_of_a_guess_that_the_final_dropped_are_gone(hear: Hear) -> None:
    hear([ONE, TWO], 0.0, 1.0)
    assert texts(hear([ONE], 0.0, 1.0, **FINAL)) == [("One", True), ("", False)]


def test_finals_of_silence_have_no_text_and_move_on(hear: Hear) -> None:
    assert hear([], 0.0, 3.0, **FINAL) == [Processed(3.0), Processed(3.0, final=True)]


def test_a_final_that_comes_again_is_not_said_again(hear: Hear) -> None:
    hear([ONE], 0.0, 0.6, **FINAL)
    assert hear([ONE], 0.0, 0.6, **FINAL) == []


def test_a_guess_that_comes_late_holds_nothing_final(hear: Hear) -> None:
    hear([ONE], 0.0, 0.6, **FINAL)
    assert hear([ONE], 0.0, 0.6) == []
    assert texts(hear([ONE, TWO], 0.0, 1.0)) == [("two", False)]


def test_a_pause_ends_the_utterance_once(nova: DeepgramDialect, hear: Hear) -> None:
    first = hear([ONE], 0.0, 0.45, **FINAL)
    assert ends(first) == []
    second = hear([TWO], 0.45, 1.0, **PAUSE)
    assert [event.text for event in ends(second)] == ["two"]
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=0.8) == []


def test_speech_final_counts_as_final_even_without_is_final(hear: Hear) -> None:
    assert texts(hear([ONE], 0.0, 0.6, speech_final=True)) == [("One", True)]


def test_a_pause_behind_words_that_were_final_ends_their_utterance(hear: Hear) -> None:
    hear([ONE], 0.0, 0.6, **FINAL)
    assert ends(hear([], 0.6, 1.0, **PAUSE)) == [UtteranceEnd(0.4)]
    assert ends(hear([], 1.0, 1.4, **PAUSE)) == []


def test_utterance_end_alone_ends_the_utterance(nova: DeepgramDialect, hear: Hear) -> None:
    hear([ONE], 0.0, 0.6, **FINAL)
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=0.4) == [UtteranceEnd(0.4)]
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=0.4) == []
    assert ends(hear([], 0.6, 1.0, **PAUSE)) == []


def test_utterance_end_that_comes_late_does_not_end_the_next_utterance(nova: DeepgramDialect, hear: Hear) -> None:
    hear([ONE], 0.0, 0.45, **PAUSE)
    hear([TWO], 0.45, 0.85, **FINAL)
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=0.4) == []
    assert [event.text for event in ends(hear([THREE], 0.85, 1.3, **PAUSE))] == ["three."]


def test_utterance_end_waits_for_its_words_to_be_final(nova: DeepgramDialect, hear: Hear) -> None:
    hear([ONE, TWO], 0.0, 1.0)
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=0.8) == []
    assert [event.text for event in ends(hear([ONE, TWO], 0.0, 1.0, **FINAL))] == ["One two"]


def test_utterance_end_waits_for_all_of_its_words(nova: DeepgramDialect, hear: Hear) -> None:
    hear([ONE, TWO], 0.0, 1.0)
    tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=0.8)
    assert ends(hear([ONE], 0.0, 0.45, **FINAL)) == []
    assert [event.text for event in ends(hear([TWO], 0.45, 1.0, **FINAL))] == ["two"]


def test_utterance_end_for_words_that_the_final_dropped(nova: DeepgramDialect, hear: Hear) -> None:
    hear([ONE], 0.0, 0.45, **FINAL)
    hear([TWO], 0.45, 1.0)
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=0.8) == []
    assert ends(hear([], 0.45, 1.0, **FINAL)) == [UtteranceEnd(0.4)]


def test_utterance_end_without_a_word_ends_what_is_final(nova: DeepgramDialect, hear: Hear) -> None:
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=-1) == []
    hear([ONE], 0.0, 0.6, **FINAL)
    assert tell(nova, "UtteranceEnd", channel=[0, 1], last_word_end=-1) == [UtteranceEnd(0.4)]


def test_speech_starts_once_in_an_utterance(nova: DeepgramDialect, hear: Hear) -> None:
    assert tell(nova, "SpeechStarted", channel=[0], timestamp=0.1) == [SpeechStart(0.1)]
    assert tell(nova, "SpeechStarted", channel=[0], timestamp=0.2) == []
    hear([ONE], 0.0, 0.6, **PAUSE)
    assert tell(nova, "SpeechStarted", channel=[0], timestamp=0.9) == [SpeechStart(0.9)]


def test_speakers_and_languages_make_finals_of_their_own(hear: Hear) -> None:
    said = hear(
        [(*ONE, {"speaker": 0, "language": "en-US"}), (*TWO, {"speaker": 1, "language": "es"})], 0.0, 1.0, **PAUSE
    )
    finals = [event for event in said if isinstance(event, Hypothesis) and event.final]
    assert [(final.text, final.speaker, final.language) for final in finals] == [("One", "0", "en"), ("two", "1", "es")]
    assert [final.ends_utterance for final in finals] == [False, True]


def test_speakers_of_a_guess_are_not_believed(hear: Hear) -> None:
    (guess, _) = hear([(*ONE, {"speaker": 3})], 0.0, 0.6)
    assert guess.words[0].speaker is None


def test_a_transcript_without_words_has_the_times_of_its_window(nova: DeepgramDialect) -> None:
    channel = {"alternatives": [{"transcript": "One", "confidence": 0.9, "words": [], "languages": ["en"]}]}
    said = tell(nova, "Results", start=1.0, duration=0.5, is_final=True, channel=channel)
    assert said[0] == Hypothesis(text="One", final=True, start=1.0, end=1.5, language="en")


def test_a_flush_is_answered_by_the_final_that_it_brought_about(
    nova: DeepgramDialect, hear: Hear, seconds: Callable[[float], bytes]
) -> None:
    nova.audio(seconds(1.0))
    assert nova.flush(0.0) == ('{"type": "Finalize"}',)
    said = hear([ONE], 0.0, 1.0, is_final=True, from_finalize=True)
    assert said[-1] == Flushed()
    assert Flushed() not in hear([], 1.0, 1.5, is_final=True, from_finalize=True)


def test_a_flush_without_an_answer_is_confirmed_by_the_next_final_that_reaches_so_far(
    nova: DeepgramDialect, hear: Hear, seconds: Callable[[float], bytes]
) -> None:
    nova.audio(seconds(0.5))
    nova.flush(0.0)
    nova.audio(seconds(1.0))
    nova.flush(0.0)
    assert Flushed() not in hear([ONE], 0.0, 0.45, **FINAL)
    assert hear([], 0.45, 1.0, **FINAL).count(Flushed()) == 1
    assert hear([], 1.0, 1.45, is_final=True, from_finalize=True).count(Flushed()) == 1, "as near as makes no odds"


def test_a_late_answer_does_not_confirm_the_next_flush(
    nova: DeepgramDialect, hear: Hear, seconds: Callable[[float], bytes]
) -> None:
    nova.audio(seconds(0.5))
    nova.flush(0.0)
    nova.audio(seconds(1.0))
    nova.flush(0.0)
    assert Flushed() in hear([ONE], 0.0, 0.6, **FINAL)
    assert Flushed() not in hear([], 0.6, 0.7, is_final=True, from_finalize=True)


def test_control_messages_are_text(nova: DeepgramDialect) -> None:
    assert [*map(json.loads, nova.keepalive())] == [{"type": "KeepAlive"}]
    assert [*map(json.loads, nova.end())] == [{"type": "CloseStream"}]
    assert all(isinstance(frame, str) for frame in (*nova.keepalive(), *nova.flush(0.0), *nova.end()))


def test_the_summary_is_the_proof_only_if_the_end_was_asked_for(nova: DeepgramDialect) -> None:
    assert tell(nova, "Metadata", duration=2.5, sha256="00", channels=1) == []
    nova.end()
    assert tell(nova, "Metadata", duration=2.5, sha256="00", channels=1) == [Finished(2.5)]


def test_an_error_message_is_typed(nova: DeepgramDialect) -> None:
    with pytest.raises(InvalidRequestError, match="SchemaError: No such type"):
        tell(nova, "Error", variant="SchemaError", description="No such type.", message="{}")
    with pytest.raises(ServiceUnavailableError, match="Broken"):
        tell(nova, "Error", variant="Other", description="Broken.")


def test_a_refusal_says_its_reason_and_request(nova: DeepgramDialect) -> None:
    headers = {"dg-error": "INVALID_AUTH: Invalid credentials.", "dg-request-id": "r-1"}
    error = nova.refusal(Refusal(status=401, body=b"", headers=headers))
    assert type(error).__name__ == "AuthenticationError"
    assert (error.code, error.request_id) == ("INVALID_AUTH", "r-1")
    assert "Invalid credentials" in str(error)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "7",
        "[]",
        b"{}",
        '{"type": 1}',
        '{"type": "Results", "start": "x"}',
        '{"type": "Results", "start": -1}',
        '{"type": "Results", "is_final": 1}',
        '{"type": "Results", "channel": []}',
        '{"type": "Results", "channel": {"alternatives": [7]}}',
        '{"type": "Results", "channel": {"alternatives": [{"words": [{"word": "a", "start": "0"}]}]}}',
        '{"type": "Results", "is_final": true, "channel": {"alternatives": [{"words": [{"word":"a","speaker":""}]}]}}',
        '{"type": "Results", "channel": {"alternatives": [{"languages": [1]}]}}',
        '{"type": "UtteranceEnd", "last_word_end": "x"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_message_breaks_the_protocol(nova: DeepgramDialect, frame: str | bytes) -> None:
    with pytest.raises(ProtocolError):
        list(nova.receive(frame))


def test_what_is_newer_than_the_dialect_is_passed_over(nova: DeepgramDialect) -> None:
    assert tell(nova, "ConfigureSuccess", keyterms=["x"]) == []
    assert tell(nova, "Weather", sky="blue") == []


def test_an_empty_results_is_silence(nova: DeepgramDialect) -> None:
    assert tell(nova, "Results", start=0.0, duration=1.0) == [Processed(1.0)]


@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_wire_is_what_is_sent(make_nova_request: Callable[..., Any], rate: int) -> None:
    dialect = DeepgramDialect(make_nova_request(), AudioFormat("mulaw", rate))
    query = parse_qs(urlsplit(dialect.open().url).query)
    assert (query["encoding"], query["sample_rate"]) == (["mulaw"], [str(rate)])
