from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from debabelizer.cli.new_provider import Kind, render
from debabelizer.plugins.validation import faults
from debabelizer.spec import ProviderSpec

Run = Callable[..., Any]

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "debabelizer" / "templates"


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", Kind)
def test_it_writes_a_whole_distribution(run: Run, home: Path, kind: Kind) -> None:
    result = run("new-provider", "my_vendor2", "--kind", kind)
    assert (result.code, result.err) == (0, "")
    folder = home / "debabelizer-my-vendor2"
    files = written(folder)
    assert {"pyproject.toml", "README.md", "LICENSE", "debabelizer_my_vendor2/__init__.py"} < files
    assert {"debabelizer_my_vendor2/py.typed", "tests/test_conformance.py", "tests/simulator.py"} < files
    assert {f"debabelizer-my-vendor2/{name}" for name in files} < set(result.out.splitlines())
    assert "cd debabelizer-my-vendor2 && pip install" in result.out
    assert [path.name for path in home.iterdir()] == [folder.name]
    for name in files:
        text = (folder / name).read_text(encoding="utf-8")
        assert "$" not in text, name
        assert text.endswith("\n") or not text
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "debabelizer-my-vendor2"
    assert project["entry-points"] == {"debabelizer": {"my_vendor2": "debabelizer_my_vendor2"}}


def test_a_websocket_is_what_most_need(run: Run, home: Path) -> None:
    assert run("new-provider", "acme").code == 0
    assert (home / "debabelizer-acme" / "debabelizer_acme" / "dialect.py").exists()


def test_it_goes_where_it_is_told(run: Run, tmp_path: Path) -> None:
    result = run("new-provider", "acme", "-o", tmp_path / "src" / "plugins")
    assert result.code == 0, result.err
    assert (tmp_path / "src" / "plugins" / "debabelizer-acme" / "pyproject.toml").exists()


@pytest.mark.parametrize("kind", Kind)
def test_the_spec_can_be_used(kind: Kind) -> None:
    names: dict[str, Any] = {}
    exec(render("acme", kind)["debabelizer_acme/__init__.py"], names)
    spec = names["SPEC"]
    assert isinstance(spec, ProviderSpec)
    assert faults(spec) == []
    assert spec.name == "acme"
    assert (spec.capabilities.streaming, spec.capabilities.batch) == (kind != Kind.BATCH, kind != Kind.WEBSOCKET)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("My-Vendor", "'my_vendor'"),
        ("debabelizer-acme", "'acme'"),
        ("9lives", "'lives'"),
        ("a__b", "'a_b'"),
        ("acme_", "'acme'"),
        ("a" * 21, f"'{'a' * 20}'"),
        ("../acme", "'acme'"),
        ("éclat", "'clat'"),
    ],
)
def test_a_name_that_is_none(run: Run, home: Path, name: str, nearest: str) -> None:
    result = run("new-provider", name)
    assert (result.code, result.out) == (2, "")
    assert f"{name!r} is no name for a provider." in result.err
    assert f"Did you mean {nearest}?" in result.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["", "42", "---"])
def test_a_name_without_a_nearest_one(run: Run, name: str) -> None:
    result = run("new-provider", "--", name)
    assert result.code == 2
    assert "Use lower case letters" in result.err
    assert "Did you mean" not in result.err


@pytest.mark.parametrize(
    ("name", "whose"),
    [("soniox", "debabelizer-soniox"), ("moonshine", "debabelizer-moonshine"), ("parrot", "debabelizer-parrot")],
)
def test_a_name_that_is_taken(run: Run, home: Path, name: str, whose: str) -> None:
    result = run("new-provider", name)
    assert (result.code, result.out) == (2, "")
    assert f"There is a provider {name!r} already, of {whose}." in result.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("what", ["folder", "empty folder", "file", "broken link"])
def test_nothing_is_overwritten(run: Run, home: Path, what: str) -> None:
    there = home / "debabelizer-acme"
    if what == "file":
        there.write_text("mine")
    elif what == "broken link":
        there.symlink_to("nowhere")
    else:
        there.mkdir()
        if what == "folder":
            (there / "README.md").write_text("mine")
    before = written(home)
    result = run("new-provider", "acme")
    assert (result.code, result.out) == (2, "")
    assert "debabelizer-acme exists, and is not overwritten." in result.err
    assert written(home) == before


def test_where_nothing_can_be_written(run: Run, home: Path) -> None:
    (home / "file").write_text("")
    result = run("new-provider", "acme", "--output", "file")
    assert (result.code, result.out) == (1, "")
    assert "cannot be written" in result.err


def test_all_of_it_is_written_or_nothing(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_text

    def fail(self: Path, text: str, **options: Any) -> int:
        if self.name == "simulator.py":
            raise OSError(28, os.strerror(28))
        return write(self, text, **options)

    monkeypatch.setattr(Path, "write_text", fail)
    result = run("new-provider", "acme")
    assert result.code == 1
    assert "No space left on device" in result.err
    assert list(home.iterdir()) == []


def test_every_template_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[Path] = set()
    original = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, **options: read.add(self) or original(self, **options))
    for kind in Kind:
        render("acme", kind)
    assert {path for path in TEMPLATES.rglob("*") if path.is_file()} == read


@pytest.mark.parametrize("name", ["a", "acme", "my_vendor2", "x" * 20])
@pytest.mark.parametrize("kind", Kind)
def test_what_is_written_is_clean(tmp_path: Path, kind: Kind, name: str) -> None:
    """By its own rules, whatever the length of the name."""
    for path, text in render(name, kind).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", tmp_path],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
