"""The tables ``[providers.deepgram]`` and ``[providers.deepgram_flux]``. Limits are those that Deepgram documents."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from debabelizer.config import ApiUrl, ProviderSettings, Secret, WebSocketUrl
from debabelizer.config.values import Duration

__all__ = ["AccountSettings", "DeepgramSettings", "FluxSettings", "Parameter"]

Region: TypeAlias = Literal["global", "eu"]
Parameter: TypeAlias = str | bool | int | float | list[str]

_HOSTS: Final[dict[Region, str]] = {"global": "api.deepgram.com", "eu": "api.eu.deepgram.com"}

# What the provider itself writes into a query; a callback would take the answers elsewhere.
_OWN_PARAMETERS: Final = frozenset(
    {"callback", "callback_method", "channels", "diarize", "encoding", "endpointing", "interim_results", "keyterm"}
    | {"keywords", "language_hint", "sample_rate", "utterances"}
)


def _without_query(url: str) -> str:
    if urlsplit(url).query:
        raise ValueError("must be a base address: parameters belong into settings")
    return url.rstrip("/")


BaseUrl: TypeAlias = Annotated[WebSocketUrl, AfterValidator(_without_query)]


class AccountSettings(ProviderSettings):
    """What both providers of Deepgram have in common."""

    api_key: Secret | None = None
    """The key; by default from the environment variable `DEEPGRAM_API_KEY`."""

    key_type: Literal["key", "token"] = "key"
    """What `api_key` is: a permanent `key`, or a `token` that lives for a short time."""

    region: Region = "global"
    """Where audio is processed: `global`, or `eu` for the European Union."""

    insecure: bool = False
    """Allow `ws://` and `http://` to other machines: the key and the audio then travel in the clear."""

    websocket_url: BaseUrl | None = None
    """Base address of the streaming API, instead of the region's, such as `wss://api.deepgram.com`."""

    numerals: bool | None = None
    """Write numbers in digits; Deepgram's default is no."""

    profanity_filter: bool | None = None
    """Mask or drop profanity; Deepgram's default is no."""

    redact: tuple[str, ...] = ()
    """What to leave out of the text, such as `["pci", "numbers"]`."""

    mip_opt_out: bool | None = None
    """Keep your audio out of Deepgram's program for improving its models; that costs more."""

    tag: tuple[str, ...] = ()
    """Your own marks in Deepgram's usage reports."""

    extra: dict[str, Parameter] = Field(default={})
    """Parameters added to the query, for what is newer than this release."""

    @field_validator("extra")
    @classmethod
    def _adds_only(cls, value: dict[str, Parameter]) -> dict[str, Parameter]:
        if taken := sorted(value.keys() & (_OWN_PARAMETERS | cls.model_fields.keys())):
            raise ValueError(f"must not hold {', '.join(taken)}: there are settings and options for it")
        return value

    @property
    def stream_endpoint(self) -> str:
        """Base address of the streaming API, without a slash at its end."""
        return self.websocket_url or f"wss://{_HOSTS[self.region]}"


class DeepgramSettings(AccountSettings):
    """Settings of provider `deepgram`."""

    api_url: ApiUrl | None = None
    """Base address of the REST API, instead of the region's, such as `https://api.deepgram.com`."""

    model: str = Field(default="nova-3", min_length=1, max_length=100)
    """Model: `nova-3`, `nova-3-medical`, `nova-2`, …, or the identifier of a custom one."""

    version: str | None = Field(default=None, min_length=1)
    """Version of the model; Deepgram's default is the latest."""

    language: str | None = Field(default=None, min_length=2)
    """`multi` or a language code; by default it follows from `language_hints`."""

    punctuate: bool = True
    """Punctuation and capital letters."""

    smart_format: bool | None = None
    """Format dates, amounts, addresses and the like; results may come later. Deepgram's default is no."""

    dictation: bool | None = None
    """Turn spoken punctuation ("comma") into marks; needs `punctuate`."""

    diarize_model: str = Field(default="latest", min_length=1)
    """Which model tells speakers apart, when that is asked for: `latest` or `v1`; for files also `v2`."""

    endpointing_ms: int = Field(default=300, ge=10, le=10_000)
    """Silence that ends an utterance, in milliseconds. Deepgram's own default, 10, cuts at every breath."""

    utterance_end_ms: int | None = Field(default=1000, ge=1000, le=5000)
    """Gap between words that ends an utterance too, where noise hides the silence."""

    vad_events: bool = True
    """Say when speech begins."""

    replace: tuple[str, ...] = ()
    """Words to be replaced, such as `["hello:hi", "um:"]`."""

    keyword_boost: int | None = Field(default=None, ge=-10, le=10)
    """Weight of `vocabulary` with models before Nova-3; Deepgram's default is 1."""

    multichannel: bool = False
    """Files only: transcribe each channel by itself, for calls with one speaker in each."""

    utt_split: float | None = Field(default=None, gt=0.0, le=60.0, allow_inf_nan=False)
    """Files only: seconds of silence between segments; Deepgram's default is 0.8."""

    file_timeout: Duration = Field(default=660.0, gt=0.0)
    """Longest wait for the answer to a file after its upload; Deepgram gives up after 10 minutes itself."""

    @field_validator("model")
    @classmethod
    def _is_not_flux(cls, value: str) -> str:
        if value.startswith("flux-"):
            raise ValueError("must not be a Flux model: those belong to the provider deepgram_flux")
        return value

    @property
    def rest_endpoint(self) -> str:
        """Base address of the REST API, without a slash at its end."""
        return self.api_url or f"https://{_HOSTS[self.region]}"


class FluxSettings(AccountSettings):
    """Settings of provider `deepgram_flux`."""

    model: str | None = Field(default=None, pattern="^flux-", max_length=100)
    """`flux-general-en` or `flux-general-multi`; by default the first if English is the only language hint."""

    eot_threshold: float | None = Field(default=None, ge=0.5, le=1.0, allow_inf_nan=False)
    """Confidence at which a turn ends: higher waits longer. Deepgram's default is 0.7; 1.0 leaves only the timeout."""

    eot_timeout_ms: int | None = Field(default=None, ge=500, le=60_000)
    """Silence after which a turn ends in any case, in milliseconds; Deepgram's default is 5000."""
