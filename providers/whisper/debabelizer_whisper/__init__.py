"""Whisper for Debabelizer: speech recognition in a hundred languages in this process, by way of faster-whisper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec

__all__ = ["LANGUAGES", "NAME", "SPEC", "debabelizer_register_providers"]

NAME: Final = "whisper"

# Those of Whisper's tokenizer, by their ISO codes: Javanese is `jv`, which Whisper calls `jw`. Models before
# large-v3 do not know `yue`, and those whose name ends in `.en` know English alone.
_CODES: Final = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id "
    "is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd "
    "si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"
)
LANGUAGES: Final = tuple(_CODES.split())

SPEC: Final = ProviderSpec(
    name=NAME,
    summary="Any Whisper model, on this machine: a hundred languages, no key.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        local=True,
        words="word",
        confidence=True,
        language_identification=True,
        vocabulary=True,
        max_speed=None,
        audio_formats=("pcm_f32le",),
        languages=LANGUAGES,
        price_per_hour=0.0,
    ),
    settings="debabelizer_whisper.settings:WhisperSettings",
    factory="debabelizer_whisper.provider:WhisperProvider",
    homepage="https://github.com/SYSTRAN/faster-whisper",
    needs={"faster_whisper": 'Type: pip install "debabelizer[whisper]>=0.3"'},
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """Register the provider."""
    register(SPEC)
