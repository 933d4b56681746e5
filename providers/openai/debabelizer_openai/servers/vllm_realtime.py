"""vLLM's streams: a model that hears while one speaks, on a server of your own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="vllm_realtime",
    summary="A vLLM server of your own with a model that hears while you speak, such as Voxtral Realtime.",
    api_version=1,
    capabilities=Capabilities(
        streaming=True,
        interims=True,
        words="segment",
        endpointing=True,
        flush="confirmed",
        resume="segment",
        max_speed=None,
        languages=("*",),
    ),
    settings="debabelizer_openai.settings:VllmRealtimeSettings",
    factory="debabelizer_openai.provider:VllmRealtimeProvider",
    secrets=(Secret(key="api_key", env="VLLM_API_KEY", required=False),),
    homepage="https://docs.vllm.ai/en/stable/serving/openai_compatible_server/",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
