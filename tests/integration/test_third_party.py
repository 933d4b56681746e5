"""A plugin from elsewhere, in an environment of its own: discovered, used, broken, and disabled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def config(tmp_path: Path) -> Any:
    """Write a configuration file; answers with the options that choose it."""

    def write(text: str) -> tuple[str, Path]:
        file = tmp_path / "debabelizer.toml"
        file.write_text(text)
        return "--config", file

    return write


def test_it_is_discovered(aviary: Any) -> None:
    parrot = aviary.providers()["parrot"]
    assert parrot["status"] == "ready", parrot
    assert (parrot["plugin"], parrot["distribution"], parrot["version"]) == ("parrot", "debabelizer-parrot", "1.2.3")
    assert parrot["capabilities"]["batch"] is True
    assert parrot["capabilities"]["streaming"] is False


def test_it_is_listed_for_people(aviary: Any) -> None:
    done = aviary.debabelizer("providers")
    assert done.returncode == 0, done.stderr
    assert "parrot" in done.stdout
    assert "bereft of life" in done.stdout


def test_it_is_used(aviary: Any, speech: Path) -> None:
    done = aviary.debabelizer("transcribe", "--provider", "parrot", speech)
    assert (done.returncode, done.stdout) == (0, "The recording lasts 11.0 seconds.\n"), done.stderr


def test_its_settings_are_read(aviary: Any, config: Any, speech: Path) -> None:
    options = config('[stt]\nprovider = "parrot"\n[providers.parrot]\nphrase = "Squawk,"\ndigits = 0\n')
    done = aviary.debabelizer(*options, "transcribe", "--format", "json", speech)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["text"], told["provider"]) == ("Squawk, 11 seconds.", "parrot")


def test_its_settings_are_checked(aviary: Any, config: Any, speech: Path) -> None:
    options = config('[providers.parrot]\nphrse = "hush"\n')
    done = aviary.debabelizer(*options, "transcribe", "--provider", "parrot", speech)
    assert done.returncode == 2, done.stderr
    assert "providers.parrot.phrse" in done.stderr
    assert "phrase" in done.stderr
    assert "hush" not in done.stderr


def test_its_command_and_its_format_are_there(aviary: Any, speech: Path) -> None:
    assert aviary.debabelizer("squawk", "hello").stdout == "HELLO\n"
    done = aviary.debabelizer("transcribe", "--provider", "parrot", "--format", "shout", speech)
    assert done.stdout == "THE RECORDING LASTS 11.0 SECONDS.\n", done.stderr


def test_a_broken_one_is_one_row(aviary: Any) -> None:
    rows = aviary.providers()
    assert {name: row["status"] for name, row in rows.items()} == {"parrot": "ready", "deadparrot": "broken"}
    dead = rows["deadparrot"]
    assert dead["error"] == "RuntimeError: bereft of life"
    assert "debabelizer-deadparrot" in dead["hint"]
    assert dead["capabilities"] is None


def test_a_broken_one_that_is_asked_for_says_why(aviary: Any, speech: Path) -> None:
    done = aviary.debabelizer("transcribe", "--provider", "deadparrot", speech)
    assert done.returncode == 2
    assert "RuntimeError: bereft of life" in done.stderr
    assert 'disable = ["deadparrot"]' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("allowed", "parrot"), [("", "disabled"), ("deadparrot", "disabled"), ("parrot", "ready")])
def test_the_environment_leaves_it_out(aviary: Any, allowed: str, parrot: str) -> None:
    assert aviary.providers(DEBABELIZER_PLUGINS=allowed)["parrot"]["status"] == parrot


def test_left_out_it_cannot_be_used(aviary: Any, speech: Path) -> None:
    done = aviary.debabelizer("transcribe", "--provider", "parrot", speech, DEBABELIZER_PLUGINS="")
    assert done.returncode == 2
    assert "DEBABELIZER_PLUGINS" in done.stderr
    assert aviary.debabelizer("squawk", "hello", DEBABELIZER_PLUGINS="").returncode == 2


def test_the_configuration_leaves_it_out(aviary: Any, config: Any, speech: Path) -> None:
    options = config('[plugins]\ndisable = ["parrot", "debabelizer-deadparrot"]\n')
    done = aviary.debabelizer(*options, "providers", "--json")
    assert done.returncode == 0, done.stderr
    assert {row["name"]: row["status"] for row in json.loads(done.stdout)} == {
        "parrot": "disabled",
        "deadparrot": "disabled",
    }
    done = aviary.debabelizer(*options, "transcribe", "--provider", "parrot", speech)
    assert done.returncode == 2
    assert "disabled in the configuration" in done.stderr
