"""The start request: what the service reads from it, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from debabelizer.testing._samples import RAW_ENCODINGS
from debabelizer.testing.audio import CONTAINERS, RawAudio
from debabelizer.testing.soniox.errors import Refused, error_reply

__all__ = [
    "ASYNC_MODELS",
    "LANGUAGES",
    "REALTIME_MODELS",
    "StartRequest",
    "Translation",
    "parse_options",
    "parse_start",
]

REALTIME_MODELS: Final = ("stt-rt-v5", "stt-rt-v4")
ASYNC_MODELS: Final = ("stt-async-v5", "stt-async-v4")

LANGUAGES: Final = frozenset(
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr gl gu he hi hr hu id it ja kk kn ko lt lv mk ml mr ms "  # noqa: SIM905 - sixty quoted strings are harder to read
    "nl no pa pl pt ro ru sk sl sq sr sv sw ta te th tl tr uk ur vi zh".split()
)

_CONTEXT_LIMIT: Final = 8000
_CONTEXT_TOKENS_PER_LATIN_LETTER: Final = 0.8  # the documented limit is about 10,000 Latin letters

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What to translate to: one target, or either of two languages to the other."""

    target: str | None = None
    pair: tuple[str, str] | None = None

    def target_of(self, language: str) -> str | None:
        """The language to translate `language` to, or None if it is not translated."""
        if self.pair is None:
            return None if language == self.target else self.target
        other = {self.pair[0]: self.pair[1], self.pair[1]: self.pair[0]}
        return other.get(language)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """A valid start request. Times are seconds."""

    model: str
    audio_format: str = "auto"
    raw: RawAudio | None = None
    language_hints: tuple[str, ...] = ()
    language_identification: bool = False
    diarization: bool = False
    endpoint_detection: bool = False
    max_endpoint_delay: float = 2.0
    translation: Translation | None = None


def parse_start(payload: Mapping[str, Any]) -> StartRequest:
    """Read a start request; unknown members are ignored, and null is the same as absent.

    Raises:
        Refused: If the service would refuse it.
    """
    fields = _Fields(payload)
    model = fields.get("model", str)
    if model not in REALTIME_MODELS:
        raise _invalid("Invalid model specified.")
    options = parse_options(payload)
    fields.number("endpoint_sensitivity", -1.0, 1.0)
    fields.number("endpoint_latency_adjustment_level", 0, 3, whole=True)
    delay = fields.number("max_endpoint_delay_ms", 500, 3000, whole=True)
    audio_format, raw = _audio(fields)
    return StartRequest(
        model=model,
        audio_format=audio_format,
        raw=raw,
        endpoint_detection=bool(fields.get("enable_endpoint_detection", bool)),
        max_endpoint_delay=2.0 if delay is None else delay / 1000,
        **options,
    )


def parse_options(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a stream and a file have in common; the result fits `StartRequest`.

    Raises:
        Refused: If the service would refuse it.
    """
    fields = _Fields(payload)
    reference = fields.get("client_reference_id", str)
    if reference is not None and len(reference) > 256:
        raise _invalid("Client reference ID is too long (max length 256)")
    fields.get("language_hints_strict", bool)
    _check_context(payload.get("context"))
    return {
        "language_hints": _language_hints(fields),
        "language_identification": bool(fields.get("enable_language_identification", bool)),
        "diarization": bool(fields.get("enable_speaker_diarization", bool)),
        "translation": _translation(fields),
    }


def _audio(fields: _Fields) -> tuple[str, RawAudio | None]:
    audio_format = fields.get("audio_format", str)
    if not audio_format:
        raise _invalid('Missing audio format. Specify a valid audio format or "auto" for auto format detection.')
    if audio_format == "auto" or audio_format in CONTAINERS:
        return audio_format, None
    if audio_format not in RAW_ENCODINGS:
        raise _invalid(f"Invalid audio data format: {audio_format}")
    rate = fields.number("sample_rate", 1, 384_000, whole=True)
    if rate is None:
        raise _invalid("Audio data sample rate must be specified for PCM formats")
    channels = fields.number("num_channels", 1, 2, whole=True)
    if channels is None:
        raise _invalid("Audio data channels must be specified for PCM formats")
    return audio_format, RawAudio(audio_format, int(rate), int(channels))


def _language_hints(fields: _Fields) -> tuple[str, ...]:
    hints = fields.get("language_hints", list) or []
    if any(not isinstance(hint, str) or hint not in LANGUAGES for hint in hints):
        raise _invalid("Invalid language hint.")
    if len(set(hints)) < len(hints):
        raise _invalid("Language hints must be unique.")
    return tuple(hints)


def _translation(fields: _Fields) -> Translation | None:
    value = fields.get("translation", dict)
    if value is None:
        return None
    match value.get("type"):
        case "one_way":
            return Translation(target=_language(value.get("target_language")))
        case "two_way":
            return Translation(pair=(_language(value.get("language_a")), _language(value.get("language_b"))))
    raise _malformed()


def _language(code: object) -> str:
    if not isinstance(code, str) or code not in LANGUAGES:
        raise _invalid("Invalid translation target language.")
    return code


def _check_context(context: object) -> None:
    if context is None:
        return
    if not isinstance(context, (str, dict)):
        raise _malformed()
    text = context if isinstance(context, str) else json.dumps(context, ensure_ascii=False)
    latin = sum(character.isascii() for character in text)
    tokens = round(latin * _CONTEXT_TOKENS_PER_LATIN_LETTER) + len(text) - latin
    if tokens > _CONTEXT_LIMIT:
        raise _invalid(f"Context is too long: {tokens} tokens, the maximum is {_CONTEXT_LIMIT} tokens.")


class _Fields:
    """Typed access to the members of a JSON object."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self._payload = payload

    def get(self, name: str, kind: type[T]) -> T | None:
        value = self._payload.get(name)
        if value is None:
            return None
        if not isinstance(value, kind):
            raise _malformed()
        return value

    def number(self, name: str, low: float, high: float, *, whole: bool = False) -> float | None:
        value = self._payload.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise _malformed()
        if not low <= value <= high:
            raise _invalid(f"Invalid {name}: must be between {low:g} and {high:g}.")
        return value


def _malformed() -> Refused:
    return _invalid("Start request is malformed.")


def _invalid(message: str) -> Refused:
    return Refused(error_reply(400, message))
