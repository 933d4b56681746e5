from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from debabelizer.export import to_json, to_text
from debabelizer.results import Segment, Transcript, Word

settled = settings(deadline=None, derandomize=True)


def test_text_is_what_was_said(spoken: Transcript) -> None:
    assert to_text(spoken) == spoken.text + "\n"
    assert to_text(Transcript(text="")) == ""


def test_json_has_its_keys() -> None:
    words = (Word("Hello,", 0.12345, 0.5, confidence=0.91234, speaker="1", language="en"), Word("you."))
    segment = Segment("Hello, you.", 0.1, 0.9, words=words, channel=0)
    transcript = Transcript(text="Hello, you.", segments=(segment,), language="en", duration=1.00049, provider="parrot")
    assert json.loads(to_json(transcript, "talk.wav")) == {
        "file": "talk.wav",
        "text": "Hello, you.",
        "segments": [{"text": "Hello, you.", "start": 0.1, "end": 0.9, "channel": 0}],
        "words": [
            {"text": "Hello,", "start": 0.123, "end": 0.5, "confidence": 0.912, "speaker": "1", "language": "en"},
            {"text": "you.", "start": None, "end": None},
        ],
        "language": "en",
        "duration": 1.0,
        "provider": "parrot",
    }


def test_json_has_warnings_and_translation_when_there_are_any(spoken: Transcript) -> None:
    record = json.loads(to_json(replace(spoken, warnings=("The file is truncated.",), translation="")))
    assert record["warnings"] == ["The file is truncated."]
    assert record["translation"] == ""
    assert {"warnings", "translation"}.isdisjoint(json.loads(to_json(spoken)))


def test_json_has_null_for_what_is_no_number() -> None:
    segment = Segment("x", float("nan"), float("inf"))
    record = json.loads(to_json(Transcript(text="x", segments=(segment,))), parse_constant=lambda name: 1 / 0)
    assert record["segments"] == [{"text": "x", "start": None, "end": None}]


def test_json_is_readable_in_every_script(spoken: Transcript) -> None:
    assert "你好, grüß" in to_json(replace(spoken, text="你好, grüß"))


@settled
@given(st.text(), st.text())
def test_json_is_one_line(text: str, file: str) -> None:
    line = to_json(Transcript(text=text), file)
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    record = json.loads(line)
    assert (record["text"], record["file"]) == (text, file)
