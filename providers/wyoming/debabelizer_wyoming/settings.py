"""The table ``[providers.wyoming]``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from debabelizer.config import ProviderSettings
from debabelizer.config.values import Duration
from debabelizer_wyoming.address import Address

__all__ = ["WyomingSettings"]


class WyomingSettings(ProviderSettings):
    """Settings of provider `wyoming`."""

    insecure: bool = False
    """Allow a server on another machine: the protocol has no encryption and no key, so whoever is on the network can
    hear the audio and read the text."""

    uri: str = "tcp://127.0.0.1:10300"
    """The server: `tcp://host:port`, or `unix:///path` for a socket of this machine."""

    model: str = ""
    """Name of a model of the server; by default its first one. Many servers have one model and do not look."""

    language: str = ""
    """Language that is told to the server when `language_hints` does not name exactly one; by default none is told, and
    the server decides."""

    context: dict[str, JsonValue] = Field(default={})
    """What is told to the server as the context of each utterance; what it means, the server says."""

    names: tuple[str, ...] = ()
    """Names to expect. Servers that know nothing of this part of the protocol, which is new, take no notice."""

    terms: tuple[str, ...] = ()
    """Words to expect, less weighty than `names`; as these."""

    vad_sensitivity: Literal["default", "relaxed", "aggressive"] | None = None
    """How readily a server that ends utterances by itself does so."""

    allow_endpointing: bool = False
    """Use a server that says it ends utterances by itself. It may stop listening in a pause, and what is said behind it
    is lost: we cut utterances, and need no help."""

    connect_timeout: Duration = Field(default=5.0, gt=0.0, le=120.0)
    """Longest wait for a connection, and for the server to say what it is, in seconds."""

    timeout: Duration = Field(default=30.0, gt=0.0, le=600.0)
    """Longest wait for the text of an utterance, from the moment it is sent, in seconds. A small computer needs some
    time for 15 s of speech. If it is longer than a stream's `give_up_after`, a server that is gone ends the stream."""

    connections: int = Field(default=2, ge=1, le=64)
    """How many utterances of a recording are sent at the same time."""

    silence: float = Field(default=1.2, ge=0.1, le=5.0)
    """Pause, in seconds, that ends an utterance of a recording. Streams have a rule of their own."""

    max_utterance: float = Field(default=15.0, ge=2.0, le=120.0)
    """Longest utterance of a recording, in seconds; a longer one is cut at the best pause in its second half. Servers
    are made for commands of some seconds."""

    @field_validator("uri")
    @classmethod
    def _is_safe(cls, uri: str, info: ValidationInfo) -> str:
        if not Address.parse(uri).is_here and not info.data.get("insecure", False):
            raise ValueError(
                "is another machine: the audio would travel in the clear. Set insecure = true to allow that"
            )
        return uri
