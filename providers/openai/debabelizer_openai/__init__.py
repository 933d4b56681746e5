"""OpenAI for Debabelizer: files, and streams over the Realtime API. Servers like it: `debabelizer_openai.servers`.

All are made of one table, `debabelizer_openai.flavours`. Each is a provider of its own, because claims, keys and
addresses differ, and because a list of fallbacks can name several of them; `openai_compatible` takes any row of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="openai",
    summary="OpenAI cloud: files, and live over the Realtime API; many languages.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        streaming=True,
        interims=True,
        # No model that is here to stay tells times of words: segments are stretches between pauses.
        words="segment",
        language_identification=True,
        endpointing=True,
        vocabulary=True,
        flush="confirmed",
        resume="segment",
        max_session=3600.0,
        # Nothing is documented. Twice real time lets a replay catch up, and is no burst.
        max_speed=2.0,
        audio_formats=("pcm_s16le", "mulaw/8000", "alaw/8000"),
        sample_rates=(24000,),
        languages=("*",),
        price_per_hour=0.27,
    ),
    settings="debabelizer_openai.settings:OpenAISettings",
    factory="debabelizer_openai.provider:OpenAIProvider",
    secrets=(Secret(key="api_key", env="OPENAI_API_KEY"),),
    homepage="https://developers.openai.com/api/docs/guides/speech-to-text",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
