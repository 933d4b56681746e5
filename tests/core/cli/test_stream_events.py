from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_args

import pytest

from debabelizer.cli.events import TYPES, event_line
from debabelizer.config.redaction import remember
from debabelizer.errors import ServiceUnavailableError, StreamError
from debabelizer.results import (
    Closed,
    Progress,
    ProviderChanged,
    Reconnected,
    Reconnecting,
    SpeechStarted,
    StreamEvent,
    StreamingResult,
    StreamStats,
    Usage,
    UtteranceEnded,
    Word,
)

BUSY = ServiceUnavailableError("It is busy.", provider="soniox", hint="Try later.")
EVENTS: list[tuple[Any, dict[str, Any]]] = [
    (SpeechStarted(1.23456), {"type": "speech_started", "at": 1.235}),
    (UtteranceEnded(None), {"type": "utterance_ended", "at": None}),
    (
        Reconnecting(attempt=1, provider="soniox", cause=BUSY, delay=0.25),
        {
            "type": "reconnecting",
            "attempt": 1,
            "provider": "soniox",
            "cause": {"type": "ServiceUnavailableError", "message": "It is busy.", "hint": "Try later."},
            "delay": 0.25,
        },
    ),
    (
        Reconnected(attempt=2, provider="soniox", replayed=1.0, gap=0.0, speakers_restart=True),
        {
            "type": "reconnected",
            "attempt": 2,
            "provider": "soniox",
            "replayed": 1.0,
            "gap": 0.0,
            "speakers_restart": True,
        },
    ),
    (
        ProviderChanged(previous="soniox", provider="moonshine", at=3.0),
        {"type": "provider_changed", "previous": "soniox", "provider": "moonshine", "at": 3.0, "cause": None},
    ),
    (Progress(done=1.0, note="Slow."), {"type": "progress", "done": 1.0, "total": None, "note": "Slow."}),
    (Closed(), {"type": "closed", "error": None, "stats": None}),
    (
        Closed(ValueError("No.")),
        {"type": "closed", "error": {"type": "ValueError", "message": "No.", "hint": None}, "stats": None},
    ),
]


@pytest.mark.parametrize(("event", "record"), EVENTS, ids=[record["type"] for _, record in EVENTS])
def test_an_event_is_a_line(event: Any, record: dict[str, Any]) -> None:
    line = event_line(event)
    assert line.endswith("\n")
    assert list(json.loads(line).items()) == list(record.items())


def test_a_result_has_all_its_fields() -> None:
    result = StreamingResult(text="你好\u2028", is_final=True, start=0.1, words=(Word("你好", 0.1, float("nan")),))
    line = event_line(result)
    record = json.loads(line)
    assert list(record) == ["type", *(field.name for field in fields(StreamingResult))]
    assert list(record["words"][0]) == [field.name for field in fields(Word)]
    assert (record["text"], record["start"], record["end"]) == ("你好\u2028", 0.1, None)
    assert record["words"][0]["end"] is None
    assert "你好" in line
    assert len(line.splitlines()) == 1


def test_what_it_cost_is_told() -> None:
    stats = StreamStats(usage=(Usage(provider="soniox", sent=6.0, price_per_hour=0.12), Usage(provider="odd")))
    told = json.loads(event_line(Closed(stats=stats)))["stats"]["usage"]
    assert [usage["cost"] for usage in told] == [0.0002, None]


def test_every_kind_of_event_has_its_name() -> None:
    assert set(TYPES) == set(get_args(StreamEvent))
    assert len(set(TYPES.values())) == len(TYPES)


def test_an_error_is_its_message_without_its_history() -> None:
    error = StreamError("It failed.", provider="soniox", attempts=(), accepted=1, sent=1, confirmed=0)
    assert json.loads(event_line(Closed(error)))["error"] == {
        "type": "StreamError",
        "message": "It failed.",
        "hint": None,
    }


def test_secrets_are_masked() -> None:
    remember('test-"key"')
    line = event_line(Closed(ServiceUnavailableError('The key test-"key" is odd.')))
    assert json.loads(line)["error"]["message"] == "The key ********** is odd."
