"""Deepgram's Flux models for Debabelizer: they hear in turns.

A provider of its own beside Nova, since what the two can do differs: Flux knows no speakers, takes no files, and says
nothing final before a turn ends.
"""

from __future__ import annotations

from collections.abc import Callable

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC = ProviderSpec(
    name="deepgram_flux",
    summary="Deepgram cloud, Flux models: live turns for voice agents, 10 languages, word times.",
    api_version=1,
    capabilities=Capabilities(
        streaming=True,
        interims=True,
        words="word",
        confidence=True,
        language_identification=True,
        endpointing=True,
        vocabulary=True,
        flush="confirmed",
        # Nothing is final before the turn ends: a new connection hears an unfinished turn from its beginning.
        resume="segment",
        max_speed=1.25,
        keepalive=10.0,
        audio_formats=("pcm_s16le", "pcm_f32le", "mulaw", "alaw"),
        sample_rates=(16000, 8000, 24000, 44100, 48000),
        languages=("de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "ru"),
        price_per_hour=0.39,
    ),
    settings="debabelizer_deepgram.settings:FluxSettings",
    factory="debabelizer_deepgram.provider:FluxProvider",
    secrets=(Secret(key="api_key", env="DEEPGRAM_API_KEY"),),
    homepage="https://developers.deepgram.com/docs/flux/quickstart",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
