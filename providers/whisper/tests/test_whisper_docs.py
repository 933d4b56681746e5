"""The page about Whisper says what the code does. Set UPDATE_DOCS=1 to write what is generated."""

from __future__ import annotations

from pathlib import Path

import pytest
from debabelizer_whisper import LANGUAGES, SPEC, debabelizer_register_providers
from debabelizer_whisper.provider import WhisperProvider
from debabelizer_whisper.settings import WhisperSettings
from support.provider_pages import check_page, configurations, filled, page_of, with_settings

from debabelizer.plugins import PluginRegistry
from debabelizer.spec import ProviderSpec

PAGE = page_of(SPEC)
README = Path(__file__).parents[1] / "README.md"


def test_what_is_generated_on_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    languages = ", ".join(f"`{code}`" for code in LANGUAGES)
    check_page(PAGE, filled(with_settings(page, SPEC, WhisperSettings), "languages", languages))


@pytest.mark.parametrize("path", [PAGE, README], ids=lambda path: path.name)
def test_the_configurations_are_valid(path: Path) -> None:
    tables = configurations(path, SPEC, WhisperSettings)
    assert [table.model for table in tables] == ["small"]


def test_the_plugin_registers_its_spec() -> None:
    specs: list[ProviderSpec] = []
    debabelizer_register_providers(specs.append)
    assert specs == [SPEC]


def test_it_is_found_when_installed() -> None:
    registry = PluginRegistry.discover()
    assert registry.spec("whisper") == SPEC
    assert registry.settings_model(SPEC) is WhisperSettings
    assert isinstance(registry.factory(SPEC)(SPEC), WhisperProvider)


def test_a_hundred_languages() -> None:
    assert len(LANGUAGES) == len(set(LANGUAGES)) == 100
    assert list(LANGUAGES) == sorted(LANGUAGES)
