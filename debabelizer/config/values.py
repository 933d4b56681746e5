"""Types of values in the configuration: durations, sizes, names, languages."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

__all__ = ["ByteSize", "Duration", "ErrorRate", "LanguageCode", "ProviderName", "ProviderNames", "Word"]

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BYTES: Final = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
_NUMBER: Final = r"[0-9]+(\.[0-9]+)?"
_QUANTITY: Final = re.compile(rf"({_NUMBER})\s*([A-Za-z]*)")


def _quantity(value: object, units: Mapping[str, float], forms: str) -> float:
    """A number, or text of a number and one of `units`."""
    number = math.nan
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value.strip())
        if match is not None and (not match[3] or match[3] in units):
            number = float(match[1]) * units.get(match[3], 1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"must be {forms}")
    return number


def _seconds(value: object) -> float:
    # Rounded, so that "100ms" is 0.1 and not its neighbour.
    return round(_quantity(value, _SECONDS, 'a number of seconds, or a text like "500ms", "10s", "2m" or "1h"'), 9)


def _bytes(value: object) -> int:
    return round(_quantity(value, _BYTES, 'a number of bytes, or a text like "512KiB" or "32MiB"'))


def _alternatives(units: Mapping[str, float]) -> str:
    return "|".join(sorted(units, key=len, reverse=True))


def _quantity_schema(title: str, units: Mapping[str, float]) -> WithJsonSchema:
    pattern = f"^{_NUMBER} *({_alternatives(units)})?$"
    choices: list[dict[str, Any]] = [{"type": "number", "minimum": 0}, {"type": "string", "pattern": pattern}]
    return WithJsonSchema({"title": title, "anyOf": choices})


def _matching(pattern: str, wanted: str) -> AfterValidator:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(f"must be {wanted}")
        return value

    return AfterValidator(check)


def _at_least_one(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("must name a provider")
    return names


Duration: TypeAlias = Annotated[float, BeforeValidator(_seconds), _quantity_schema("Duration", _SECONDS)]
"""Seconds, also written ``"500ms"``, ``"10s"``, ``"2m"`` or ``"1h"``."""

ByteSize: TypeAlias = Annotated[int, BeforeValidator(_bytes), _quantity_schema("Size", _BYTES)]
"""Bytes, also written ``"32MiB"``."""

ErrorRate: TypeAlias = Annotated[float, Field(ge=0.0)]
"""Wrong words as a share of those that were said; more than 1.0 if many were made up."""

ProviderName: TypeAlias = Annotated[
    str, _matching("[a-z][a-z0-9_]*", "the name of a provider, like moonshine: lower case letters, digits and _")
]

ProviderNames: TypeAlias = Annotated[
    tuple[ProviderName, ...],
    AfterValidator(_at_least_one),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One provider, or several in the order of fallback."""

LanguageCode: TypeAlias = Annotated[
    str, _matching("[a-z]{2,3}(-[A-Za-z0-9]+)*", 'a language code, like "en" or "pt-BR"')
]

Word: TypeAlias = Annotated[str, _matching(r"\s*\S.*", "a word or a short phrase")]
