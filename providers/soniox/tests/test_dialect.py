from __future__ import annotations

import json
from typing import Any

import pytest
from debabelizer_soniox.dialect import SonioxDialect
from debabelizer_soniox.settings import SonioxSettings

from debabelizer import (
    AudioFormat,
    AuthenticationError,
    InvalidRequestError,
    ProtocolError,
    ProviderError,
    RateLimitedError,
    Secret,
    ServiceUnavailableError,
)
from debabelizer.provider import Request
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Flushed, Hypothesis, Processed


@pytest.fixture
def dialect() -> SonioxDialect:
    return make()


def make(**wishes: Any) -> SonioxDialect:
    return SonioxDialect(Request(settings=SonioxSettings(api_key=Secret("test-key")), **wishes), AudioFormat())


def receive(dialect: SonioxDialect, **body: Any) -> list[ConnectionEvent]:
    return list(dialect.receive(json.dumps(body)))


def test_it_opens_with_the_key_in_the_header_and_nowhere_else(dialect: SonioxDialect) -> None:
    opening = dialect.open()
    assert opening.headers == {"Authorization": "Bearer test-key"}
    assert opening.url == "wss://stt-rt.soniox.com/transcribe-websocket"
    assert not opening.awaits_ready
    (frame,) = opening.frames
    assert isinstance(frame, str)
    assert json.loads(frame)["model"] == "stt-rt-v5"
    assert "test-key" not in repr(opening) + opening.url + frame


def test_what_it_sends(dialect: SonioxDialect) -> None:
    assert dialect.audio(b"\x01\x02") == b"\x01\x02"
    assert [json.loads(frame) for frame in dialect.keepalive()] == [{"type": "keepalive"}]
    assert [json.loads(frame) for frame in dialect.flush(0.3)] == [{"type": "finalize", "trailing_silence_ms": 300}]
    assert [json.loads(frame) for frame in dialect.flush(0.0)] == [{"type": "finalize"}]
    assert dialect.end() == ("",)


def test_keepalives_are_due_well_before_the_service_gives_up() -> None:
    assert SonioxDialect.keepalive_after == 10.0


def test_the_first_frame_may_be_a_sign_of_life(dialect: SonioxDialect) -> None:
    assert receive(dialect, tokens=[], final_audio_proc_ms=0, total_audio_proc_ms=0) == []


def ended(dialect: SonioxDialect, seconds: float) -> SonioxDialect:
    """The dialect after so much audio and the end."""
    dialect.audio(bytes(round(seconds * 32000)))
    dialect.end()
    return dialect


def test_finished_is_the_proof_and_says_how_far(dialect: SonioxDialect) -> None:
    ended(dialect, 1.0)
    events = receive(dialect, tokens=[], final_audio_proc_ms=900, total_audio_proc_ms=1000, finished=True)
    assert events == [Processed(1.0), Processed(0.9, final=True), Finished(1.0)]


def test_finished_without_counters(dialect: SonioxDialect) -> None:
    assert receive(dialect, tokens=[], finished=True) == [Finished(None)]


HELD = {"text": "morn", "start_ms": 0, "end_ms": 200, "is_final": True}


@pytest.mark.parametrize("counters", [{}, {"final_audio_proc_ms": 200, "total_audio_proc_ms": 900}])
def test_a_word_held_becomes_final_before_finished(dialect: SonioxDialect, counters: dict[str, int]) -> None:
    receive(dialect, tokens=[HELD])
    ended(dialect, 1.0)
    events = receive(dialect, tokens=[], finished=True, **counters)
    assert isinstance(events[0], Hypothesis)
    assert (events[0].text, events[0].final) == ("morn", True)
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("total", [0, 400, 9000])
def test_a_word_held_stays_so_when_finished_comes_too_early(dialect: SonioxDialect, total: int, asked: bool) -> None:
    receive(dialect, tokens=[HELD], final_audio_proc_ms=200, total_audio_proc_ms=200)
    dialect.audio(bytes(32000 * 10))
    if asked:
        dialect.end()
    counters = {"final_audio_proc_ms": min(total, 200), "total_audio_proc_ms": total}
    assert receive(dialect, tokens=[], finished=True, **counters) == [Finished(total / 1000)]


def test_final_tokens_that_come_with_a_finished_that_is_too_early_count(dialect: SonioxDialect) -> None:
    receive(dialect, tokens=[HELD])
    rest = [{**HELD, "text": "ing", "start_ms": 200, "end_ms": 400}, {**HELD, "text": " a", "start_ms": 400}]
    first, last = receive(dialect, tokens=rest, finished=True)
    assert isinstance(first, Hypothesis)
    assert (first.text, first.final, last) == ("morning", True, Finished(None))


@pytest.mark.parametrize("tokens", [{}, {"tokens": []}, {"tokens": [], "final_audio_proc_ms": 0}])
def test_an_error_with_and_without_tokens(dialect: SonioxDialect, tokens: dict[str, Any]) -> None:
    with pytest.raises(RateLimitedError) as caught:
        receive(dialect, **tokens, error_code=429, error_message="Slow down.", request_id="r-1")
    assert (caught.value.code, caught.value.request_id) == ("429", "r-1")


def test_final_tokens_that_come_with_an_error_count(dialect: SonioxDialect) -> None:
    final = {"text": "Hi ", "start_ms": 0, "end_ms": 200, "is_final": True}
    guess = {"text": "you", "start_ms": 300, "end_ms": 400, "is_final": False}
    iterator = iter(dialect.receive(json.dumps({"tokens": [final, guess], "error_code": 503})))
    first = next(iterator)
    assert isinstance(first, Hypothesis)
    assert (first.text, first.final) == ("Hi", True)
    with pytest.raises(ServiceUnavailableError):
        list(iterator)


def test_a_message_that_comes_twice_counts_once(dialect: SonioxDialect) -> None:
    tokens = [{"text": "Hi ", "start_ms": 0, "end_ms": 200, "is_final": True}]
    assert len(receive(dialect, tokens=tokens)) == 1
    assert receive(dialect, tokens=tokens) == []
    assert receive(dialect, tokens=[]) == []


def test_two_flushes_have_two_answers_though_they_look_the_same(dialect: SonioxDialect) -> None:
    answer = {"tokens": [{"text": "<fin>", "is_final": True}], "final_audio_proc_ms": 0, "total_audio_proc_ms": 0}
    assert receive(dialect, **answer) == receive(dialect, **answer) == [Flushed()]


def test_a_session_that_was_empty_on_purpose_has_finished(dialect: SonioxDialect) -> None:
    dialect.end()
    error = {"error_code": 400, "error_type": "invalid_request", "error_message": "No audio received."}
    assert receive(dialect, **error) == [Finished(0.0)]


def test_other_errors_of_an_empty_session_are_errors(dialect: SonioxDialect) -> None:
    dialect.end()
    with pytest.raises(InvalidRequestError):
        receive(dialect, error_code=400, error_message="Invalid model.")


def test_no_audio_received_is_an_error_when_audio_was_sent_or_no_end(dialect: SonioxDialect) -> None:
    error = {"error_code": 400, "error_message": "No audio received."}
    with pytest.raises(InvalidRequestError):
        receive(dialect, **error)
    dialect.audio(b"\0\0")
    dialect.end()
    with pytest.raises(InvalidRequestError):
        receive(dialect, **error)


def test_what_is_no_message_raises_at_once(dialect: SonioxDialect) -> None:
    with pytest.raises(ProtocolError):
        dialect.receive(b"\0")


def test_a_refused_handshake_is_a_typed_error(dialect: SonioxDialect) -> None:
    error = dialect.refused(401, b'{"error_type": "unauthenticated", "message": "Bad key."}', None)
    assert isinstance(error, AuthenticationError)
    assert "Bad key." in str(error)
    limited = dialect.refused(429, b"", 7.0)
    assert isinstance(limited, RateLimitedError)
    assert limited.retry_after == 7.0


def test_a_close_code_tells_nothing(dialect: SonioxDialect) -> None:
    assert dialect.closed(1000, "") is None


def test_a_request_that_cannot_be_fails_before_any_connection() -> None:
    with pytest.raises(InvalidRequestError):
        make(translate_to="nb")
    with pytest.raises(ProviderError, match="no API key"):
        SonioxDialect(Request(settings=SonioxSettings()), AudioFormat())


def test_two_dialects_share_nothing() -> None:
    one, other = make(), make()
    receive(one, tokens=[{"text": "Hi", "is_final": True}])
    assert receive(other, tokens=[], finished=True) == [Finished(None)]
