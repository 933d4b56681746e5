"""What is asked for: headers, addresses, the fields of a form, and the session of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

from debabelizer.audio.format import AudioFormat, Encoding
from debabelizer.config import Secret
from debabelizer.config.keys import usable_key
from debabelizer.provider import Request
from debabelizer_openai.flavours import Model
from debabelizer_openai.settings import OpenAISettings, ServerSettings

__all__ = ["authorization", "form_fields", "headers", "hears_pauses", "realtime_url", "session"]

# Official SDK: `audio/pcm` is 24 kHz, the others are the telephone's 8 kHz.
_FORMATS: Final[dict[Encoding, dict[str, Any]]] = {
    "pcm_s16le": {"type": "audio/pcm", "rate": 24000},
    "mulaw": {"type": "audio/pcmu"},
    "alaw": {"type": "audio/pcma"},
}


def authorization(key: Secret | None, *, provider: str, env: str | None) -> dict[str, str]:
    """The header that carries the key: the only place it ever goes to.

    Args:
        key: The key; None for a server that asks for none.
        provider: Whose key it is.
        env: The environment variable to name if there is no key and there must be one; else None.

    Raises:
        AuthenticationError: If there must be a key, or it is none that a header can hold.
        ConfigError: If the key is not where the configuration says.
    """
    if key is None and env is None:
        return {}
    return {"Authorization": f"Bearer {usable_key(key, provider=provider, env=env or 'api_key')}"}


def headers(settings: ServerSettings, *, env: str | None) -> dict[str, str]:
    """All headers of a call. Raises as `authorization` does."""
    found = authorization(settings.api_key, provider=settings.provider, env=env)
    if isinstance(settings, OpenAISettings):
        named = {"OpenAI-Organization": settings.organization, "OpenAI-Project": settings.project}
        found |= {name: value for name, value in named.items() if value is not None}
    return found


def realtime_url(base_url: str, **query: str) -> str:
    """The address of streams, which lies beside that of recordings."""
    url = "ws" + base_url.removeprefix("http") + "/realtime"
    return f"{url}?{urlencode(query)}" if query else url


def form_fields(request: Request[Any]) -> list[tuple[str, str | int | float | bool]]:
    """The fields of the form that goes with a recording, for whichever server."""
    settings: ServerSettings = request.settings
    flavour, row = settings.server, settings.row
    fields: list[tuple[str, Any]] = []
    if flavour.names_model:
        fields.append(("model", settings.recording_model))
    fields.append(("response_format", row.format))
    # With brackets: speaches takes no other spelling, and OpenAI's SDK writes it so.
    fields += [("timestamp_granularities[]", unit) for unit in row.granularities]
    if row.sse:
        fields.append(("stream", True))
    fields += _languages(request, row, flavour.any_language)
    fields += _context(request, row)
    if settings.temperature is not None:
        fields.append(("temperature", settings.temperature))
    if row.format == "diarized_json":
        fields.append(("chunking_strategy", "auto"))  # required for more than 30 s (official SDK)
        known = settings.known_speakers if isinstance(settings, OpenAISettings) else {}
        fields += [("known_speaker_names[]", name) for name in known]
        fields += [("known_speaker_references[]", speech) for speech in known.values()]
    return [*fields, *settings.file_extra.items()]


def session(request: Request[OpenAISettings], audio_format: AudioFormat) -> dict[str, Any]:
    """The session of a stream: what ``session.update`` carries first."""
    settings = request.settings
    row = settings.stream_row
    transcription: dict[str, Any] = {"model": settings.model}
    for name, value in (*_languages(request, row, None), *_context(request, row)):
        if name.endswith("[]"):
            transcription.setdefault(name[:-2], []).append(value)
        else:
            transcription[name] = value
    if settings.delay is not None:
        transcription["delay"] = settings.delay
    heard: dict[str, Any] = {
        "format": _FORMATS[audio_format.encoding],
        "transcription": transcription | settings.extra,
        "turn_detection": _turn_detection(settings),
    }
    if settings.noise_reduction is not None:
        heard["noise_reduction"] = {"type": settings.noise_reduction}
    return {"type": "transcription", "audio": {"input": heard}}


def hears_pauses(settings: OpenAISettings) -> bool:
    """Whether utterances of a stream are ended from here."""
    return settings.turn_detection == "pauses" or settings.stream_row.turns == "client"


def _turn_detection(settings: OpenAISettings) -> dict[str, Any] | None:
    if hears_pauses(settings):
        return None
    if settings.turn_detection == "semantic_vad":
        wish: dict[str, Any] = {"type": "semantic_vad", "eagerness": settings.eagerness}
    else:
        wish = {
            "type": "server_vad",
            "threshold": settings.vad_threshold,
            "prefix_padding_ms": settings.prefix_padding_ms,
            "silence_duration_ms": settings.silence_duration_ms,
        }
    return {name: value for name, value in wish.items() if value is not None}


def _languages(request: Request[Any], row: Model, otherwise: str | None) -> Iterator[tuple[str, str]]:
    codes = list(dict.fromkeys(code.partition("-")[0].lower() for code in request.language_hints))
    if row.language == "languages[]":
        yield from (("languages[]", code) for code in codes)
    elif len(codes) == 1:  # the older field holds one, and keeps strictly to it
        yield "language", codes[0]
    elif otherwise is not None:
        yield "language", otherwise


def _context(request: Request[Any], row: Model) -> Iterator[tuple[str, str]]:
    """What the model may know beforehand; where there is no field for words, they are part of the prompt."""
    prompt = [request.settings.prompt] if row.prompt and request.settings.prompt else []
    words = list(dict.fromkeys(request.vocabulary))
    if row.vocabulary == "prompt":
        prompt += [", ".join(words)] if words else []
    elif row.vocabulary == "hotwords":
        yield from (("hotwords", " ".join(words)) for _ in words[:1])
    elif row.vocabulary is not None:
        yield from ((row.vocabulary, word) for word in words)
    if prompt:
        yield "prompt", " ".join(prompt)
