"""The example plugins work where somebody installs them, and their own tests pass there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def examples(make_environment: Any, wheels: dict[str, Path]) -> Any:
    """The core, one provider, the examples, and what their tests need."""
    needs = {need for folder in EXAMPLES for need in project(folder)["dependency-groups"]["dev"]}
    return make_environment("examples", wheels["debabelizer"], wheels["debabelizer-soniox"], *sorted(needs), *EXAMPLES)


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_its_own_tests_pass(examples: Any, folder: Path) -> None:
    options = ("-q", "-W", "error", "-p", "no:cacheprovider", "--rootdir", folder, "-c", folder / "pyproject.toml")
    done = examples.run("python", "-m", "pytest", *options, folder / "tests")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_its_types_hold(examples: Any, folder: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    known = tmp_path_factory.getbasetemp() / "types"  # the framework's need not be looked at each time
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", known, "--python-executable", examples.python]
    package = folder / f"debabelizer_{folder.name}"
    done = subprocess.run([*command, package], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_it_is_told_of(folder: Path) -> None:
    rows = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert f"| [{folder.name}]({folder.name}) |" in rows
    assert project(folder)["project"]["name"] == f"debabelizer-{folder.name}"


def test_the_command_is_there(examples: Any, tmp_path: Path) -> None:
    transcript = tmp_path / "talk.json"
    transcript.write_text('{"file": "talk.wav", "text": "three little words", "duration": 2.0}\n')
    assert "pace" in examples.debabelizer("--help").stdout
    done = examples.debabelizer("pace", transcript)
    assert (done.returncode, done.stdout) == (0, " 90 words/min  talk.wav\n"), done.stderr
    done = examples.debabelizer("pace", ROOT / "examples" / "README.md")
    assert done.returncode == 2
    assert "line 1 is no transcript" in done.stderr


def test_the_format_is_there(examples: Any) -> None:
    done = examples.debabelizer("transcribe", "--format", "html", "talk.wav")
    assert done.returncode == 2
    assert re.search(r"There are .*\bmd\b", done.stderr), done.stderr


def test_listing_providers_loads_none_of_their_libraries(examples: Any) -> None:
    code = (
        "import sys; from debabelizer.plugins import PluginRegistry; PluginRegistry.discover();"
        "print(sorted(name for name in sys.modules if name.startswith(('opentelemetry', 'typer'))))"
    )
    done = examples.run("python", "-I", "-c", code)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_without_an_sdk_nothing_is_told_and_nothing_fails(examples: Any) -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None; "
        "from debabelizer import Closed; from debabelizer_opentelemetry import debabelizer_stream_opened as opened; "
        "stream = type('Stream', (), {'name': 'parrot'})(); observe = opened(stream); del stream; "
        "observe(Closed()); print('done')"
    )
    done = examples.run("python", "-I", "-W", "error", "-c", code)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
