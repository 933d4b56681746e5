"""A provider in memory whose words are written in the audio, and a bench to run streams on in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from debabelizer.audio.convert import Converter
from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ServiceUnavailableError
from debabelizer.results import Word
from debabelizer.streaming.connection import Connection, End, Feed, Flush, Link
from debabelizer.streaming.dialect import Finished, Flushed, Hypothesis, Processed, UtteranceEnd
from debabelizer.streaming.intake import Source
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor

FORMAT = AudioFormat("pcm_s16le", 1000, 1)
FOREVER = 1e6
WORD = 100  # frames: a word takes 0.1 s, without a pause between two


def speech(first: int, last: int) -> bytes:
    """Audio in which the words `first` to `last` are spoken, 0.1 s each."""
    return b"".join(number.to_bytes(2, "little") * WORD for number in range(first, last + 1))


@dataclass(frozen=True)
class Plan:
    """How one connection of the service behaves. Times are seconds of audio it received.

    `at` is when `fault` strikes; ``None`` is never. `lag`: how many words stay interim behind the newest.
    `utterance`: how many words make one, 0 if their end is not told.
    """

    at: float | None = None
    fault: str = "raise"  # raise | return | cancel | mute | freeze | hang-on-cancel
    error: Exception = field(default_factory=lambda: ServiceUnavailableError("dropped"))
    lag: int = 0
    utterance: int = 0
    open_after: float = 0.0
    never_opens: bool = False
    never_ready: bool = False
    end: str = "finish"  # finish | short | vague | silent | return
    answers_flush: bool = True
    finishes_at: float | None = None  # before it was asked to


class Service:
    """The far side of a stream. Gives connection after connection, by plan; the last plan counts for all others."""

    def __init__(self, plans: Sequence[Plan] = (Plan(),)) -> None:
        self.plans = list(plans)
        self.connections: list[ServiceConnection] = []

    def connect(self) -> Connection:
        self.connections.append(ServiceConnection(self.plan()))
        return self.connections[-1]

    def plan(self) -> Plan:
        """That of the next connection."""
        return self.plans[min(len(self.connections), len(self.plans) - 1)]


class ServiceConnection(Connection):
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.audio = b""
        self.taken: list[Any] = []
        self.said = 0
        self.over = False
        self._task: asyncio.Task[Any] | None = None
        self._lost: Exception | None = None

    def lose(self, error: Exception) -> None:
        """End with `error` now, whatever it does."""
        if self._task is not None and not self.over:
            self._lost = error
            self._task.cancel()

    async def run(self, link: Link) -> None:
        plan = self.plan
        self._task = asyncio.current_task()
        try:
            if plan.never_opens:
                await asyncio.sleep(FOREVER)
            if plan.open_after:
                await asyncio.sleep(plan.open_after)
            link.opened()
            if plan.never_ready:
                await asyncio.sleep(FOREVER)
            await self._serve(link)
        except asyncio.CancelledError:
            if self._lost is not None:
                raise self._lost from None
            raise
        finally:
            self.over = True

    async def _serve(self, link: Link) -> None:
        while True:
            work = await link.take()
            plan = self.plan  # it may have been changed meanwhile
            self.taken.append(work)
            if isinstance(work, bytes):
                self.audio += work
                if self._struck():
                    await self._strike()
                    if plan.fault == "return":
                        return
                    continue
                if plan.finishes_at is not None and self._seconds >= plan.finishes_at:
                    await link.emit(Finished())
                    return
                await link.emit(*self._say(plan.lag))
            elif self._struck():
                continue  # mute
            elif isinstance(work, Flush):
                if plan.answers_flush:
                    await link.emit(*self._say(0), Flushed())
            elif isinstance(work, End):
                if plan.end == "silent":
                    await asyncio.sleep(FOREVER)
                if plan.end == "return":
                    return
                if plan.end == "vague":
                    await link.emit(Finished())
                    return
                if plan.end == "short":
                    await link.emit(Finished(through=max(self._seconds - 1.0, 0.0)))
                await link.emit(*self._say(0), Finished(through=self._seconds))
                return

    @property
    def _seconds(self) -> float:
        return FORMAT.seconds(len(self.audio))

    def _struck(self) -> bool:
        return self.plan.at is not None and self._seconds >= self.plan.at

    async def _strike(self) -> None:
        match self.plan.fault:
            case "raise":
                raise self.plan.error
            case "cancel":
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(0)
            case "freeze":
                await asyncio.sleep(FOREVER)
            case "hang-on-cancel":
                try:
                    await asyncio.sleep(FOREVER)
                except asyncio.CancelledError:
                    await asyncio.sleep(60.0)
                    raise

    def _say(self, lag: int) -> list[Any]:
        """Words heard whole become final but for the last `lag` of them, which are interim."""
        size = WORD * FORMAT.frame_bytes
        heard = [self._word(index) for index in range(self.said, len(self.audio) // size)]
        final, interim = (heard[:-lag], heard[-lag:]) if lag else (heard, [])
        self.said += len(final)
        events: list[Any] = []
        if final:
            text = " ".join(word.text for word in final)
            events.append(Hypothesis(text=text, final=True, words=tuple(final)))
            if self.plan.utterance and self.said % self.plan.utterance < len(final):
                events.append(UtteranceEnd())
        text = " ".join(word.text for word in interim)
        return [*events, Hypothesis(text=text, final=False, words=tuple(interim)), Processed(self._seconds)]

    def _word(self, index: int) -> Word:
        size = WORD * FORMAT.frame_bytes
        sound = self.audio[index * size : (index + 1) * size]
        numbers = {sound[at : at + 2] for at in range(0, size, 2)}
        text = str(int.from_bytes(numbers.pop(), "little")) if len(numbers) == 1 else "#"
        return Word(text, start=index * 0.1, end=index * 0.1 + 0.1)


@dataclass
class Bench:
    """Makes streams onto a service."""

    service: Service = field(default_factory=Service)
    policy: StreamPolicy = field(default_factory=StreamPolicy)
    jitter: float = 0.5
    speed: float | None = None
    max_session: float | None = None
    flushes: bool = True
    interim: bool = True
    supervisors: list[Supervisor] = field(default_factory=list)

    async def _connect(self) -> Connection:
        return self.service.connect()

    def stream(self, source: Source | None = None) -> TranscriptionStream:
        leg = Leg(
            provider="fake",
            connect=self._connect,
            wire=FORMAT,
            speed=self.speed,
            max_session=self.max_session,
            flushes=self.flushes,
        )

        def supervise() -> Supervisor:
            supervisor = Supervisor(
                leg,
                audio_format=FORMAT,
                policy=self.policy,
                source=source,
                interim=self.interim,
                random=lambda: self.jitter,
            )
            self.supervisors.append(supervisor)
            return supervisor

        return TranscriptionStream(supervise, name="fake")


class _Backwards:
    """A link whose audio comes in another format than the connection behind it reads."""

    def __init__(self, link: Link, wire: AudioFormat) -> None:
        self._link = link
        self._converter = Converter(wire, FORMAT)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    async def take(self, timeout: float | None = None, direct: Any = None) -> Feed | None:
        work = await self._link.take(timeout)
        return self._converter.feed(work) if isinstance(work, bytes) else work


class Foreign(Connection):
    """A connection that reads this module's format, where the audio comes in another."""

    def __init__(self, connection: Connection, wire: AudioFormat) -> None:
        self._connection = connection
        self._wire = wire

    async def run(self, link: Link) -> None:
        await self._connection.run(cast("Link", _Backwards(link, self._wire)))
