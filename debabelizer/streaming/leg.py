"""`Leg`: how one provider carries a stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from debabelizer.audio.format import AudioFormat
from debabelizer.streaming.connection import Connection

__all__ = ["Leg"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leg:
    """How one provider carries the stream. Legs are told apart by identity.

    Attributes:
        provider: Its name.
        connect: Makes a fresh connection; awaited inside the attempt, so it may raise.
        wire: Format of the audio it is sent.
        speed: Fastest sending as a multiple of real time, None is as fast as it goes.
        max_session: Seconds after which a new connection must take over, or None.
        flushes: Whether it can make pending words final at will.
        price_per_hour: US dollars for an hour of audio, or None when not known.
    """

    provider: str
    connect: Callable[[], Awaitable[Connection]]
    wire: AudioFormat
    speed: float | None = None
    max_session: float | None = None
    flushes: bool = True
    price_per_hour: float | None = None
