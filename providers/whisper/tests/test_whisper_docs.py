"""The page about Whisper says what the code does. Set UPDATE_DOCS=1 to write what is generated."""

from __future__ import annotations

from pathlib import Path

import pytest
from debabelizer_whisper import LANGUAGES, SPEC
from debabelizer_whisper.provider import WhisperProvider
from debabelizer_whisper.settings import WhisperSettings
from support.provider_pages import check_page, check_plugin, configurations, filled, page_of, with_settings

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


def test_it_is_found_when_installed() -> None:
    check_plugin(SPEC, WhisperSettings, WhisperProvider)


def test_a_hundred_languages() -> None:
    assert len(LANGUAGES) == len(set(LANGUAGES)) == 100
    assert list(LANGUAGES) == sorted(LANGUAGES)
