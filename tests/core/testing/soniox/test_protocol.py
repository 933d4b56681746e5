"""The session as a state machine, without sockets and without waiting."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pytest

from debabelizer.testing.coded import encode_words, wav
from debabelizer.testing.soniox import Behaviour, CodedWords
from debabelizer.testing.soniox.errors import error_reply
from debabelizer.testing.soniox.keys import Grant, KeyRing
from debabelizer.testing.soniox.protocol import Close, Credential, Output, Send, SonioxSession, State

CONFIG = {"model": "stt-rt-v5", "audio_format": "pcm_s16le", "sample_rate": 16000, "num_channels": 1}
START = json.dumps(CONFIG)
AUDIO = encode_words(5)
ACK = {"tokens": [], "final_audio_proc_ms": 0, "total_audio_proc_ms": 0}
BEARER = Credential("header", "test-key")


class Clock(Protocol):
    now: float

    def __call__(self) -> float: ...


@pytest.fixture
def make(clock: Clock) -> Callable[..., SonioxSession]:
    def make(*credentials: Credential, keys: KeyRing | None = None, **behaviour: Any) -> SonioxSession:
        return SonioxSession(
            credentials=credentials,
            behaviour=Behaviour(**behaviour),
            keys=keys or KeyRing(["test-key"], clock),
            words=CodedWords(),
            clock=clock,
        )

    return make


@pytest.fixture
def running(make: Callable[..., SonioxSession]) -> Callable[..., SonioxSession]:
    def running(config: dict[str, Any] | None = None, **behaviour: Any) -> SonioxSession:
        session = make(BEARER, **behaviour)
        assert session.open() == []
        session.receive(json.dumps({**CONFIG, **(config or {})}))
        assert session.state is State.RUN
        return session

    return running


def messages(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    return [json.loads(output.text) for output in outputs if isinstance(output, Send)]


def assert_refused(session: SonioxSession, outputs: Sequence[Output], code: int, text: str, kind: str = "") -> None:
    (frame,) = messages(outputs)
    assert (frame["error_code"], frame["tokens"]) == (code, [])
    assert text in frame["error_message"]
    assert frame["error_type"] == (kind or error_reply(code).type)
    assert outputs[-1] == Close(1000)
    assert session.state is State.CLOSED
    assert session.deadline is None
    assert session.receive("") == session.receive(b"x") == session.tick() == []


class TestAuthentication:
    def test_by_header(self, make: Callable[..., SonioxSession]) -> None:
        session = make(BEARER)
        assert session.open() == []
        assert messages(session.receive(START)) == [ACK]
        assert session.authenticated_by == "header"

    def test_by_subprotocol(self, make: Callable[..., SonioxSession]) -> None:
        session = make(Credential("subprotocol", "test-key"))
        session.receive(START)
        assert session.authenticated_by == "subprotocol"

    def test_by_message(self, make: Callable[..., SonioxSession]) -> None:
        session = make()
        assert session.open() == []
        assert messages(session.receive(json.dumps({**CONFIG, "api_key": "test-key"}))) == [ACK]
        assert session.authenticated_by == "message"

    def test_by_message_is_refused_from_2027(self, make: Callable[..., SonioxSession]) -> None:
        session = make(legacy_auth=False)
        assert_refused(session, session.open(), 401, "Missing API key.")

    def test_two_keys_on_the_handshake(self, make: Callable[..., SonioxSession]) -> None:
        session = make(BEARER, Credential("subprotocol", "test-key"))
        assert_refused(session, session.open(), 400, "Only one API key")

    def test_a_second_key_in_the_message(self, make: Callable[..., SonioxSession]) -> None:
        session = make(BEARER)
        assert_refused(session, session.receive(json.dumps({**CONFIG, "api_key": "test-key"})), 400, "Only one API key")

    def test_no_key(self, make: Callable[..., SonioxSession]) -> None:
        session = make()
        assert_refused(session, session.receive(START), 401, "Missing API key.")

    def test_a_wrong_key_is_refused_after_the_start_request(self, make: Callable[..., SonioxSession]) -> None:
        session = make(Credential("header", "other"))
        assert session.open() == []
        assert_refused(session, session.receive(START), 401, "Invalid API key.")

    def test_a_wrong_key_is_refused_at_once_if_told_to(self, make: Callable[..., SonioxSession]) -> None:
        session = make(Credential("header", "other"), early_auth=True)
        assert_refused(session, session.open(), 401, "Invalid API key.")

    def test_a_credential_does_not_show_its_key(self) -> None:
        assert "test-key" not in repr(BEARER)


class TestTemporaryKeys:
    def start(self, make: Callable[..., SonioxSession], keys: KeyRing, key: str) -> tuple[SonioxSession, list[Output]]:
        session = make(Credential("header", key), keys=keys)
        return session, session.receive(START)

    def test_good(self, make: Callable[..., SonioxSession], clock: Clock) -> None:
        keys = KeyRing([], clock)
        _, outputs = self.start(make, keys, keys.issue(Grant("transcribe_websocket", 60.0)))
        assert messages(outputs) == [ACK]

    def test_expired(self, make: Callable[..., SonioxSession], clock: Clock) -> None:
        keys = KeyRing([], clock)
        key = keys.issue(Grant("transcribe_websocket", 60.0))
        clock.now = 60.0
        session, outputs = self.start(make, keys, key)
        assert_refused(session, outputs, 401, "expired", "temp_api_key_expired")

    def test_for_another_service(self, make: Callable[..., SonioxSession], clock: Clock) -> None:
        keys = KeyRing([], clock)
        session, outputs = self.start(make, keys, keys.issue(Grant("tts_rt", 60.0)))
        assert_refused(session, outputs, 401, "usage", "temp_api_key_usage_type_mismatch")

    def test_single_use(self, make: Callable[..., SonioxSession], clock: Clock) -> None:
        keys = KeyRing([], clock)
        key = keys.issue(Grant("transcribe_websocket", 60.0, single_use=True))
        assert messages(self.start(make, keys, key)[1]) == [ACK]
        session, outputs = self.start(make, keys, key)
        assert_refused(session, outputs, 401, "Invalid", "temp_api_key_invalid")

    def test_a_running_stream_survives_the_expiry_but_not_the_session(
        self, make: Callable[..., SonioxSession], clock: Clock
    ) -> None:
        keys = KeyRing([], clock)
        session, _ = self.start(make, keys, keys.issue(Grant("transcribe_websocket", 1.0, max_session=30.0)))
        clock.now = 15.0
        assert session.tick() == []
        session.receive(AUDIO)
        assert session.deadline == 30.0
        clock.now = 30.0
        assert_refused(session, session.tick(), 403, "session expired", "temp_api_key_session_expired")


class TestStart:
    def test_audio_comes_too_early(self, make: Callable[..., SonioxSession]) -> None:
        session = make(BEARER)
        assert_refused(session, session.receive(b"x"), 400, "Start request must be a text message.")

    @pytest.mark.parametrize("text", ["", "hello", "[]", "7"])
    def test_what_is_no_start_request(self, make: Callable[..., SonioxSession], text: str) -> None:
        session = make(BEARER)
        assert_refused(session, session.receive(text), 400, "Start request is malformed.")

    def test_an_invalid_start_request(self, make: Callable[..., SonioxSession]) -> None:
        session = make(BEARER)
        assert_refused(session, session.receive('{"model": "x"}'), 400, "Invalid model")

    def test_it_is_waited_for(self, make: Callable[..., SonioxSession], clock: Clock) -> None:
        session = make(BEARER)
        clock.now = 39.9
        assert session.tick() == []
        clock.now = 40.0
        assert_refused(session, session.tick(), 408, "Start request timeout")

    def test_keepalives_keep_the_wait_up(self, make: Callable[..., SonioxSession], clock: Clock) -> None:
        session = make(BEARER)
        clock.now = 30.0
        assert session.receive('{"type": "keepalive"}') == []
        assert session.deadline == 70.0

    @pytest.mark.parametrize(("ack", "first", "later"), [("sent", 1, 0), ("omitted", 0, 0), ("late", 0, 1)])
    def test_acknowledgement(self, make: Callable[..., SonioxSession], ack: str, first: int, later: int) -> None:
        session = make(BEARER, ack=ack)
        assert messages(session.receive(START)) == [ACK] * first
        assert messages(session.receive(bytes(2))) == [ACK] * later
        assert messages(session.receive(bytes(2))) == []

    def test_a_second_start_request(self, running: Callable[..., SonioxSession]) -> None:
        session = running()
        assert_refused(session, session.receive(START), 400, "Control request invalid type.")


class TestRun:
    def test_audio_gives_words(self, running: Callable[..., SonioxSession]) -> None:
        session = running()
        outputs = session.receive(AUDIO)
        assert session.seconds == pytest.approx(len(AUDIO) / 32000)
        assert any(message["tokens"] for message in messages(outputs))

    def test_silence_on_the_line_ends_the_session(self, running: Callable[..., SonioxSession], clock: Clock) -> None:
        session = running()
        clock.now = 5.0
        session.receive(bytes(2))
        clock.now = 24.9
        assert session.tick() == []
        clock.now = 25.0
        assert_refused(session, session.tick(), 408, "Request timeout.")

    def test_keepalives_and_audio_keep_the_session_up(
        self, running: Callable[..., SonioxSession], clock: Clock
    ) -> None:
        session = running()
        for message in ('{"type": "keepalive"}', bytes(2), '{"type":"keepalive"}'):
            clock.now += 15.0
            assert session.receive(message) == []
            assert session.deadline == clock.now + 20.0

    @pytest.mark.parametrize("message", [b"", '{"type": "finalize"}'])
    def test_nothing_else_does(self, running: Callable[..., SonioxSession], clock: Clock, message: str | bytes) -> None:
        session = running()
        clock.now = 15.0
        session.receive(message)
        assert session.deadline == 20.0

    def test_an_empty_binary_message_is_no_end(self, running: Callable[..., SonioxSession]) -> None:
        session = running()
        session.receive(AUDIO)
        assert session.receive(b"") == []
        assert session.state is State.RUN

    @pytest.mark.parametrize("members", [{}, {"trailing_silence_ms": 300}])
    def test_finalize(self, running: Callable[..., SonioxSession], members: dict[str, int]) -> None:
        session = running(final_delay=60.0)
        session.receive(AUDIO)
        (response,) = messages(session.receive(json.dumps({"type": "finalize", **members})))
        assert "".join(token["text"] for token in response["tokens"]) == "word0 word1 word2 word3 word4<fin>"

    @pytest.mark.parametrize("audio_format", ["pcm_s16le", "auto"])
    def test_finalize_before_any_audio(self, running: Callable[..., SonioxSession], audio_format: str) -> None:
        (response,) = messages(running({"audio_format": audio_format}).receive('{"type": "finalize"}'))
        assert response == {**ACK, "tokens": [{"text": "<fin>", "is_final": True}]}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "Control request is malformed."),
            ('{"type": "finalize", "trailing_silence_ms": -1}', "Control request is malformed."),
            ('{"type": "finish"}', "Control request invalid type."),
            ("{}", "Control request invalid type."),
            ("end!", "Invalid base64."),
        ],
    )
    def test_other_text(self, running: Callable[..., SonioxSession], text: str, message: str) -> None:
        session = running()
        assert_refused(session, session.receive(text), 400, message)

    def test_text_may_be_audio_in_base64(self, running: Callable[..., SonioxSession]) -> None:
        session = running()
        session.receive(base64.b64encode(AUDIO).decode())
        assert session.seconds == pytest.approx(len(AUDIO) / 32000)

    def test_the_stream_becomes_too_long(self, running: Callable[..., SonioxSession]) -> None:
        session = running(max_duration=1.0, cadence=0.5)
        outputs = session.receive(bytes(32002))
        assert [m["total_audio_proc_ms"] for m in messages(outputs[:2])] == [500, 1000]
        assert_refused(session, outputs[2:], 413, "Maximum stream duration")

    def test_a_wav_file(self, running: Callable[..., SonioxSession]) -> None:
        session = running({"audio_format": "auto"})
        session.receive(wav(AUDIO))
        assert session.seconds == pytest.approx(len(AUDIO) / 32000)

    def test_raw_audio_that_was_not_declared(self, running: Callable[..., SonioxSession]) -> None:
        session = running({"audio_format": "auto"})
        assert_refused(session, session.receive(AUDIO), 408, "Audio data decode timeout")

    def test_a_broken_file(self, running: Callable[..., SonioxSession]) -> None:
        session = running({"audio_format": "wav"})
        assert_refused(session, session.receive(b"RIFX" + bytes(60)), 400, "Audio decode error")


class TestDrain:
    def test_the_end(self, running: Callable[..., SonioxSession]) -> None:
        session = running()
        session.receive(AUDIO)
        *outputs, close = session.receive("")
        words, finished = messages(outputs)
        assert all(token["is_final"] for token in words["tokens"])
        assert finished["finished"] is True
        assert finished["tokens"] == []
        assert finished["final_audio_proc_ms"] == finished["total_audio_proc_ms"] == int(len(AUDIO) / 32)
        assert close == Close(1000)
        assert session.state is State.CLOSED

    def test_without_audio(self, running: Callable[..., SonioxSession]) -> None:
        session = running()
        assert_refused(session, session.receive(""), 400, "No audio received.")

    def test_it_may_take_a_while(self, running: Callable[..., SonioxSession], clock: Clock) -> None:
        session = running(finish_delay=3.0)
        session.receive(AUDIO)
        assert session.receive("") == []
        assert (session.state, session.deadline) == (State.DRAIN, 3.0)
        assert session.receive(AUDIO) == session.receive('{"type": "finalize"}') == session.tick() == []
        clock.now = 3.0
        assert session.tick()[-1] == Close(1000)
        assert session.state is State.CLOSED

    def test_finished_too_early(self, running: Callable[..., SonioxSession]) -> None:
        session = running()
        session.receive(AUDIO)
        (finished,) = messages(session.finish_early())
        assert finished["final_audio_proc_ms"] < finished["total_audio_proc_ms"]

    def test_finished_without_audio(self, running: Callable[..., SonioxSession]) -> None:
        (finished,) = messages(running().finish_early())
        assert finished == {**ACK, "finished": True}

    def test_close_code(self, running: Callable[..., SonioxSession]) -> None:
        session = running(close_code=1001)
        session.receive(AUDIO)
        assert session.receive("")[-1] == Close(1001)


def test_bytes_until_a_position(running: Callable[..., SonioxSession]) -> None:
    session = running()
    assert session.bytes_until(1.0) == 32000
    session.receive(bytes(31998))
    assert session.bytes_until(1.0) == 2
    session.receive(bytes(2))
    assert session.bytes_until(1.0) == 0
    assert session.bytes_until(0.5) == 0
