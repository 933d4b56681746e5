"""The kit under pytest as an author has it: collection, cases, options, and how a failure looks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[3]

MODULE = """
from support.broken import {engine}, spec
from debabelizer.testing.kit import EngineDouble, ProviderSuite

class TestEngine(ProviderSuite):
    spec = spec({engine})
    simulator = EngineDouble
"""


@pytest.fixture
def run(tmp_path: Path) -> object:
    def run(engine: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_conformance.py").write_text(MODULE.format(engine=engine))
        (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {TESTS}\n")
        command = [sys.executable, "-m", "pytest", "-q", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return run


def test_what_concerns_the_provider_is_collected_from_the_spec_on(run: object) -> None:
    done = run("Sound", "--collect-only")  # type: ignore[operator]
    names = [line.split("::")[-1] for line in done.stdout.splitlines() if "::" in line]
    assert names[0] == "test_the_spec_is_well_formed"
    assert "test_claim[interims]" in names
    assert "test_fault_within[mid-speech]" in names
    for foreign in ("test_fault[", "test_file_", "test_golden", "test_the_key", "test_bad_settings"):
        assert not [name for name in names if name.startswith(foreign)]


def test_a_failure_is_advice_and_the_rest_passes(run: object) -> None:
    done = run("Repeats")  # type: ignore[operator]
    assert "1 failed" in done.stdout
    assert "promised  finals are said once, in order, and do not overlap (law 1)" in done.stdout
    assert "look      docs/conformance.md#law-1" in done.stdout


def test_the_options_are_told(run: object) -> None:
    done = run("Sound", "--help")  # type: ignore[operator]
    assert "--live" in done.stdout
    assert "--record" in done.stdout
