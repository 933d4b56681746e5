from __future__ import annotations

import subprocess
import sys

import pytest
from debabelizer_moonshine import PLATFORMS, SPEC, debabelizer_register_providers
from pydantic import ValidationError

from debabelizer.spec import ProviderSpec


def test_the_plugin_registers_its_spec() -> None:
    registered: list[ProviderSpec] = []
    debabelizer_register_providers(register=registered.append)
    assert registered == [SPEC]


def test_importing_the_plugin_loads_neither_engine_nor_numpy() -> None:
    code = "import sys, debabelizer_moonshine; print(*{'numpy', 'moonshine_voice', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


def test_it_says_what_it_can_do() -> None:
    assert SPEC.capabilities.unmet({"batch": True, "local": True, "words": "segment", "languages": ["en"]}) == ()
    assert SPEC.capabilities.unmet({"languages": ["es"], "confidence": True}) == ("languages", "confidence")


def test_where_the_engine_is_missing_it_says_which_platforms_have_it() -> None:
    assert PLATFORMS in SPEC.needs["moonshine_voice"]
    for platform in ("Linux", "x86_64", "aarch64", "macOS 15", "Windows"):
        assert platform in PLATFORMS


def test_settings_have_bounds() -> None:
    from debabelizer_moonshine.settings import MoonshineSettings

    assert MoonshineSettings().engines == 2
    for wrong in ({"engines": 0}, {"silence": 0.0}, {"max_utterance": 31}, {"model": "base"}):
        with pytest.raises(ValidationError):
            MoonshineSettings.model_validate(wrong)


def test_every_setting_is_documented() -> None:
    from debabelizer_moonshine.settings import MoonshineSettings

    assert all(field.description for field in MoonshineSettings.model_fields.values())
