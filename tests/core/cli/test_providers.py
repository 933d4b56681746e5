from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from debabelizer.cli.providers import abilities
from debabelizer.spec import Capabilities

Run = Callable[..., Any]


def test_the_table(run: Run) -> None:
    result = run("providers")
    lines = [line.split(maxsplit=3) for line in result.out.splitlines()]
    assert (result.code, result.err) == (0, "")
    assert lines[0][:3] == ["provider", "version", "here"]
    rows = {line[0]: line[1:] for line in lines if len(line) == 4}
    assert rows["parrot"] == ["1.5", "ready", "files, streams, word times; on this machine; languages: en, es"]
    assert rows["caged"][:2] == ["1.5", "unusable"]
    assert "It has no api_key." in result.out
    assert "Set the environment variable CAGED_API_KEY" in result.out
    assert "Type: pip install dodo" in result.out


def test_lines_are_not_wrapped_in_a_pipe(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = run("providers").out
    monkeypatch.setenv("COLUMNS", "40")
    assert run("providers").out == wide
    assert all(line == line.rstrip() for line in wide.splitlines())


def test_json(run: Run) -> None:
    result = run("providers", "--json")
    rows = {row["name"]: row for row in json.loads(result.out)}
    assert rows["parrot"]["status"] == "ready"
    assert rows["parrot"]["capabilities"]["words"] == "word"
    assert rows["caged"]["hint"].startswith("Set the environment variable CAGED_API_KEY")


@pytest.mark.parametrize("key", ["api_key=test-key", "api_key.env=OTHER_KEY"])
def test_a_secret_that_is_configured_counts(run: Run, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OTHER_KEY", "test-key")
    result = run("--set", f"providers.caged.{key}", "providers", "--json")
    assert {row["name"]: row["status"] for row in json.loads(result.out)}["caged"] == "ready"


def test_a_disabled_plugin_says_so(run: Run) -> None:
    result = run("providers", "--set", "plugins.disable=parrot")
    assert "disabled" in result.out
    assert "ready" not in result.out


def test_without_any_provider_there_is_advice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer.plugins.discovery.distributions", list)
    result = run("providers")
    assert (result.code, result.out) == (
        0,
        'No provider is installed. Type: pip install "debabelizer[moonshine]>=0.3"\n',
    )


@pytest.mark.parametrize(
    ("capabilities", "told"),
    [
        (Capabilities(streaming=True, languages=("*",)), "streams; over the network; many languages"),
        (Capabilities(batch=True, local=True), "files, streams; on this machine; languages not said"),
        (Capabilities(streaming=True, languages=tuple("abcdefghi")), "streams; over the network; 9 languages"),
        (
            Capabilities(batch=True, words="segment", languages=("en",)),
            "files, streams, segment times; over the network; languages: en",
        ),
    ],
)
def test_abilities(capabilities: Capabilities, told: str) -> None:
    assert abilities(capabilities) == told
