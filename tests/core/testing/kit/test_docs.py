"""docs/conformance.md tells of every test, event, capability and fault, and failures lead to headings that exist."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from debabelizer.spec import Capabilities
from debabelizer.streaming.dialect import ConnectionEvent
from debabelizer.testing.kit import ProviderSuite
from debabelizer.testing.kit.base import SuiteBase
from debabelizer.testing.kit.checks.faults import FAULTS, PHASES
from debabelizer.testing.kit.checks.file_faults import FILE_PHASES
from debabelizer.testing.kit.claims import OF_FILES, OF_STREAMS, OF_THEIR_OWN

ROOT = Path(__file__).parents[4]
KIT = ROOT / "debabelizer" / "testing" / "kit"
PAGE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]
HEADINGS = {title.lower().replace("`", "").replace(" ", "-") for title in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
TESTS = sorted(name for name in dir(ProviderSuite) if name.startswith("test_"))


def test_every_test_is_told_with_its_docstring_and_no_other() -> None:
    told = {row[0].strip("`"): row[1] for row in ROWS if row[0].startswith("`test_")}
    assert told == {name: inspect.getdoc(getattr(ProviderSuite, name)).replace("``", "`") for name in TESTS}


@pytest.mark.parametrize("event", get_args(ConnectionEvent), ids=lambda event: event.__name__)
def test_every_event_is_told_with_its_fields(event: type) -> None:
    (row,) = [row for row in ROWS if row[0] == f"`{event.__name__}`"]
    assert re.findall(r"`(\w+)`", row[1]) == [field.name for field in fields(event)]


def test_every_capability_is_told() -> None:
    assert {field.name for field in fields(Capabilities)} <= HEADINGS


def test_every_capability_is_tested() -> None:
    assert {*OF_STREAMS, *OF_FILES, *OF_THEIR_OWN} == {field.name for field in fields(Capabilities)}


def test_every_fault_and_phase_is_told() -> None:
    rows = {row[0].strip("`") for row in ROWS}
    assert rows >= set(FAULTS)
    for phase in (*PHASES, *FILE_PHASES):
        assert f"`{phase}`" in PAGE


def test_failures_lead_to_headings_that_exist() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in KIT.rglob("*.py"))
    places = set(re.findall(r'look="([\w-]+)"', source))
    assert len(places) > 15
    assert places - HEADINGS == set()


def test_every_attribute_of_a_suite_is_told() -> None:
    attributes = {name for name in inspect.get_annotations(SuiteBase) if not name.startswith("_")}
    told = {row[0].strip("`") for row in ROWS}
    assert attributes - {"kind"} <= told
