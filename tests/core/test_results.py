from __future__ import annotations

import copy
import pickle
import typing
from dataclasses import is_dataclass

import pytest

import debabelizer
from debabelizer import results
from debabelizer.results import Segment, StreamEvent, StreamingResult, Transcript, Utterance, Word, join

VALUES = [getattr(results, name) for name in results.__all__ if name != "StreamEvent"]


@pytest.mark.parametrize("name", results.__all__)
def test_everything_is_public(name: str) -> None:
    assert getattr(debabelizer, name) is getattr(results, name)
    assert name in debabelizer.__all__


def test_the_door_names_them_all_without_loading_them() -> None:
    assert sorted(debabelizer._RESULTS) == sorted(results.__all__)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_frozen_and_slotted(value: type) -> None:
    assert is_dataclass(value)
    assert value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(value)


@pytest.mark.parametrize("value", [Word, Segment, StreamingResult, Transcript])
def test_what_the_provider_does_not_say_is_none(value: type) -> None:
    unsaid = {
        field.name: field.default
        for field in value.__dataclass_fields__.values()  # type: ignore[attr-defined]
        if field.name in {"start", "end", "confidence", "speaker", "language", "channel", "translation"}
    }
    assert unsaid
    assert set(unsaid.values()) == {None}


def test_a_final_cannot_be_changed() -> None:
    result = StreamingResult(text="Yes.", is_final=True)
    with pytest.raises(AttributeError):
        result.text = "No."  # type: ignore[misc]


def test_every_event_is_public_and_none_is_a_part_of_another() -> None:
    events = set(typing.get_args(StreamEvent))
    assert events <= set(VALUES)
    assert events.isdisjoint({Word, Segment, Transcript, Utterance})


def test_the_words_of_a_transcript_are_those_of_its_segments() -> None:
    one, two, three = (Word(text, number, number + 1) for number, text in enumerate(("one", "two", "three")))
    segments = (Segment("one two", words=(one, two)), Segment("(noise)"), Segment("three", words=(three,)))
    assert Transcript(text="one two (noise) three", segments=segments).words == (one, two, three)
    assert Transcript(text="").words == ()


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], ""),
        ([(" ", "one")], "one"),
        ([(" ", "one"), (" ", "two"), ("\n", "three")], "one two\nthree"),
        ([("", "你"), ("", "好")], "你好"),
        ([(" ", ""), (" ", "one")], " one"),
    ],
)
def test_join_puts_separators_between_texts(parts: list[tuple[str, str]], text: str) -> None:
    assert join(parts) == text
    assert join(iter(parts)) == text


def test_the_parts_of_an_utterance_are_not_in_its_repr() -> None:
    utterance = Utterance(text="Yes.", start=0.0, end=1.0, results=(StreamingResult(text="secret", is_final=True),))
    assert "secret" not in repr(utterance)


@pytest.mark.parametrize("remake", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_values_cross_the_border_of_a_process(remake: typing.Callable[[Transcript], Transcript]) -> None:
    transcript = Transcript(text="one", segments=(Segment("one", words=(Word("one", 0.0, 0.5),)),), duration=1.0)
    assert remake(transcript) == transcript
