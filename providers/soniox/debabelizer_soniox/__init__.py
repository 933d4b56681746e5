"""Soniox for Debabelizer: real-time streams and files in 60 languages."""

from __future__ import annotations

from collections.abc import Callable

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC = ProviderSpec(
    name="soniox",
    summary="Soniox cloud: live and files, 60 languages, word times, speakers, translation.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        streaming=True,
        interims=True,
        words="word",
        confidence=True,
        diarization=True,
        language_identification=True,
        translation=True,
        endpointing=True,
        vocabulary=True,
        flush="confirmed",
        # `final_audio_proc_ms` says how far the final words reach, so a new connection continues at a word.
        resume="exact",
        max_session=18_000.0,
        # Documented is "real time or near it", and that long bursts may be cut off; how long is not. Twice real
        # time lets a replay catch up (10 s in 10 s) and stays far from a burst.
        max_speed=2.0,
        keepalive=20.0,
        audio_formats=("pcm_s16le", "pcm_f32le", "mulaw", "alaw"),
        sample_rates=(),
        channels=2,
        languages=(
            "af", "ar", "az", "be", "bg", "bn", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es",
            "et", "eu", "fa", "fi", "fr", "gl", "gu", "he", "hi", "hr", "hu", "id", "it", "ja", "kk",
            "kn", "ko", "lt", "lv", "mk", "ml", "mr", "ms", "nl", "no", "pa", "pl", "pt", "ro", "ru",
            "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zh",
        ),
        price_per_hour=0.12,
    ),
    settings="debabelizer_soniox.settings:SonioxSettings",
    factory="debabelizer_soniox.provider:SonioxProvider",
    secrets=(Secret(key="api_key", env="SONIOX_API_KEY"),),
    homepage="https://soniox.com/docs",
)  # fmt: skip


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
