"""Deepgram for Debabelizer: the Nova models, live and for files. For Flux see `debabelizer_deepgram.flux_spec`."""

from __future__ import annotations

from collections.abc import Callable

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC = ProviderSpec(
    name="deepgram",
    summary="Deepgram cloud, Nova models: live and files, 53 languages, word times, speakers.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        streaming=True,
        interims=True,
        words="word",
        confidence=True,
        diarization=True,
        language_identification=True,
        endpointing=True,
        vocabulary=True,
        # `Finalize` is answered as a rule, and need not be when there was next to nothing to flush.
        flush="confirmed",
        # Finals cover the audio without a gap, silence included, so a new connection continues at a word.
        resume="exact",
        max_speed=1.25,
        keepalive=10.0,
        audio_formats=("pcm_s16le", "pcm_f32le", "mulaw", "alaw"),
        sample_rates=(),
        languages=(
            "af", "ar", "be", "bg", "bn", "bs", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa",
            "fi", "fr", "gl", "gu", "he", "hi", "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "lv",
            "mk", "mr", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "ta", "te",
            "th", "tl", "tr", "uk", "vi", "xh", "zh", "zu",
        ),
        price_per_hour=0.46,
    ),
    settings="debabelizer_deepgram.settings:DeepgramSettings",
    factory="debabelizer_deepgram.provider:DeepgramProvider",
    secrets=(Secret(key="api_key", env="DEEPGRAM_API_KEY"),),
    homepage="https://developers.deepgram.com/docs",
)  # fmt: skip


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
