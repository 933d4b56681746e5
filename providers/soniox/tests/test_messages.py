from __future__ import annotations

import json
from typing import Any

import pytest
from debabelizer_soniox.faults import Fault
from debabelizer_soniox.messages import Message, Token, parse_message
from hypothesis import given
from hypothesis import strategies as st

from debabelizer.errors import ProtocolError


def parsed(**body: Any) -> Message:
    return parse_message(json.dumps(body))


def test_a_whole_message() -> None:
    message = parsed(
        tokens=[
            {
                "text": " Hi",
                "start_ms": 120,
                "end_ms": 360,
                "confidence": 0.95,
                "is_final": True,
                "speaker": "1",
                "language": "en",
                "translation_status": "original",
                "newer": [1],
            },
            {"text": " Hola", "is_final": False, "language": "es", "translation_status": "translation"},
        ],
        final_audio_proc_ms=360,
        total_audio_proc_ms=1500,
        newer={"a": 1},
    )
    assert message == Message(
        (
            Token(" Hi", True, 120, 360, 0.95, "1", "en", "original"),
            Token(" Hola", False, language="es", translation_status="translation"),
        ),
        360,
        1500,
    )


def test_everything_may_be_missing_or_null() -> None:
    assert parsed() == Message()
    assert parsed(tokens=None, final_audio_proc_ms=None, finished=None, error_code=None) == Message()
    assert parsed(tokens=[{}, {"text": None, "start_ms": None}]) == Message((Token(), Token()))


def test_how_far_the_service_has_listened() -> None:
    assert parsed(total_audio_proc_ms=2000, final_audio_proc_ms=500).reached == 2.0
    assert parsed(final_audio_proc_ms=500).reached == 0.5
    assert parsed().reached is None


def test_counters_are_told_in_seconds() -> None:
    message = parsed(total_audio_proc_ms=2000, final_audio_proc_ms=500)
    assert (message.total, message.final) == (2.0, 0.5)
    assert (parsed().total, parsed().final) == (None, None)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"error_code": 503}, Fault(503)),
        ({"error_code": "503"}, Fault(503)),
        ({"error_type": "internal_error"}, Fault(kind="internal_error")),
        ({"error_message": "Oh."}, Fault(message="Oh.")),
        (
            {"error_code": 429, "error_type": "limit_exceeded", "error_message": "x", "request_id": "r", "tokens": []},
            Fault(429, "limit_exceeded", "x", "r"),
        ),
        ({"request_id": "r"}, None),
    ],
)
def test_any_of_three_members_makes_an_error(body: dict[str, Any], fault: Fault | None) -> None:
    assert parsed(**body).fault == fault


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (b"\x00\x01", "binary frame of 2 bytes"),
        ("", "0 characters"),
        ("not json", "8 characters"),
        ("[]", "array"),
        ("7", "int"),
        ("null", "null"),
        ("[" * 100_000, "array"),
        ('{"new": ' + "[" * 100_000, "100008 characters"),
        ('{"tokens": {}}', "$.tokens"),
        ('{"tokens": [7]}', "int"),
        ('{"tokens": [{"text": 7}]}', "$.tokens[0].text"),
        ('{"tokens": [{"is_final": 1}]}', "$.tokens[0].is_final"),
        ('{"tokens": [{"start_ms": "1"}]}', "$.tokens[0].start_ms"),
        ('{"tokens": [{"start_ms": -1}]}', "$.tokens[0].start_ms"),
        ('{"tokens": [{"end_ms": true}]}', "$.tokens[0].end_ms"),
        ('{"tokens": [{"confidence": NaN}]}', "33 characters"),
        ('{"tokens": [{"speaker": 1}]}', "$.tokens[0].speaker"),
        ('{"tokens": [{"language": []}]}', "$.tokens[0].language"),
        ('{"tokens": [{"translation_status": 1}]}', "$.tokens[0].translation_status"),
        ('{"final_audio_proc_ms": "1"}', "$.final_audio_proc_ms"),
        ('{"total_audio_proc_ms": 1e999}', "$.total_audio_proc_ms"),
        ('{"finished": "yes"}', "$.finished"),
        ('{"error_code": {}}', "error_code"),
        ('{"error_code": "x"}', "error_code"),
        (f'{{"error_code": "{"1" * 5000}"}}', "error_code"),
        ('{"error_code": true}', "error_code"),
        ('{"error_type": 7}', "$.error_type"),
        ('{"error_message": 7}', "$.error_message"),
    ],
)
def test_what_is_no_message_is_named_and_not_repeated(frame: str | bytes, named: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_message(frame)
    assert named in str(caught.value)
    assert len(str(caught.value)) < 150


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
members = ["tokens", "text", "start_ms", "is_final", "finished", "error_code", "final_audio_proc_ms"]


@given(st.text(max_size=50) | st.binary(max_size=50))
def test_rubbish_is_a_protocol_error(frame: str | bytes) -> None:
    try:
        parse_message(frame)
    except ProtocolError:
        pass


@given(
    st.dictionaries(
        st.sampled_from(members),
        json_values | st.lists(st.dictionaries(st.sampled_from(members), json_values, max_size=3), max_size=2),
        max_size=4,
    )
)
def test_strange_members_are_a_protocol_error(body: dict[str, Any]) -> None:
    try:
        parsed(**body)
    except ProtocolError:
        pass
