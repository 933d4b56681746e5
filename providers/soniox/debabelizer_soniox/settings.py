"""`SonioxSettings`: the table ``[providers.soniox]``. Limits are those that Soniox documents."""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from debabelizer.config import ApiUrl, ProviderSettings, Secret, WebSocketUrl
from debabelizer.config.provider import Table
from debabelizer.config.values import Duration
from debabelizer_soniox import endpoints
from debabelizer_soniox.languages import language_code

__all__ = ["Context", "OneWayTranslation", "SonioxSettings", "Translation", "TwoWayTranslation"]

Language: TypeAlias = Annotated[str, AfterValidator(language_code)]

# What the provider itself writes into a request. `api_key` is refused there from 2027-01-15 on.
_OWN_MEMBERS: Final = frozenset(
    {"api_key", "audio_format", "audio_url", "file_id", "language_hints", "num_channels", "sample_rate"}
    | {"enable_endpoint_detection", "enable_speaker_diarization"}
)


class Context(Table):
    """What Soniox may know beforehand; terms weigh most, then general, then text."""

    general: dict[str, str] = Field(default={})
    """Facts about the conversation, such as `{ domain = "Health", topic = "Diabetes" }`."""

    text: str = ""
    """Free text: background, history."""

    terms: tuple[str, ...] = ()
    """Words to expect. Those of the option `vocabulary` are added to them."""

    translation_terms: dict[str, str] = Field(default={})
    """How terms are to be translated: `{ "Mr. Smith" = "Sr. Smith" }`."""


class OneWayTranslation(Table):
    """Everything is translated into one language."""

    type: Literal["one_way"]
    """`one_way`."""

    target_language: Language
    """Language to translate into."""


class TwoWayTranslation(Table):
    """Two speakers, each translated into the language of the other."""

    type: Literal["two_way"]
    """`two_way`."""

    language_a: Language
    """One language."""

    language_b: Language
    """The other language."""

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.language_a == self.language_b:
            raise ValueError("must name two languages")
        return self


Translation: TypeAlias = Annotated[OneWayTranslation | TwoWayTranslation, Field(discriminator="type")]


class SonioxSettings(ProviderSettings):
    """Settings of provider `soniox`."""

    api_key: Secret | None = None
    """The key, permanent or temporary; by default from the environment variable `SONIOX_API_KEY`."""

    region: endpoints.Region = "us"
    """Where audio is processed. A key is bound to its region."""

    insecure: bool = False
    """Allow `ws://` and `http://` to other machines: the key and the audio then travel in the clear."""

    websocket_url: WebSocketUrl | None = None
    """Whole address of the real-time service, instead of the region's."""

    api_url: ApiUrl | None = None
    """Whole base address of the REST API, instead of the region's, such as `https://api.soniox.com/v1`."""

    model: str = Field(default="stt-rt-v5", min_length=1, max_length=32)
    """Model for streams."""

    file_model: str = Field(default="stt-async-v5", min_length=1, max_length=32)
    """Model for files."""

    language_hints_strict: bool = False
    """Keep to the language hints as far as possible; strongest with a single hint."""

    enable_language_identification: bool = True
    """Say which language each word was spoken in."""

    max_endpoint_delay_ms: int | None = Field(default=None, ge=500, le=3000)
    """Longest wait from the end of speech to the end of the utterance; Soniox's default is 2000."""

    endpoint_sensitivity: float | None = Field(default=None, ge=-1.0, le=1.0, allow_inf_nan=False)
    """Higher ends utterances more readily; Soniox's default is 0. Models before v5 refuse it."""

    endpoint_latency_adjustment_level: int | None = Field(default=None, ge=0, le=3)
    """Higher ends utterances earlier and a little less accurately; Soniox's default is 0."""

    context: Context = Context()
    """What Soniox may know beforehand: `general`, `text`, `terms`, `translation_terms`; 8,000 tokens in all."""

    translation: Translation | None = None
    """Translation of `type` `one_way` or `two_way`. The option `translate_to` is stronger."""

    client_reference_id: str | None = Field(default=None, min_length=1, max_length=256)
    """Your own mark in Soniox's usage logs; ignored with temporary keys, which bring their own."""

    file_timeout: Duration = Field(default=3600.0, gt=0.0)
    """Longest wait for the transcription of a file after its upload, in seconds."""

    extra: dict[str, JsonValue] = Field(default={})
    """Members added to the start request of a stream, for what is newer than this release."""

    file_extra: dict[str, JsonValue] = Field(default={})
    """The same for the request that transcribes a file."""

    @field_validator("extra", "file_extra")
    @classmethod
    def _adds_only(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(value.keys() & (_OWN_MEMBERS | cls.model_fields.keys())):
            raise ValueError(f"must not hold {', '.join(taken)}: there are settings and options for it")
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise ValueError("must hold only what JSON can express: no inf, no nan") from None
        return value

    @property
    def stream_endpoint(self) -> str:
        """Address of the real-time service."""
        return self.websocket_url or endpoints.websocket_url(self.region)

    @property
    def rest_endpoint(self) -> str:
        """Base address of the REST API, without a slash at its end."""
        return self.api_url or endpoints.api_url(self.region)
