from __future__ import annotations

import subprocess
import sys

from debabelizer_soniox import SPEC
from debabelizer_soniox.provider import SonioxProvider
from debabelizer_soniox.settings import SonioxSettings

from debabelizer.plugins import PluginRegistry


def test_it_is_found_when_installed() -> None:
    registry = PluginRegistry.discover()
    assert registry.spec("soniox") == SPEC
    assert registry.settings_model(SPEC) is SonioxSettings
    assert isinstance(registry.factory(SPEC)(SPEC), SonioxProvider)


def test_sixty_languages() -> None:
    languages = SPEC.capabilities.languages
    assert len(languages) == len(set(languages)) == 60
    assert list(languages) == sorted(languages)


def test_streaming_loads_no_aiohttp() -> None:
    code = "import sys, debabelizer_soniox.provider, debabelizer_soniox.dialect; print('aiohttp' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)
    assert result.stdout.strip() == "False"
