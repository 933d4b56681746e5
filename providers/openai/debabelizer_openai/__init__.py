"""OpenAI for Debabelizer, and the servers that speak its protocol: Groq, vLLM, speaches, whisper.cpp, LocalAI.

Each is a provider of its own, made of one table (`debabelizer_openai.flavours`): claims, keys and addresses differ,
and a list of fallbacks can name several of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["SPECS", "debabelizer_register_providers"]

_HOMEPAGE: Final = "https://developers.openai.com/api/docs/guides/speech-to-text"

_OPENAI: Final = ProviderSpec(
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
        audio_formats=("pcm_s16le",),
        sample_rates=(24000,),
        languages=("*",),
        price_per_hour=0.27,
    ),
    settings="debabelizer_openai.settings:OpenAISettings",
    factory="debabelizer_openai.provider:OpenAIProvider",
    secrets=(Secret(key="api_key", env="OPENAI_API_KEY"),),
    homepage=_HOMEPAGE,
)

_GROQ: Final = ProviderSpec(
    name="groq",
    summary="Groq cloud: Whisper, fast; word times, many languages.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        words="word",
        language_identification=True,
        vocabulary=True,
        max_speed=None,
        languages=("*",),
        price_per_hour=0.04,
    ),
    settings="debabelizer_openai.settings:GroqSettings",
    factory="debabelizer_openai.provider:ServerProvider",
    secrets=(Secret(key="api_key", env="GROQ_API_KEY"),),
    homepage="https://console.groq.com/docs/speech-to-text",
)

_SPEACHES: Final = ProviderSpec(
    name="speaches",
    summary="A speaches server of your own: word times, many languages.",
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
    settings="debabelizer_openai.settings:SpeachesSettings",
    factory="debabelizer_openai.provider:ServerProvider",
    secrets=(Secret(key="api_key", env="SPEACHES_API_KEY", required=False),),
    homepage="https://speaches.ai",
)

_WHISPER_CPP: Final = ProviderSpec(
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

_VLLM: Final = ProviderSpec(
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

_VLLM_REALTIME: Final = ProviderSpec(
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

_LOCALAI: Final = ProviderSpec(
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

SPECS: Final = (_OPENAI, _GROQ, _SPEACHES, _WHISPER_CPP, _VLLM, _VLLM_REALTIME, _LOCALAI)
"""All of them, OpenAI first."""


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """See `debabelizer.plugins.hookspecs`."""
    for spec in SPECS:
        register(spec)
