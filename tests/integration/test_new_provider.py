"""What `debabelizer new-provider` writes: built, installed, found, tested by its own tests, and used."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from debabelizer import AudioFormat
from debabelizer.testing.coded import wav

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KINDS = ("websocket", "connection", "batch")
LOCAL = ("connection", "batch")


@pytest.fixture(scope="session")
def plugins(core: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A plugin of each kind, as the installed command writes it."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        done = core.debabelizer("new-provider", f"my_{kind}", "--kind", kind, "--output", folder)
        assert done.returncode == 0, done.stderr
    return {kind: folder / f"debabelizer-my-{kind}" for kind in KINDS}


@pytest.fixture(scope="session")
def generated(make_environment: Any, wheels: dict[str, Path], plugins: dict[str, Path]) -> Any:
    """The core, the plugins, and what their tests need."""
    return make_environment("generated", wheels["debabelizer"], *plugins.values(), "pytest", "pytest-timeout")


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """Somebody dials 1, 9 and 5."""
    keys = {"1": (697, 1209), "9": (852, 1477), "5": (770, 1336)}
    samples: list[float] = []
    for row, column in keys.values():
        samples += [0.0] * 3200
        samples += [
            math.sin(math.tau * row * at / 16000) + math.sin(math.tau * column * at / 16000) for at in range(3200)
        ]
    audio = b"".join(struct.pack("<h", round(8000 * sample)) for sample in [*samples, *[0.0] * 3200])
    file = tmp_path / "call.wav"
    file.write_bytes(wav(audio, AudioFormat()))
    return file


def test_they_are_discovered(generated: Any) -> None:
    rows = generated.providers()
    assert {name: row["status"] for name, row in rows.items()} == {
        "my_batch": "ready",
        "my_connection": "ready",
        "my_websocket": "unusable",
    }
    assert rows["my_websocket"]["reason"] == "It has no api_key."
    assert generated.providers(MY_WEBSOCKET_API_KEY="test-key")["my_websocket"]["status"] == "ready"
    assert {row["distribution"] for row in rows.values()} == {f"debabelizer-my-{kind}" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_their_own_tests_pass(generated: Any, plugins: dict[str, Path], kind: str) -> None:
    folder = plugins[kind]
    options = ("-v", "-p", "no:cacheprovider", "--rootdir", folder, "-c", folder / "pyproject.toml")
    done = generated.run("python", "-m", "pytest", *options, folder / "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"test_conformance.py::TestMy{kind.capitalize()}::" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_their_types_hold(
    generated: Any, plugins: dict[str, Path], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    known = tmp_path_factory.getbasetemp() / "types"  # the framework's need not be looked at each time
    command = [sys.executable, "-m", "mypy", "--cache-dir", known, "--python-executable", generated.python]
    done = subprocess.run(command, cwd=plugins[kind], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_wheel_has_its_package_its_licence_and_nothing_else(generated: Any, kind: str) -> None:
    code = f"from importlib.metadata import files; print(*files('debabelizer-my-{kind}'), sep='\\n')"
    names = set(generated.run("python", "-I", "-c", code).stdout.split())
    info = f"debabelizer_my_{kind}-0.1.0.dist-info"
    assert {f"debabelizer_my_{kind}/__init__.py", f"debabelizer_my_{kind}/py.typed", f"{info}/licenses/LICENSE"} < names
    assert [name for name in names if not name.startswith((f"debabelizer_my_{kind}/", info))] == []


@pytest.mark.parametrize("kind", LOCAL)
def test_they_transcribe(generated: Any, call: Path, kind: str) -> None:
    done = generated.debabelizer("transcribe", "--provider", f"my_{kind}", call)
    assert (done.returncode, done.stdout) == (0, "1 9 5\n"), done.stderr


def test_one_with_a_connection_of_its_own_streams(generated: Any, call: Path) -> None:
    done = generated.debabelizer("stream", "--provider", "my_connection", call)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "9", "5"]


def test_settings_are_checked(generated: Any, call: Path) -> None:
    options = ("--set", "providers.my_batch.shortst=1")
    done = generated.debabelizer("transcribe", *options, "--provider", "my_batch", call)
    assert done.returncode == 2
    assert "Did you mean 'shortest'?" in done.stderr
