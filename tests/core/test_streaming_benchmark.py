"""The streaming benchmark sets itself up, measures what it says, and takes its ratios within a round."""

from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loads a script of the benchmark, whose neighbours it imports by their names."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"streaming_benchmark_{name}", FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in ("plot", "row", "rows", "speech"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("peers", [True, False])
def test_the_environment_is_made_once_and_brought_up_to_date_in_its_own_place(
    load: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, peers: bool
) -> None:
    run = load("run")
    commands: list[list[str]] = []

    def called(command: list[str], **_: Any) -> None:
        commands.append(command)
        if "venv" in command:
            for interpreter in ("bin/python", "Scripts/python.exe"):
                (Path(command[-1]) / interpreter).parent.mkdir(parents=True)
                (Path(command[-1]) / interpreter).touch()

    monkeypatch.setattr(run, "ENVIRONMENT", tmp_path / "benchmarks")
    monkeypatch.setattr(run.subprocess, "run", called)
    python = run.interpreter(peers=peers)
    assert Path(python).is_relative_to(tmp_path / "benchmarks")
    assert [command[3] for command in commands] == ["venv", "pip"]
    install = commands[-1]
    assert install[install.index("--python") + 1] == python
    wanted = Path(install[install.index("-r") + 1]).read_text(encoding="utf-8")
    assert "websockets" in wanted
    assert ("livekit" in wanted) is peers
    commands.clear()
    assert run.interpreter(peers=peers) == python
    assert [command[3] for command in commands] == ["pip"]


def test_quick_is_the_main_setting_and_a_whole_run_all_of_them(load: Any) -> None:
    run = load("run")
    modes = ["paced", "unpaced", "reader", "server"]
    quick = list(run.plan(Namespace(quick=True, modes=modes, streams=[], seconds=6.0)))
    assert [setting[:3] for setting in quick] == [("paced", 200, 0.02), ("unpaced", 8, 0.1)]
    whole = {setting[:3] for setting in run.plan(Namespace(quick=False, modes=modes, streams=[], seconds=6.0))}
    assert {("paced", streams, chunk) for streams in (1, 50, 200, 500) for chunk in (0.02, 0.1)} <= whole
    assert {("paced", 1000, 0.1), ("unpaced", 8, 0.02), ("reader", 20, 0.1), ("server", 20, 0.1)} <= whole


def test_ratios_are_of_one_round_and_net_of_the_harness(load: Any) -> None:
    tables = load("tables")

    def measured(row: str, number: int, processor: float, audio: float = 100.0) -> dict[str, Any]:
        run = {"mode": "paced", "streams": 200, "chunk": 0.02, "row": row, "round": number}
        return {**run, "processor": processor, "audio": audio, "late": 0.0}

    runs = [measured("harness", 0, 1.0), measured("websockets", 0, 2.0), measured("debabelizer", 0, 3.0)]
    # A round in which the machine took twice as long for everything.
    runs += [measured("harness", 1, 2.0), measured("websockets", 1, 4.0), measured("debabelizer", 1, 6.0)]
    results = tables.Results([*runs, {**measured("debabelizer", 2, 0.0), "error": "no"}])
    setting = ("paced", 200, 0.02)
    assert results.cost(setting, "websockets") == pytest.approx(15.0)  # milliseconds for a second of audio
    assert results.cost_ratio(setting, "debabelizer") == pytest.approx(2.0)
    assert "| **debabelizer** | 2.00 |" in tables.costs(results)
    page = "before\n<!-- measured: costs -->\nold\n<!-- end -->\nafter"
    assert tables.replace(page, "costs", "new") == "before\n<!-- measured: costs -->\nnew\n<!-- end -->\nafter"
