"""What Soniox is asked for: the start request of a stream, and the request that transcribes a file."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from debabelizer.audio.format import AudioFormat
from debabelizer.config import usable_key
from debabelizer.errors import InvalidRequestError
from debabelizer.provider import Request
from debabelizer_soniox.languages import language_code
from debabelizer_soniox.settings import SonioxSettings

__all__ = ["authorization", "file_request", "start_request"]

# Soniox takes 8,000 tokens of context, roughly 10,000 characters of Latin script. Its tokens cannot be counted here,
# so only what is far beyond any doubt is refused; of the rest Soniox says itself how much too long it is.
_CONTEXT_CHARACTERS: Final = 40_000


def authorization(settings: SonioxSettings) -> dict[str, str]:
    """The header that carries the key: the only place it ever goes to.

    Raises:
        AuthenticationError: If there is no key, or it is none that a header can hold.
        ConfigError: If the key is not where the configuration says.
    """
    key = usable_key(settings.api_key, provider="soniox", env="SONIOX_API_KEY")
    return {"Authorization": f"Bearer {key}"}


def start_request(request: Request[SonioxSettings], audio_format: AudioFormat) -> dict[str, Any]:
    """The first frame of a stream.

    Raises:
        InvalidRequestError: If Soniox is known to refuse what is asked for.
    """
    settings = request.settings
    body: dict[str, Any] = {
        "model": settings.model,
        "audio_format": audio_format.encoding,
        "sample_rate": audio_format.sample_rate,
        "num_channels": audio_format.channels,
        **_common(request),
    }
    if request.endpointing:
        body["enable_endpoint_detection"] = True
        for name in ("max_endpoint_delay_ms", "endpoint_sensitivity", "endpoint_latency_adjustment_level"):
            value = getattr(settings, name)
            if value is not None:
                body[name] = value
    return body | settings.extra


def file_request(request: Request[SonioxSettings], file_id: str) -> dict[str, Any]:
    """The body that starts the transcription of an uploaded file.

    Raises:
        InvalidRequestError: As in `start_request`.
    """
    settings = request.settings
    return {"model": settings.file_model, "file_id": file_id, **_common(request)} | settings.file_extra


def _common(request: Request[SonioxSettings]) -> dict[str, Any]:
    """What streams and files share. What is not wanted is left out: Soniox's defaults are its own affair."""
    settings = request.settings
    body: dict[str, Any] = {}
    if hints := list(dict.fromkeys(_language(code) for code in request.language_hints)):  # must be unique
        body["language_hints"] = hints
        if settings.language_hints_strict:
            body["language_hints_strict"] = True
    if settings.enable_language_identification:
        body["enable_language_identification"] = True
    if request.diarization:
        body["enable_speaker_diarization"] = True
    if context := _context(request):
        body["context"] = context
    if request.translate_to is not None:
        body["translation"] = {"type": "one_way", "target_language": _language(request.translate_to)}
    elif settings.translation is not None:
        body["translation"] = settings.translation.model_dump()
    if settings.client_reference_id is not None:
        body["client_reference_id"] = settings.client_reference_id
    return body


def _context(request: Request[SonioxSettings]) -> dict[str, Any]:
    context = request.settings.context
    body = {
        "general": [{"key": key, "value": value} for key, value in context.general.items()],
        "text": context.text,
        "terms": list(dict.fromkeys((*context.terms, *request.vocabulary))),
        "translation_terms": [{"source": term, "target": text} for term, text in context.translation_terms.items()],
    }
    size = _characters([body["text"], body["terms"], context.general, context.translation_terms])
    if size > _CONTEXT_CHARACTERS:
        raise InvalidRequestError(
            f"The context and vocabulary for Soniox have {size} characters.",
            provider="soniox",
            hint="Soniox takes 8,000 tokens, roughly 10,000 characters of Latin script. Leave some out.",
        )
    return {name: value for name, value in body.items() if value}


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(_characters(item) for item in (chain(*value.items()) if isinstance(value, dict) else value))


def _language(code: str) -> str:
    try:
        return language_code(code)
    except ValueError as error:
        raise InvalidRequestError(f"The language code {code[:20]!r} {error}.", provider="soniox") from None
