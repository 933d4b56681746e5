"""The tables ``[providers.openai]``, ``[providers.groq]`` and so on. Limits are those that are documented."""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import Field, JsonValue, StringConstraints, field_validator, model_validator

from debabelizer.config import ProviderSettings, Secret
from debabelizer.config.addresses import ApiUrl
from debabelizer.config.values import Duration
from debabelizer_openai.flavours import FLAVOURS, Flavour, Model

__all__ = [
    "CompatibleSettings",
    "GroqSettings",
    "LocalAISettings",
    "OpenAISettings",
    "ServerSettings",
    "SpeachesSettings",
    "VllmRealtimeSettings",
    "VllmSettings",
    "WhisperCppSettings",
]

# What the provider itself writes into a form.
_OWN_FIELDS: Final = frozenset({"file", "model", "response_format", "stream", "language", "languages[]"})
_ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
FlavourName: TypeAlias = Literal["generic", "groq", "localai", "openai", "speaches", "vllm", "whisper_cpp"]
_SpeakerName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_DataUrl = Annotated[str, StringConstraints(pattern=r"^data:audio/")]


class _Address(ProviderSettings):
    """What leads to a server."""

    api_key: Secret | None = None
    """The key, for a server that asks for one."""

    insecure: bool = False
    """Allow `http://` to other machines: the key and the audio then travel in the clear."""


class ServerSettings(_Address):
    """Settings of a server that takes recordings. Streams are cut into utterances, and sent there too."""

    provider: ClassVar[str]

    base_url: ApiUrl | None
    """Base address of the server."""

    model: _ModelName
    """The model, as the server knows it."""

    prompt: str = ""
    """Text that tells the model about style and context. Words to expect are better given as `vocabulary`."""

    temperature: float | None = Field(default=None, ge=0.0, le=1.0)
    """Higher is more random; by default the server decides."""

    longest_piece: Duration | None = Field(default=None, ge=5.0, le=780.0)
    """Recordings are cut at pauses into pieces of at most so many seconds; by default what suits the model."""

    parallel: int = Field(default=4, ge=1, le=32)
    """Most pieces of one recording under way at once."""

    timeout: Duration = Field(default=240.0, gt=0.0)
    """Longest wait for a server that works on a piece and says nothing, in seconds."""

    file_extra: dict[str, JsonValue] = Field(default={})
    """Fields added to the form that is sent with a recording, for what is newer than this release."""

    @field_validator("file_extra")
    @classmethod
    def _adds_only(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(value.keys() & _OWN_FIELDS):
            raise ValueError(f"must not hold {', '.join(taken)}: there are settings and options for it")
        if any(isinstance(item, dict | list) or item is None for item in value.values()):
            raise ValueError("must hold texts, numbers and booleans: the fields of a form")
        return value

    @property
    def server(self) -> Flavour:
        """What is known of the server."""
        return FLAVOURS[self.provider]

    @property
    def row(self) -> Model:
        """What is known of the model that takes recordings."""
        return self.server.model(self.recording_model)

    @property
    def recording_model(self) -> str:
        """The model for recordings."""
        return self.model


class OpenAISettings(ServerSettings):
    """Settings of provider `openai`."""

    provider: ClassVar[str] = "openai"

    base_url: ApiUrl = "https://api.openai.com/v1"
    """Base address; that of a gateway or proxy with the same API will do. Streams go there too, over `wss://`."""

    model: _ModelName = "gpt-transcribe"
    """Model for streams. `gpt-transcribe` writes after each pause; `gpt-live-transcribe` while one speaks."""

    file_model: _ModelName = "gpt-transcribe"
    """Model for files. `whisper-1` tells times of words, `gpt-4o-transcribe-diarize` speakers, until 2027-02-26."""

    timeout: Duration = Field(default=120.0, gt=0.0)
    """Longest wait for a service that works on a piece and says nothing, in seconds."""

    organization: str | None = Field(default=None, min_length=1, max_length=128)
    """Organization to bill, for keys that belong to several."""

    project: str | None = Field(default=None, min_length=1, max_length=128)
    """Project to bill."""

    turn_detection: Literal["auto", "server_vad", "semantic_vad", "pauses"] = "auto"
    """What ends an utterance of a stream: the service, by voice activity or by meaning; or `pauses` heard here."""

    vad_threshold: float | None = Field(default=None, ge=0.0, le=1.0)
    """`server_vad`: how sure it must be that somebody speaks; OpenAI's default is 0.5."""

    prefix_padding_ms: int | None = Field(default=None, ge=0, le=5000)
    """`server_vad`: audio kept before speech; OpenAI's default is 300."""

    silence_duration_ms: int | None = Field(default=None, ge=0, le=10_000)
    """`server_vad`: silence that ends an utterance; OpenAI's default is 500."""

    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    """`semantic_vad`: how soon an utterance ends, at the latest after 8, 4 or 2 s; OpenAI's default is `auto`."""

    pause: Duration = Field(default=0.8, ge=0.1, le=5.0)
    """`pauses`: silence that ends an utterance, in seconds."""

    noise_reduction: Literal["near_field", "far_field"] | None = None
    """Take noise out of streams: of a microphone close by, or of one in the room."""

    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    """How long `gpt-realtime-whisper` waits before it writes: longer is more accurate."""

    model_in_url: bool = False
    """Name the model in the address of streams too: gateways and clones want it, OpenAI itself refuses it."""

    known_speakers: dict[_SpeakerName, _DataUrl] = Field(default={}, max_length=4)
    """`gpt-4o-transcribe-diarize`: up to four names, each with 2 to 10 s of speech as a `data:audio/…` URL."""

    extra: dict[str, JsonValue] = Field(default={})
    """Members added to `transcription` in the session of a stream, for what is newer than this release."""

    @field_validator("extra")
    @classmethod
    def _is_json(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if "model" in value:
            raise ValueError("must not hold model: there is a setting for it")
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise ValueError("must hold only what JSON can express: no inf, no nan") from None
        return value

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.turn_detection.endswith("_vad") and self.stream_row.turns == "client":
            raise ValueError(f"turn_detection must be auto or pauses for the model {self.model}: OpenAI refuses others")
        return self

    @property
    def recording_model(self) -> str:
        """The model for recordings."""
        return self.file_model

    @property
    def stream_row(self) -> Model:
        """What is known of the model for streams."""
        return self.server.model(self.model)


class GroqSettings(ServerSettings):
    """Settings of provider `groq`."""

    provider: ClassVar[str] = "groq"

    base_url: ApiUrl = "https://api.groq.com/openai/v1"
    """Base address."""

    model: _ModelName = "whisper-large-v3-turbo"
    """The model: `whisper-large-v3-turbo` or `whisper-large-v3`."""

    timeout: Duration = Field(default=120.0, gt=0.0)
    """Longest wait for a service that works on a piece and says nothing, in seconds."""


class SpeachesSettings(ServerSettings):
    """Settings of provider `speaches`."""

    provider: ClassVar[str] = "speaches"

    base_url: ApiUrl = "http://127.0.0.1:8000/v1"
    """Base address of the server."""

    model: _ModelName = "Systran/faster-whisper-small"
    """The model; the server loads it when it is first used."""

    parallel: int = Field(default=2, ge=1, le=32)
    """Most pieces of one recording under way at once."""


class WhisperCppSettings(ServerSettings):
    """Settings of provider `whisper_cpp`."""

    provider: ClassVar[str] = "whisper_cpp"

    base_url: ApiUrl = "http://127.0.0.1:8080"
    """Base address of the server."""

    model: _ModelName = "loaded"
    """Not sent: the server has loaded one model, and uses that."""

    parallel: int = Field(default=1, ge=1, le=32)
    """Most pieces of one recording under way at once; the server works on one at a time."""


class VllmSettings(ServerSettings):
    """Settings of provider `vllm`."""

    provider: ClassVar[str] = "vllm"

    base_url: ApiUrl = "http://127.0.0.1:8000/v1"
    """Base address of the server."""

    model: _ModelName = "openai/whisper-large-v3-turbo"
    """The model that the server was started with."""


class LocalAISettings(ServerSettings):
    """Settings of provider `localai`."""

    provider: ClassVar[str] = "localai"

    base_url: ApiUrl = "http://127.0.0.1:8080/v1"
    """Base address of the server."""

    model: _ModelName = "whisper-1"
    """The model, as it is named in the server's configuration."""

    parallel: int = Field(default=1, ge=1, le=32)
    """Most pieces of one recording under way at once."""


class CompatibleSettings(ServerSettings):
    """Settings of provider `openai_compatible`."""

    provider: ClassVar[str] = "openai_compatible"

    flavour: FlavourName = "generic"
    """Which server it is like: that decides how it is asked, and how its answers are read."""

    base_url: ApiUrl | None = None
    """Base address of the server: what stands before `/audio/transcriptions`. It must be given."""

    model: _ModelName = "whisper-1"
    """The model, as the server knows it."""

    @property
    def server(self) -> Flavour:
        """See `ServerSettings`."""
        return FLAVOURS[self.flavour]


class VllmRealtimeSettings(_Address):
    """Settings of provider `vllm_realtime`."""

    base_url: ApiUrl = "http://127.0.0.1:8000/v1"
    """Base address of the server. Streams go there over `ws://` or `wss://`."""

    model: _ModelName = "mistralai/Voxtral-Mini-4B-Realtime-2602"
    """The model that the server was started with; it must be one for streams."""

    pause: Duration = Field(default=0.8, ge=0.1, le=5.0)
    """Silence that ends an utterance, in seconds. Only then its words become final."""
