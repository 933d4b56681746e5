"""The tutorial shows what `debabelizer new-provider` writes, or what has tests; its reference names all there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from inspect import get_annotations
from pathlib import Path
from typing import get_args

import pytest

from debabelizer import errors
from debabelizer.cli.new_provider import Kind, render
from debabelizer.provider import Provider
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.streaming.connection import Link
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Opening

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "writing-a-provider.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"^\$ debabelizer new-provider (\w+) --kind (\w+)$", re.MULTILINE)
BLOCK = re.compile(
    r"^(?P<told>[^\n]*:)\n\n```(?P<kind>python|toml)( no-run)?\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)
WRITTEN = {name: render(name, Kind(kind)) for name, kind in COMMAND.findall(PAGE)}
POSTBOX = (ROOT / "tests" / "support" / "postbox.py").read_text(encoding="utf-8")  # see test_postbox
SHOWN = {**WRITTEN, "postbox": {"debabelizer_postbox/provider.py": POSTBOX}}


def blocks() -> Iterator[tuple[str, str, str]]:
    """Each block of code: of which plugin, from which file, and its text."""
    for block in BLOCK.finditer(PAGE):
        (path,) = re.findall(r"`([\w/]+\.(?:py|toml))`", block["told"])
        named = re.search(r"debabelizer_(\w+)", path + block["code"])
        name = named[1] if named else "keypad"
        yield name, path, block["code"]


BLOCKS = [pytest.param(*block, id=f"{number}-{block[1]}") for number, block in enumerate(blocks())]


def test_there_is_a_plugin_of_each_kind_and_no_block_is_passed_over() -> None:
    assert [kind for _, kind in COMMAND.findall(PAGE)] == ["batch", "websocket", "connection"]
    assert len(BLOCKS) == len(re.findall(r"^```(?:python|toml)", PAGE, re.MULTILINE)) > 10


@pytest.mark.parametrize(("name", "path", "code"), BLOCKS)
def test_a_block_is_what_is_written(name: str, path: str, code: str) -> None:
    file = SHOWN[name][path]
    lines = code.splitlines(True)
    indented = ["".join(" " * by + line if line.strip() else line for line in lines) for by in (0, 4, 8)]
    assert any(f"\n{text}" in f"\n{file}" for text in indented), f"{path} has no such lines; it is:\n{file}"


def rows(heading: str) -> set[str]:
    section = PAGE.split(f"### {heading}\n")[1].split("\n#")[0]
    firsts = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`(\w+)`", first)}


def public(contract: type) -> set[str]:
    return {name for name in (*vars(contract), *get_annotations(contract)) if not name.startswith("_")}


def test_the_reference_names_every_field_of_the_spec() -> None:
    assert rows("The spec") == {field.name for field in fields(ProviderSpec)}


def test_the_reference_names_every_capability() -> None:
    assert rows("Capabilities") == {field.name for field in fields(Capabilities)}


def test_the_reference_names_every_event() -> None:
    assert rows("Events of a connection") == {event.__name__ for event in get_args(ConnectionEvent)}


@pytest.mark.parametrize(
    ("heading", "contract"),
    [
        ("Methods of a provider", Provider),
        ("Methods of a dialect", Dialect),
        ("How to open a connection", Opening),
        ("What a connection is lent", Link),
    ],
)
def test_the_reference_names_every_member_of_a_contract(heading: str, contract: type) -> None:
    assert rows(heading) == public(contract)


def test_it_leads_to_the_explanation_of_the_tests() -> None:
    section = PAGE.split("## Test it")[1].split("\n## ")[0]
    assert "(conformance.md)" in section


def test_every_error_of_a_provider_is_told_with_what_comes_of_it() -> None:
    section = PAGE.split("## When something fails")[1].split("\n## ")[0]
    table = {row.split("|")[1]: row.split("|")[3] for row in section.splitlines() if row.startswith("| `")}
    told = {name: what for names, what in table.items() for name in re.findall(r"`(\w+)`", names)}
    kinds = {kind for kind in errors.ProviderError.__subclasses__() if kind.__module__ == errors.__name__}
    assert told.keys() == {kind.__name__ for kind in kinds}
    for kind in kinds:
        assert ("tries again" in told[kind.__name__]) is kind.retryable, kind
    assert hasattr(Dialect, "keepalive_after")
