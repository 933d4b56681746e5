"""The streaming path executes no more than was recorded: counted, so that a busy machine has no part in it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ALLOWANCE = 1.1
PYTHON = ".".join(map(str, sys.version_info[:2]))


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    records = json.loads((BENCHMARKS / "instructions.json").read_text(encoding="utf-8"))
    if PYTHON not in records:
        pytest.skip(f"no record for Python {PYTHON}: tests/benchmarks/instructions.py --record makes one")
    return dict(records[PYTHON])


@pytest.fixture(scope="module")
def counted() -> dict[str, dict[str, float]]:
    command = [sys.executable, str(BENCHMARKS / "instructions.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("unit", ["chunk", "message"])
def test_nothing_became_dearer(unit: str, counted: dict[str, dict[str, float]], record: dict[str, Any]) -> None:
    # What happens within a library is its own affair when it is not the version of the record.
    strangers = {name for name, known in record["versions"].items() if known != version(name)}
    now, then = (sum(what for area, what in of[unit].items() if area not in strangers) for of in (counted, record))
    assert now <= then * ALLOWANCE, (counted[unit], record[unit])


@pytest.mark.parametrize("unit", ["chunk", "message"])
def test_the_count_sees_our_code(unit: str, counted: dict[str, dict[str, float]]) -> None:
    assert counted[unit]["debabelizer"] > 100
