from __future__ import annotations

import pytest
from debabelizer_soniox.languages import language_code


@pytest.mark.parametrize(
    ("code", "expected"),
    [("en", "en"), ("EN", "en"), ("en-US", "en"), ("pt_BR", "pt"), (" zh-Hant ", "zh"), ("no", "no"), ("tl", "tl")],
)
def test_codes_as_soniox_writes_them(code: str, expected: str) -> None:
    assert language_code(code) == expected


@pytest.mark.parametrize(("code", "instead"), [("nb", "no"), ("nn-NO", "no"), ("fil", "tl"), ("iw", "he")])
def test_another_name_for_a_language_is_told(code: str, instead: str) -> None:
    with pytest.raises(ValueError, match=f"'{instead}'"):
        language_code(code)


@pytest.mark.parametrize("code", ["", "xx", "english", "-", "e"])
def test_an_unknown_language_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="one of af, "):
        language_code(code)
