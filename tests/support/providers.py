"""Small providers for tests of the front door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from support.service import Plan, Service

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.config import ProviderSettings
from debabelizer.errors import QuotaExceededError
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Segment, Transcript
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.streaming.connection import Connection


class Knobs(ProviderSettings):
    """A table of one key."""

    pitch: int = 1
    """How high."""


class Meter(Provider[Knobs]):
    """Says how many seconds the recording has; waits before that if it is told to."""

    opened: ClassVar[list[Meter]] = []
    gate: ClassVar[asyncio.Event | None] = None
    error: ClassVar[Exception | None] = None

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self.closed = 0
        self.requests: list[Request[Knobs]] = []
        self.running = self.most = 0
        Meter.opened.append(self)

    async def transcribe(
        self, audio: AudioSource, request: Request[Knobs], report: Callable[[Progress], None]
    ) -> Transcript:
        self.requests.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            size = 0
            async with audio.blocks(AudioFormat()) as blocks:
                async for block in blocks:
                    size += len(block)
            if Meter.gate is not None:
                await Meter.gate.wait()
            if Meter.error is not None:
                raise Meter.error
        finally:
            self.running -= 1
        seconds = AudioFormat().seconds(size)
        report(Progress(done=seconds, total=seconds))
        text = f"{seconds:.2f} seconds"
        return Transcript(text=text, segments=(Segment(text, 0.0, seconds),), duration=seconds)

    async def aclose(self) -> None:
        self.closed += 1


class Line(Provider[Knobs]):
    """Streams onto a service in memory."""

    service: ClassVar[Service] = Service()

    def connection(self, request: Request[Knobs], audio_format: AudioFormat) -> Connection:
        Line.formats.append(audio_format)
        return Line.service.connect()

    formats: ClassVar[list[AudioFormat]] = []


class Speaker(Provider[Knobs]):
    """Says what stands in `said` under its name; without a line there it is out of money."""

    said: ClassVar[dict[str, str]] = {}

    async def transcribe(
        self, audio: AudioSource, request: Request[Knobs], report: Callable[[Progress], None]
    ) -> Transcript:
        report(Progress(done=1.0))
        if self.spec.name not in self.said:
            raise QuotaExceededError("The account is <empty>.")
        return Transcript(text=self.said[self.spec.name], duration=1800.0)


def spec(name: str, factory: str = "Meter", **capabilities: Any) -> ProviderSpec:
    """The spec of one of the providers above."""
    return ProviderSpec(
        name=name,
        summary="For tests.",
        api_version=1,
        capabilities=Capabilities(**{"batch": True, "languages": ("en", "de"), **capabilities}),
        settings="support.providers:Knobs",
        factory=f"support.providers:{factory}",
    )


def line(name: str = "line", **capabilities: Any) -> ProviderSpec:
    """The spec of a provider that streams the words of `support.service.speech`."""
    claims = {"streaming": True, "sample_rates": (1000,), "max_speed": None, "flush": "confirmed", **capabilities}
    return spec(name, "Line", **claims)


def fresh(*plans: Plan) -> Service:
    """A new service behind `Line`."""
    Line.service = Service(plans or (Plan(),))
    Line.formats = []
    return Line.service
