"""What Deepgram is asked for: queries, and the header with the key. Everything is in the query, also on streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias
from urllib.parse import urlencode

from debabelizer.audio.format import AudioFormat, Encoding
from debabelizer.config import usable_key
from debabelizer.errors import InvalidRequestError
from debabelizer.provider import Request
from debabelizer_deepgram.settings import AccountSettings, DeepgramSettings, FluxSettings, Parameter

__all__ = ["Query", "authorization", "file_query", "flux_query", "flux_url", "stream_query", "stream_url"]

Query: TypeAlias = list[tuple[str, str]]

_ENCODINGS: Final[dict[Encoding, str]] = {
    "pcm_s16le": "linear16",
    "pcm_f32le": "linear32",
    "mulaw": "mulaw",
    "alaw": "alaw",
}

# Deepgram takes 500 tokens of key terms (official SDK). They cannot be counted here, but each term is one at least.
_MOST_KEYTERMS: Final = 500


def authorization(settings: AccountSettings) -> dict[str, str]:
    """The header that carries the key: the only place it ever goes to.

    Raises:
        AuthenticationError: If there is no key, or it is none that a header can hold.
        ConfigError: If the key is not where the configuration says.
    """
    key = usable_key(settings.api_key, provider="deepgram", env="DEEPGRAM_API_KEY")
    return {"Authorization": f"{'Token' if settings.key_type == 'key' else 'Bearer'} {key}"}


def stream_url(request: Request[DeepgramSettings], audio_format: AudioFormat) -> str:
    """Address of a Nova stream. Raises as `stream_query` does."""
    return f"{request.settings.stream_endpoint}/v1/listen?{urlencode(stream_query(request, audio_format))}"


def flux_url(request: Request[FluxSettings], audio_format: AudioFormat) -> str:
    """Address of a Flux stream. Raises as `flux_query` does."""
    return f"{request.settings.stream_endpoint}/v2/listen?{urlencode(flux_query(request, audio_format))}"


def stream_query(request: Request[DeepgramSettings], audio_format: AudioFormat) -> Query:
    """The query of a Nova stream.

    Results that may change are always asked for: `UtteranceEnd` needs them, and they are the sign of life while
    somebody speaks on and on. The core shows them only to those who want them.

    Raises:
        InvalidRequestError: If Deepgram is known to refuse what is asked for.
    """
    settings = request.settings
    query = [*_listening(request), *_raw(audio_format)]
    query += _pairs("interim_results", True)
    query += _pairs("vad_events", settings.vad_events or None)
    query += _pairs("endpointing", settings.endpointing_ms if request.endpointing else False)
    query += _pairs("utterance_end_ms", settings.utterance_end_ms if request.endpointing else None)
    return query + _extra(settings)


def file_query(request: Request[DeepgramSettings]) -> Query:
    """The query for a file. Raises as `stream_query` does."""
    settings = request.settings
    query = _listening(request)
    if not any(name == "language" for name, _ in query):
        query += _pairs("detect_language", True)  # files only (documentation)
    query += _pairs("utterances", True)
    query += _pairs("utt_split", settings.utt_split)
    query += _pairs("multichannel", settings.multichannel or None)
    return query + _extra(settings)


def flux_query(request: Request[FluxSettings], audio_format: AudioFormat) -> Query:
    """The query of a Flux stream.

    Raises:
        InvalidRequestError: If Deepgram is known to refuse what is asked for.
    """
    settings, hints = request.settings, request.language_hints
    english = bool(hints) and all(hint.split("-")[0] == "en" for hint in hints)
    model = settings.model or ("flux-general-en" if english else "flux-general-multi")
    query = _pairs("model", model)
    if model.endswith("-multi"):  # only the multilingual model takes hints (documentation)
        query += _pairs("language_hint", list(hints))
    query += _raw(audio_format)
    query += _pairs("eot_threshold", settings.eot_threshold)
    query += _pairs("eot_timeout_ms", settings.eot_timeout_ms)
    query += _pairs("keyterm", _terms(request.vocabulary))
    return query + _shared(settings) + _extra(settings)


def _listening(request: Request[DeepgramSettings]) -> Query:
    """What Nova streams and files share. What is not wanted is left out: Deepgram's defaults are its own affair."""
    settings = request.settings
    query = _pairs("model", settings.model)
    for name in ("version", "punctuate", "smart_format", "dictation"):
        query += _pairs(name, getattr(settings, name))
    query += _language(request)
    query += _pairs("diarize_model", settings.diarize_model if request.diarization else None)
    query += _pairs("replace", list(settings.replace))
    if _is_nova_3(settings.model):
        query += _pairs("keyterm", _terms(request.vocabulary))
    else:
        boost = "" if settings.keyword_boost is None else f":{settings.keyword_boost}"
        query += _pairs("keywords", [f"{word}{boost}" for word in _terms(request.vocabulary)])
    return query + _shared(settings)


def _language(request: Request[DeepgramSettings]) -> Query:
    """One hint is the language. Without any, or with several, a model that can is to find out for each word.

    Nova-3 takes all hints for that, Nova-2 knows English and Spanish only, and older models know one language.
    """
    settings, hints = request.settings, list(dict.fromkeys(request.language_hints))
    multilingual = _is_nova_3(settings.model) or (
        settings.model.startswith("nova-2") and {hint.split("-")[0] for hint in hints} == {"en", "es"}
    )
    language = settings.language
    if language is None and len(hints) != 1 and multilingual:
        language = "multi"
    if language is None and hints:
        language = hints[0]
    query = _pairs("language", language)
    if language == "multi" and _is_nova_3(settings.model):
        query += _pairs("language_hint", hints)
    return query


def _is_nova_3(model: str) -> bool:
    return model.startswith("nova-3")


def _terms(vocabulary: tuple[str, ...]) -> list[str]:
    terms = list(dict.fromkeys(term.strip() for term in vocabulary if term.strip()))
    if len(terms) > _MOST_KEYTERMS:
        raise InvalidRequestError(
            f"The vocabulary has {len(terms)} terms, and Deepgram takes {_MOST_KEYTERMS} tokens.",
            hint="Leave some out: the most unusual words need it most.",
        )
    return terms


def _raw(audio_format: AudioFormat) -> Query:
    """Raw audio needs both its encoding and its rate (documentation)."""
    return [
        ("encoding", _ENCODINGS[audio_format.encoding]),
        ("sample_rate", str(audio_format.sample_rate)),
        *([("channels", str(audio_format.channels))] if audio_format.channels > 1 else []),
    ]


def _shared(settings: AccountSettings) -> Query:
    query: Query = []
    for name in ("numerals", "profanity_filter", "mip_opt_out"):
        query += _pairs(name, getattr(settings, name))
    return query + _pairs("redact", list(settings.redact)) + _pairs("tag", list(settings.tag))


def _extra(settings: AccountSettings) -> Query:
    return [pair for name, value in settings.extra.items() for pair in _pairs(name, value)]


def _pairs(name: str, value: Parameter | None) -> Query:
    """A parameter as it is written: nothing for None, one pair for each item of a list."""
    return list(_written(name, value))


def _written(name: str, value: Parameter | None) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool):
        yield name, str(value).lower()
    elif isinstance(value, list):
        yield from ((name, item) for item in value)
    elif value is not None:
        yield name, str(value)
