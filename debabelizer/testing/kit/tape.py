"""`Tap`: listens in on a provider, and tapes every connection it makes: work, frames, events, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProviderError
from debabelizer.provider import Provider, Request
from debabelizer.streaming.connection import Connection, End, Feed, Flush, Link
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Finished, Frame, Opening, Refusal, Reply
from debabelizer.testing.kit.brief import brief

__all__ = ["Frames", "Moment", "Noted", "Tap", "Tape", "Way"]

Moment: TypeAlias = Literal["begun", "opened", "audio", "flush", "end", "event"]
"""A step in the life of a connection: `run` was called; `Link.opened`; a piece of work was taken; an event came."""

Way: TypeAlias = Literal["open", "audio", "flush", "keepalive", "end", "received", "hung up"]


@dataclass(frozen=True, slots=True)
class Frames:
    """What went over the wire at once: the frames of a dialect's answer, or one that came; or its end.

    `size`: of the audio that they are for, in bytes. `code`: with which the vendor hung up.
    """

    way: Way
    frames: tuple[Frame, ...]
    size: int = 0
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """An event of a connection.

    Attributes:
        event: What was said.
        sent: Seconds of audio that the connection had taken by then.
        ended: Whether it had been told that the audio is over.
        frame: Index in `Tape.wire` of the frame that said so; None without a dialect.
    """

    event: ConnectionEvent
    sent: float
    ended: bool
    frame: int | None


@dataclass(slots=True, eq=False)
class Tape:
    """One connection, from first to last.

    Attributes:
        number: Counted from 1.
        audio_format: Of the audio it took.
        begun: When `Connection.run` was called, on the loop's clock; None if it never was.
        opening: How its dialect opened it.
        wire: What went over the wire.
        events: What it said.
        sent: Seconds of audio it took.
        flushes: How many flushes it was asked for.
        ended: Whether it was told that the audio is over.
        outcome: How `Connection.run` ended: None while it runs.
    """

    number: int
    audio_format: AudioFormat
    begun: float | None = None
    opening: Opening | None = None
    wire: list[Frames] = field(default_factory=list, repr=False)
    events: list[Noted] = field(default_factory=list, repr=False)
    sent: float = 0.0
    flushes: int = 0
    ended: bool = False
    outcome: BaseException | Literal["returned"] | None = None

    @property
    def finished(self) -> bool:
        """Whether it proved that all audio was processed."""
        return any(isinstance(noted.event, Finished) for noted in self.events)

    @property
    def failed(self) -> bool:
        """Whether it ended by itself, with an error, and not because the core let go of it."""
        return isinstance(self.outcome, BaseException) and not isinstance(self.outcome, asyncio.CancelledError)

    def where_last(self) -> str:
        """The place of the end, with the last frame that was received."""
        received = [frames.frames[0] for frames in self.wire if frames.way == "received"]
        return f"{self.where()}, last of {len(received)} frames: {_short(received[-1])}" if received else self.where()

    def where(self, noted: Noted | None = None) -> str:
        """The place of an event, or the end, in words; with the frame that said it."""
        if noted is None:
            return f"connection {self.number}, after {self.sent:.2f} s of audio{' and its end' if self.ended else ''}"
        place = f"connection {self.number}, after {noted.sent:.2f} s of audio{' and its end' if noted.ended else ''}"
        if noted.frame is None:
            return f"{place}: {_short(noted.event)}"
        if self.wire[noted.frame].way == "hung up":
            return f"{place}, when the vendor hung up with code {self.wire[noted.frame].code}"
        (frame,) = self.wire[noted.frame].frames
        received = sum(frames.way == "received" for frames in self.wire[: noted.frame + 1])
        return f"{place}, received frame {received}: {_short(frame)}"


class Tap:
    """Tapes a provider's connections.

    Attributes:
        tapes: One for each connection, in order.
        steps: How many moments there were.
        watch: Called at each moment, with the tape; it may raise, as a failing network would.
        mute: Whether keepalives are held back.
    """

    def __init__(self) -> None:
        self.tapes: list[Tape] = []
        self.steps = 0
        self.watch: Callable[[Moment, Tape], object] | None = None
        self.mute = False

    def listen_in(self, provider: Provider[Any]) -> None:
        """Tape what this provider makes from now on."""
        make_dialect, make_connection = provider.dialect, provider.connection

        def dialect(request: Request[Any], audio_format: AudioFormat) -> Dialect:
            return _TappedDialect(make_dialect(request, audio_format), self.tapes[-1], mute=self.mute)

        def connection(request: Request[Any], audio_format: AudioFormat) -> Connection:
            self.tapes.append(Tape(len(self.tapes) + 1, audio_format))
            return _TappedConnection(make_connection(request, audio_format), self.tapes[-1], self)

        provider.dialect = dialect  # type: ignore[method-assign]  # of this one object
        provider.connection = connection  # type: ignore[method-assign]

    def step(self, moment: Moment, tape: Tape) -> None:
        """Note a moment."""
        self.steps += 1
        if self.watch is not None:
            self.watch(moment, tape)


class _TappedConnection(Connection):
    def __init__(self, inner: Connection, tape: Tape, tap: Tap) -> None:
        self._inner, self._tape, self._tap = inner, tape, tap

    async def run(self, link: Link) -> None:
        self._tape.begun = asyncio.get_running_loop().time()
        try:
            self._tap.step("begun", self._tape)
            await self._inner.run(_TappedLink(link, self._tape, self._tap))
        except BaseException as error:
            self._tape.outcome = error
            raise
        self._tape.outcome = "returned"


class _TappedLink:
    def __init__(self, inner: Link, tape: Tape, tap: Tap) -> None:
        self.clock, self.policy = inner.clock, inner.policy
        self._inner, self._tape, self._tap = inner, tape, tap

    def opened(self) -> None:
        self._inner.opened()
        self._tap.step("opened", self._tape)

    async def take(self, timeout: float | None = None, direct: Callable[[bytes], bool] | None = None) -> Feed | None:
        del direct  # every piece is to be seen here
        tape, work = self._tape, await self._inner.take(timeout)
        if isinstance(work, bytes):
            tape.sent += tape.audio_format.seconds(len(work))
            self._tap.step("audio", tape)
        elif isinstance(work, Flush):
            tape.flushes += 1
            self._tap.step("flush", tape)
        elif isinstance(work, End):
            tape.ended = True
            self._tap.step("end", tape)
        return work

    def post(self, event: ConnectionEvent) -> bool:
        self._note(event)
        return self._inner.post(event)

    async def emit(self, *events: ConnectionEvent) -> None:
        for event in events:
            self._note(event)
        await self._inner.emit(*events)

    def _note(self, event: ConnectionEvent) -> None:
        tape = self._tape
        said = (at for at in range(len(tape.wire) - 1, -1, -1) if tape.wire[at].way in {"received", "hung up"})
        tape.events.append(Noted(event, tape.sent, tape.ended, next(said, None)))
        self._tap.step("event", tape)

    def working(self, seconds: float) -> AbstractContextManager[None]:
        return self._inner.working(seconds)


class _TappedDialect(Dialect):
    def __init__(self, inner: Dialect, tape: Tape, *, mute: bool) -> None:
        self._inner, self._tape, self._mute = inner, tape, mute

    @property
    def keepalive_after(self) -> float | None:  # type: ignore[override]  # what the dialect says, even per instance
        return self._inner.keepalive_after

    def open(self) -> Opening:
        self._tape.opening = opening = self._inner.open()
        self._note("open", opening.frames)
        return opening

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        self._note("received", (frame,))
        return self._inner.receive(frame)

    def audio(self, chunk: bytes) -> Frame | Sequence[Frame]:
        frames = self._inner.audio(chunk)
        self._note("audio", (frames,) if isinstance(frames, str | bytes) else frames, len(chunk))
        return frames

    def flush(self, trailing_silence: float) -> Sequence[Frame]:
        return self._note("flush", self._inner.flush(trailing_silence))

    def keepalive(self) -> Sequence[Frame]:
        return () if self._mute else self._note("keepalive", self._inner.keepalive())

    def end(self) -> Sequence[Frame]:
        return self._note("end", self._inner.end())

    def refused(self, status: int, body: bytes, retry_after: float | None) -> ProviderError:
        return self._inner.refused(status, body, retry_after)

    def refusal(self, answer: Refusal) -> ProviderError:
        return self._inner.refusal(answer)

    def hung_up(self, code: int | None) -> Iterable[ConnectionEvent]:
        self._tape.wire.append(Frames("hung up", (), code=code))
        return self._inner.hung_up(code)

    def closed(self, code: int | None, reason: str) -> ProviderError | None:
        return self._inner.closed(code, reason)

    def _note(self, way: Way, frames: Sequence[Frame], size: int = 0) -> tuple[Frame, ...]:
        self._tape.wire.append(Frames(way, tuple(frames), size))
        return tuple(frames)


def _short(value: Frame | ConnectionEvent) -> str:
    text = value if isinstance(value, str) else repr(value) if isinstance(value, bytes) else brief(value)
    return text if len(text) <= 300 else f"{text[:300]}…"
