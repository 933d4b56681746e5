"""whisper.cpp's server: Whisper on a machine of your own, with nearly OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec

__all__ = ["SPEC", "debabelizer_register_providers"]

SPEC: Final = ProviderSpec(
    name="whisper_cpp",
    summary="A whisper.cpp server of your own: word times, many languages; no key.",
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
    settings="debabelizer_openai.settings:WhisperCppSettings",
    factory="debabelizer_openai.provider:ServerProvider",
    homepage="https://github.com/ggml-org/whisper.cpp/tree/master/examples/server",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    register(SPEC)
