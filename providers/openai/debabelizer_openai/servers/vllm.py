"""vLLM: speech models on a server of your own, over OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="vllm",
    summary="A vLLM server of your own: files, and streams cut into utterances; many languages.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        words="segment",
        vocabulary=True,
        max_speed=None,
        languages=("*",),
    ),
    settings="debabelizer_openai.settings:VllmSettings",
    factory="debabelizer_openai.provider:ServerProvider",
    secrets=(Secret(key="api_key", env="VLLM_API_KEY", required=False),),
    homepage="https://docs.vllm.ai/en/stable/serving/openai_compatible_server/",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
