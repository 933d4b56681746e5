from __future__ import annotations

from debabelizer_moonshine import PLATFORMS, SPEC, debabelizer_register_providers

from debabelizer.spec import ProviderSpec


def test_the_plugin_registers_its_spec() -> None:
    registered: list[ProviderSpec] = []
    debabelizer_register_providers(register=registered.append)
    assert registered == [SPEC]


def test_where_the_engine_is_missing_it_says_which_platforms_have_it() -> None:
    assert PLATFORMS in SPEC.needs["moonshine_voice"]
    for platform in ("Linux", "x86_64", "aarch64", "macOS 15", "Windows"):
        assert platform in PLATFORMS


def test_every_setting_is_documented() -> None:
    from debabelizer_moonshine.settings import MoonshineSettings

    assert all(field.description for field in MoonshineSettings.model_fields.values())
