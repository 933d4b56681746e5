"""Language codes as Soniox writes them."""

from __future__ import annotations

from typing import Final

from debabelizer_soniox import SPEC

__all__ = ["language_code"]

# Codes in common use that Soniox refuses, and what it calls the same language.
_ALIASES: Final = {"nb": "no", "nn": "no", "fil": "tl", "iw": "he", "in": "id"}


def language_code(code: str) -> str:
    """The two-letter code that Soniox knows for `code`; a region is dropped (``en-US`` is ``en``).

    Raises:
        ValueError: If Soniox does not know the language; it says what to write instead.
    """
    primary = code.strip().lower().replace("_", "-").split("-")[0]
    if primary in SPEC.capabilities.languages:
        return primary
    if primary in _ALIASES:
        raise ValueError(f"must be written {_ALIASES[primary]!r} for Soniox")
    raise ValueError(f"must be one of {', '.join(SPEC.capabilities.languages)}")
