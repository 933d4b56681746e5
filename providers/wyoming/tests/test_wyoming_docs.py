"""The page about Wyoming says what the code does. Set UPDATE_DOCS=1 to write what is generated."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from debabelizer_wyoming import SPEC
from debabelizer_wyoming.provider import WyomingProvider
from debabelizer_wyoming.settings import WyomingSettings
from support.provider_pages import ROOT, check_page, check_plugin, configurations, page_of, with_settings

PAGE = page_of(SPEC)
README = Path(__file__).parents[1] / "README.md"


def test_the_settings_on_the_page_are_those_of_the_model() -> None:
    check_page(PAGE, with_settings(PAGE.read_text(encoding="utf-8"), SPEC, WyomingSettings))


@pytest.mark.parametrize("path", [PAGE, README], ids=lambda path: path.name)
def test_the_configurations_are_valid(path: Path) -> None:
    tables = configurations(path, SPEC, WyomingSettings)
    assert [(table.uri, table.insecure) for table in tables] == [("tcp://homeassistant.local:10300", True)]


def test_the_snippet_runs() -> None:
    (snippet,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)
    recording = str(ROOT / "tests" / "audio" / "jfk.wav")
    assert asyncio.run(names["light_is_turned_on"](recording)).startswith("turn on the light")


def test_it_is_found_when_installed() -> None:
    check_plugin(SPEC, WyomingSettings, WyomingProvider)


def test_the_simulator_needs_no_pytest() -> None:
    code = "import sys; sys.modules['pytest'] = None; from debabelizer_wyoming.testing import WyomingSimulator"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
