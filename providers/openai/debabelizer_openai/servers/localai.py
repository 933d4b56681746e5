"""LocalAI: models on a server of your own, over OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="localai",
    summary="A LocalAI server of your own: times of segments, many languages.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        words="segment",
        max_speed=None,
        languages=("*",),
    ),
    settings="debabelizer_openai.settings:LocalAISettings",
    factory="debabelizer_openai.provider:ServerProvider",
    secrets=(Secret(key="api_key", env="LOCALAI_API_KEY", required=False),),
    homepage="https://localai.io/features/audio-to-text/",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
