"""Providers for tests of fallback: what they do is a matter of their name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from support.providers import Knobs
from support.service import Service

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.config import ProviderSettings
from debabelizer.config import Secret as SecretText
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Transcript
from debabelizer.spec import Capabilities, ProviderSpec, Secret
from debabelizer.streaming.connection import Connection

__all__ = ["Scripted", "spec"]


class Keyed(ProviderSettings):
    """A table with a key."""

    api_key: SecretText | None = None
    """The key."""


class Scripted(Provider[Knobs]):
    """Fails as it is told, by name; streams onto a service of its own, or through the segmenter.

    Attributes:
        made: Names, in the order in which the providers were made.
        asked: Names, in the order in which they were asked for a transcript or a connection.
        requests: What each was asked for last.
        errors: What is raised for a recording.
        services: What is behind the streams.
        reads: Whether recordings are read before they fail.
    """

    made: ClassVar[list[str]] = []
    asked: ClassVar[list[str]] = []
    requests: ClassVar[dict[str, Request[Knobs]]] = {}
    errors: ClassVar[dict[str, Exception]] = {}
    services: ClassVar[dict[str, Service]] = {}
    reads: ClassVar[bool] = True

    @classmethod
    def reset(cls) -> None:
        """Forget everything, and fail no more."""
        cls.made, cls.asked = [], []
        cls.requests, cls.errors, cls.services = {}, {}, {}
        cls.reads = True

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        Scripted.made.append(spec.name)

    async def transcribe(
        self, audio: AudioSource, request: Request[Knobs], report: Callable[[Progress], None]
    ) -> Transcript:
        name = self.spec.name
        Scripted.asked.append(name)
        Scripted.requests[name] = request
        if Scripted.reads:
            async with audio.blocks() as blocks:
                async for _ in blocks:
                    pass
        if name in Scripted.errors:
            raise Scripted.errors[name]
        return Transcript(text=f"by {name}")

    def connection(self, request: Request[Knobs], audio_format: AudioFormat) -> Connection:
        name = self.spec.name
        if not self.spec.capabilities.streaming:
            return super().connection(request, audio_format)
        Scripted.asked.append(name)
        Scripted.requests[name] = request
        return Scripted.services.setdefault(name, Service()).connect()


def spec(name: str, *, key: str | None = None, **claims: Any) -> ProviderSpec:
    """The spec of one of them; `key` is the environment variable of the key that it needs."""
    able = {
        "batch": True,
        "streaming": True,
        "sample_rates": (1000,),
        "max_speed": None,
        "flush": "confirmed",
        "languages": ("en", "de"),
    }
    return ProviderSpec(
        name=name,
        summary="For tests.",
        api_version=1,
        capabilities=Capabilities(**{**able, **claims}),
        settings="support.providers:Knobs" if key is None else "support.scripted:Keyed",
        factory="support.scripted:Scripted",
        secrets=() if key is None else (Secret(key="api_key", env=key),),
    )
