"""The pages are true: links lead somewhere, generated parts are current, what the gate runs is what README says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.faults import CASES
from support.readme import PAGE, current

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target, _ in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_table_of_providers_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == current(page)


def test_every_fault_stands_in_the_table_of_reliability_and_every_word_came() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").split("## Beside")[0]
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("|")}
    for case in CASES.values():
        row = rows[case.title]
        assert ("all words" in row) or case.error, row
        assert not re.search(r"\| -\d", row.split("|", 2)[2]), row


def test_the_gate_runs_the_command_of_the_readme() -> None:
    readme = PAGE.read_text(encoding="utf-8")
    commands = re.findall(r"^python3 -m venv .*$", readme, re.MULTILINE)
    assert len(commands) == 2
    assert commands[1].endswith("pytest -q -n auto")
    assert "<!-- the test command -->\n```console\n" + commands[1] in readme
