"""Moonshine for Debabelizer: English speech recognition in this process, without key or network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec

__all__ = ["LANGUAGE", "PLATFORMS", "SPEC", "debabelizer_register_providers"]

LANGUAGE: Final = "en"

PLATFORMS: Final = (
    "Its native library exists for Linux on x86_64 (glibc 2.34 or newer) and on aarch64 (glibc 2.31 or newer), "
    "for macOS 15 or newer on Apple silicon, and for Windows on x64."
)

SPEC: Final = ProviderSpec(
    name="moonshine",
    summary="English, on this machine: no key, no network.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        local=True,
        words="segment",
        max_speed=None,
        audio_formats=("pcm_f32le",),
        languages=(LANGUAGE,),
        price_per_hour=0.0,
    ),
    settings="debabelizer_moonshine.settings:MoonshineSettings",
    factory="debabelizer_moonshine.provider:MoonshineProvider",
    homepage="https://github.com/moonshine-ai/moonshine",
    needs={
        "moonshine_voice": f"Type: pip install moonshine-voice==0.1.0. {PLATFORMS} Elsewhere, use another provider."
    },
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """Register the provider."""
    register(SPEC)
