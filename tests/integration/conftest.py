"""Real wheels in real environments, made once in a test session and shared by its workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]

DEAD_PARROT = {
    "pyproject.toml": """
        [build-system]
        requires = ["hatchling>=1.26"]
        build-backend = "hatchling.build"

        [project]
        name = "debabelizer-deadparrot"
        version = "0.0.1"
        dependencies = ["debabelizer>=0.3"]

        [project.entry-points.debabelizer]
        deadparrot = "debabelizer_deadparrot"

        [tool.hatch.build.targets.wheel]
        packages = ["debabelizer_deadparrot"]
    """,
    "debabelizer_deadparrot/__init__.py": "raise RuntimeError('bereft of life')",
}

# What would lead a program that runs in a temporary environment back to this one, or to somebody's configuration.
_LEAKS = (
    "PYTHON",
    "VIRTUAL_ENV",
    "UV_PROJECT",
    "DEBABELIZER_",
    "SONIOX_",
    "XDG_CONFIG",
    "HOME",
    "APPDATA",
    "USERPROFILE",
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and how to run what is in it: from an empty folder, as somebody without settings."""

    folder: Path
    home: Path

    @property
    def scripts(self) -> Path:
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / "python"

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_LEAKS)}
        environ |= {"HOME": str(self.home), "USERPROFILE": str(self.home), **variables}
        return subprocess.run(
            [self.scripts / command[0], *command[1:]],
            cwd=self.home,
            env=environ,
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    def debabelizer(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return self.run("debabelizer", *arguments, **variables)

    def providers(self, **variables: str) -> dict[str, Any]:
        """What ``debabelizer providers --json`` tells, by name."""
        done = self.debabelizer("providers", "--json", **variables)
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)
        assert len({row["name"] for row in rows}) == len(rows)
        return {row["name"]: row for row in rows}


MakeEnvironment = Callable[..., Environment]


@contextmanager
def _only_one(name: Path) -> Iterator[None]:
    """Keep other workers out; where there is no file lock each worker has a folder of its own."""
    if sys.platform == "win32":
        yield
        return
    from fcntl import LOCK_EX, flock

    with name.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _once(folder: Path, make: Callable[[Path], object]) -> Path:
    """`folder`, filled by `make` in the worker that comes first."""
    done = folder.with_suffix(".done")
    with _only_one(folder):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make(folder)
            done.touch()
    return folder


def _uv(*arguments: str | Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [find_uv_bin(), *arguments], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that this session's workers share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ and sys.platform != "win32" else base
    folder = shared / "workshop"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def wheels(workshop: Path) -> dict[str, Path]:
    """The wheels of core, of each provider, and of the third-party plugins, by name of the distribution."""

    def build(folder: Path) -> None:
        dead_parrot = workshop / "deadparrot"
        for name, text in DEAD_PARROT.items():
            (dead_parrot / name).parent.mkdir(parents=True, exist_ok=True)
            (dead_parrot / name).write_text(dedent(text))
        providers = sorted(path.parent for path in ROOT.glob("providers/*/pyproject.toml"))
        for source in (ROOT, *providers, Path(__file__).parent / "thirdparty", dead_parrot):
            _uv("build", "--quiet", "--wheel", "--no-sources", "--out-dir", folder, source)

    folder = _once(workshop / "wheels", build)
    return {wheel.name.split("-")[0].replace("_", "-"): wheel for wheel in folder.glob("*.whl")}


@pytest.fixture(scope="session")
def make_environment(workshop: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeEnvironment:
    """Make an environment of this interpreter with `requirements` in it, outside of the workspace."""

    def make(name: str, *requirements: str | Path) -> Environment:
        def install(folder: Path) -> None:
            _uv("venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, folder)
            python = Environment(folder, folder).python
            _uv("pip", "install", "--quiet", "--no-sources", "--python", python, *requirements)

        return Environment(_once(workshop / name, install), tmp_path_factory.mktemp(f"home-{name}"))

    return make


@pytest.fixture(scope="session")
def core(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> Environment:
    """Only the core."""
    return make_environment("core", wheels["debabelizer"])


@pytest.fixture(scope="session")
def complete(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> Environment:
    """The core and all providers of this project."""
    ours = [wheel for name, wheel in wheels.items() if "parrot" not in name]
    return make_environment("complete", *ours)


@pytest.fixture(scope="session")
def aviary(make_environment: MakeEnvironment, wheels: dict[str, Path]) -> Environment:
    """The core, a plugin from elsewhere, and a broken one."""
    return make_environment("aviary", *(wheels[f"debabelizer{name}"] for name in ("", "-parrot", "-deadparrot")))


@pytest.fixture(scope="session")
def speech() -> Path:
    """Eleven seconds of speech: 16 kHz, mono, 16 bit."""
    return ROOT / "tests" / "audio" / "jfk.wav"
