"""Several services in memory behind one stream, in virtual time: for tests of what happens between providers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from support.service import FORMAT, Plan, Service, speech

from debabelizer.errors import StreamError
from debabelizer.results import ProviderChanged, Reconnecting, StreamEvent
from debabelizer.streaming.connection import Connection
from debabelizer.streaming.health import Health
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor

__all__ = ["Fleet", "Told", "changes", "leg", "live", "words"]


def leg(name: str, connect: Callable[[], Connection], **options: Any) -> Leg:
    """A provider of that name."""

    async def connected() -> Connection:
        return connect()

    return Leg(**{"provider": name, "connect": connected, "wire": FORMAT, **options})


@dataclass
class Fleet:
    """Providers ``a``, ``b``, ... in order of preference, and streams over them that share their health."""

    services: list[Service]
    policy: StreamPolicy = field(default_factory=StreamPolicy)
    jitter: float = 0.5
    options: dict[str, Any] = field(default_factory=dict)
    each: dict[str, dict[str, Any]] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    race: int = 1
    supervisors: list[Supervisor] = field(default_factory=list)

    @classmethod
    def of(cls, *plans: Plan | list[Plan], **options: Any) -> Fleet:
        """A provider for each plan or row of plans."""
        return cls([Service([plan] if isinstance(plan, Plan) else plan) for plan in plans], **options)

    def stream(self) -> TranscriptionStream:
        """A stream that was not opened yet."""
        legs = [
            leg(name, service.connect, **{**self.options, **self.each.get(name, {})})
            for name, service in zip("abcdefgh", self.services, strict=False)
        ]

        def supervise() -> Supervisor:
            supervisor = Supervisor(
                *legs,
                audio_format=FORMAT,
                policy=self.policy,
                health=self.health,
                race=self.race,
                random=lambda: self.jitter,
            )
            self.supervisors.append(supervisor)
            return supervisor

        return TranscriptionStream(supervise, name="fleet")

    @property
    def connections(self) -> list[int]:
        """How many each provider was asked for."""
        return [len(service.connections) for service in self.services]


@dataclass
class Told:
    """What a reader of a stream was told."""

    stream: TranscriptionStream
    events: list[StreamEvent]
    error: StreamError | None

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Who failed, and of what."""
        failed = [event for event in self.events if isinstance(event, Reconnecting)]
        return [(event.provider, type(event.cause).__name__) for event in failed]


async def live(
    stream: TranscriptionStream,
    last: int = 100,
    *,
    first: int = 1,
    pace: float = 0.1,
    pauses: Callable[[int], float] = lambda number: 0.0,
    meanwhile: Callable[[int], Awaitable[object]] | None = None,
) -> Told:
    """Speak the words `first` to `last` in real time, and listen to the end; `pauses` and acts before some."""
    events: list[StreamEvent] = []
    error: StreamError | None = None

    async def speak() -> None:
        for number in range(first, last + 1):
            if meanwhile is not None:
                await meanwhile(number)
            await asyncio.sleep(pauses(number))
            await stream.send_audio(speech(number, number))
            await asyncio.sleep(pace)
        await stream.end_audio()

    async with stream:
        speaking = asyncio.ensure_future(speak())
        try:
            async for event in stream.events():
                events.append(event)
        except StreamError as failure:
            error = failure
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
    return Told(stream, events, error)


def changes(told: Told) -> list[str]:
    """Which provider followed which."""
    return [f"{event.previous}{event.provider}" for event in told.events if isinstance(event, ProviderChanged)]


def words(last: int = 100, first: int = 1) -> str:
    """The text of the words spoken by `live`."""
    return " ".join(str(number) for number in range(first, last + 1))
