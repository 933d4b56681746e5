"""The tables of docs/streaming.md name all there is, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from debabelizer.cli.events import TYPES
from debabelizer.errors import Attempt, StreamError
from debabelizer.results import StreamingResult, StreamStats, Utterance, Word
from debabelizer.streaming.policy import StreamPolicy

PAGE = (Path(__file__).parents[2] / "docs" / "streaming.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]


def names(cls: type[Any]) -> set[str]:
    return {field.name for field in fields(cls)}


@pytest.mark.parametrize("event", TYPES, ids=lambda event: event.__name__)
def test_every_event_and_field_is_told(event: type[Any]) -> None:
    (row,) = [row for row in ROWS if row[0] == f"`{event.__name__}`"]
    assert row[1] == f"`{TYPES[event]}`"
    known = names(event) | (names(Word) if event is StreamingResult else set())
    assert set(re.findall(r"`([a-z_]+)`", row[2])) == known


def test_every_key_of_the_policy_is_told_with_its_default() -> None:
    default = StreamPolicy()
    told = {row[0].strip("`"): row[1] for row in ROWS if row[0].strip("`") in names(StreamPolicy)}
    assert told == {
        name: "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value).lower()
        for name in names(StreamPolicy)
        for value in [getattr(default, name)]
    }


def test_every_figure_and_field_is_told() -> None:
    error = StreamError("", provider="", attempts=(), accepted=0, sent=0, confirmed=0)
    for name in names(StreamStats) | names(Attempt) | names(Utterance) | set(vars(error)):
        assert f"`{name}`" in PAGE, name
