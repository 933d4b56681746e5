"""Groq: Whisper in the cloud, over OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="groq",
    summary="Groq cloud: Whisper, fast; word times, many languages.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        words="word",
        language_identification=True,
        vocabulary=True,
        max_speed=None,
        languages=("*",),
        price_per_hour=0.04,
    ),
    settings="debabelizer_openai.settings:GroqSettings",
    factory="debabelizer_openai.provider:ServerProvider",
    secrets=(Secret(key="api_key", env="GROQ_API_KEY"),),
    homepage="https://console.groq.com/docs/speech-to-text",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
