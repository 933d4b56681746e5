"""speaches: a server of your own for Whisper and other models, with OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="speaches",
    summary="A speaches server of your own: word times, many languages.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        words="word",
        confidence=True,
        language_identification=True,
        vocabulary=True,
        max_speed=None,
        languages=("*",),
    ),
    settings="debabelizer_openai.settings:SpeachesSettings",
    factory="debabelizer_openai.provider:ServerProvider",
    secrets=(Secret(key="api_key", env="SPEACHES_API_KEY", required=False),),
    homepage="https://speaches.ai",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
