from __future__ import annotations

import subprocess
import sys
from typing import Any

import debabelizer_deepgram
import pytest
from debabelizer_deepgram import SPEC, flux_spec
from debabelizer_deepgram.flux_spec import SPEC as FLUX_SPEC
from debabelizer_deepgram.provider import DeepgramProvider, FluxProvider
from debabelizer_deepgram.settings import DeepgramSettings, FluxSettings

from debabelizer.plugins import PluginRegistry
from debabelizer.spec import ProviderSpec


@pytest.mark.parametrize(("plugin", "spec"), [(debabelizer_deepgram, SPEC), (flux_spec, FLUX_SPEC)])
def test_each_plugin_registers_its_spec(plugin: Any, spec: ProviderSpec) -> None:
    specs: list[ProviderSpec] = []
    plugin.debabelizer_register_providers(specs.append)
    assert specs == [spec]


def test_both_are_found_when_installed() -> None:
    registry = PluginRegistry.discover()
    assert registry.spec("deepgram") == SPEC
    assert registry.spec("deepgram_flux") == FLUX_SPEC
    assert registry.settings_model(SPEC) is DeepgramSettings
    assert registry.settings_model(FLUX_SPEC) is FluxSettings
    assert isinstance(registry.factory(SPEC)(SPEC), DeepgramProvider)
    assert isinstance(registry.factory(FLUX_SPEC)(FLUX_SPEC), FluxProvider)


def test_languages_are_in_order() -> None:
    for spec, count in ((SPEC, 53), (FLUX_SPEC, 10)):
        languages = spec.capabilities.languages
        assert len(languages) == count
        assert list(languages) == sorted(set(languages))
        assert f"{count} languages" in spec.summary


def test_streaming_loads_no_aiohttp() -> None:
    code = (
        "import sys, debabelizer_deepgram.provider, debabelizer_deepgram.dialect, debabelizer_deepgram.flux; "
        "print('aiohttp' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)
    assert result.stdout.strip() == "False"
