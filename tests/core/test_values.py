"""What is made many times a second is a frozen dataclass to everybody who looks."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from debabelizer.results import StreamingResult, Word
from debabelizer.streaming.dialect import Hypothesis, Processed

WORD = Word("one", 0.5, 1.0, separator="")
VALUES = [
    WORD,
    StreamingResult(text="one", is_final=True, words=(WORD,)),
    Hypothesis(text="one", final=False, words=(WORD,), language="en"),
    Processed(1.5, final=True),
]


@pytest.fixture(params=VALUES, ids=lambda value: type(value).__name__)
def value(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_it_never_changes(value: Any) -> None:
    name = dataclasses.fields(value)[0].name
    with pytest.raises(AttributeError):
        setattr(value, name, None)
    with pytest.raises(AttributeError):
        value.unknown = None


def test_equal_values_are_one_key(value: Any) -> None:
    other = copy.deepcopy(value)
    assert other == value
    assert {other, value} == {value}
    assert pickle.loads(pickle.dumps(value)) == value


def test_replace_gives_another_one(value: Any) -> None:
    first = dataclasses.fields(value)[0].name
    other = dataclasses.replace(value, **{first: getattr(value, first) * 2})
    assert getattr(other, first) == getattr(value, first) * 2
    assert dataclasses.replace(other, **{first: getattr(value, first)}) == value
    with pytest.raises(TypeError):
        dataclasses.replace(value, unknown=1)


def test_the_functions_of_dataclasses_see_its_fields_and_defaults(value: Any) -> None:
    assert dataclasses.is_dataclass(value)
    required = {
        part.name: getattr(value, part.name)
        for part in dataclasses.fields(value)
        if part.default is dataclasses.MISSING
    }
    made = type(value)(**required)
    for part in dataclasses.fields(value):
        assert getattr(made, part.name) == required.get(part.name, part.default)


def test_it_becomes_a_dictionary_down_to_its_words() -> None:
    record = dataclasses.asdict(StreamingResult(text="one", is_final=True, words=(WORD,)))
    assert record["text"] == "one"
    assert record["words"] == (
        {
            "text": "one",
            "start": 0.5,
            "end": 1.0,
            "confidence": None,
            "speaker": None,
            "language": None,
            "separator": "",
        },
    )


def test_it_can_be_taken_apart_by_a_pattern(value: Any) -> None:
    match value:
        case Word(text="one") | StreamingResult(is_final=True) | Hypothesis(final=False) | Processed(final=True):
            pass
        case _:
            pytest.fail("not recognised")
