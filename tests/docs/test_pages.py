"""The pages are true: links lead somewhere, generated parts are current, what the gate runs is what README says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.faults import CASES
from support.readme import PAGE, current

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)]*))?\)")


def anchors(page: Path) -> set[str]:
    """What can stand behind ``#``, made of the headings as GitHub does it."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = [heading.lower().replace("`", "") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link[0]]
    targets = [(page.parent / target if target else page, anchor) for target, anchor in links]
    assert [target for target, _ in targets if not target.exists()] == []
    assert [anchor for target, anchor in targets if anchor and anchor not in anchors(target)] == []


def test_the_readme_leads_to_every_page() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## Read on")[1]
    linked = {(ROOT / target).resolve() for target, _ in LINK.findall(table)}
    assert [page for page in (ROOT / "docs").rglob("*.md") if page not in linked] == []


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
