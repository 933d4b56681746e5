"""Any other server that speaks OpenAI's protocol: a cloud such as Together or Fireworks, a gateway, one of your own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="openai_compatible",
    summary="Any server with OpenAI's API, by its base_url: files, and streams cut into utterances.",
    api_version=1,
    # What is so whatever the server and its model are. What they do beyond that is in the results all the same.
    capabilities=Capabilities(
        batch=True,
        words="segment",
        max_speed=None,
        languages=("*",),
    ),
    settings="debabelizer_openai.settings:CompatibleSettings",
    factory="debabelizer_openai.provider:ServerProvider",
    secrets=(Secret(key="api_key", env="OPENAI_COMPATIBLE_API_KEY", required=False),),
    homepage="https://developers.openai.com/api/docs/guides/speech-to-text",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
