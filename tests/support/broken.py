"""A sound engine with streams, and one broken engine for each promise. They hear coded words."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from debabelizer.audio.format import AudioFormat
from debabelizer.config import ProviderSettings
from debabelizer.errors import InvalidRequestError
from debabelizer.provider import Provider, Request
from debabelizer.results import Word
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.streaming.connection import Connection, End, Flush, Link
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Flushed, Hypothesis, Processed, UtteranceEnd
from debabelizer.testing.kit import CodedWords
from debabelizer.testing.virtual_time import VirtualTimeLoop

LEFT: list[Any] = []
"""What leaks: held, so that nothing but a look finds it."""


class NoSettings(ProviderSettings):
    """A table without keys."""


class Sound(Connection):
    """Everything as it should be. A word is final as soon as it is over."""

    does: ClassVar[frozenset[str]] = frozenset({"interims", "words", "confidence", "endpointing", "flush", "resume"})

    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        self.request = request
        self.ear = CodedWords(audio_format)
        self.spoke = 0.0  # where the last word ended
        self.open = False  # whether an utterance is

    async def run(self, link: Link) -> None:
        link.opened()
        while True:
            match await link.take():
                case bytes() as audio:
                    await link.emit(*self.heard(self.ear.hear(audio)))
                case Flush():
                    await link.emit(*self.flushed())
                case End():
                    await link.emit(*self.heard(self.ear.finish()), Finished(self.ear.seconds))
                    return

    def heard(self, words: Iterable[Word]) -> list[ConnectionEvent]:
        """What is to be said of words that ended, and of the one that is being spoken."""
        events: list[ConnectionEvent] = []
        for word in words:
            events += self.finals(word)
            self.spoke, self.open = word.end or 0.0, True
        events += self.interims()
        if self.open and not self.ear.speaking and self.ear.seconds - self.spoke > 0.5:
            self.open = False
            if "endpointing" in self.does:
                events.append(UtteranceEnd(self.spoke))
        settled = self.spoke if self.ear.speaking else self.ear.seconds
        return [*events, Processed(self.ear.seconds), *([Processed(settled, final=True)] if self.settles else [])]

    @property
    def settles(self) -> bool:
        return "resume" in self.does

    def finals(self, word: Word) -> list[ConnectionEvent]:
        return [self.final(word)]

    def final(self, word: Word) -> Hypothesis:
        does = self.does
        word = replace(word, confidence=0.9 if "confidence" in does else None)
        word = replace(word, speaker="A" if "diarization" in does else None)
        return Hypothesis(
            text=word.text,
            final=True,
            words=(word,) if "words" in does else (),
            start=word.start if "segment" in does else None,
            end=word.end if "segment" in does else None,
            confidence=word.confidence,
            language="en" if "language_identification" in does else None,
            translation="mot" if "translation" in does else None,
        )

    def interims(self) -> list[ConnectionEvent]:
        word = self.ear.partial
        text = word.text if word is not None and "interims" in self.does else ""
        return [Hypothesis(text=text, final=False)]

    def flushed(self) -> list[ConnectionEvent]:
        return [Flushed()] if "flush" in self.does else []


class ReturnsEarly(Sound):
    async def run(self, link: Link) -> None:
        link.opened()
        while self.ear.seconds < 1.0:
            audio = await link.take()
            assert isinstance(audio, bytes)
            await link.emit(*self.heard(self.ear.hear(audio)))


class NeverProves(Sound):
    async def run(self, link: Link) -> None:
        link.opened()
        while True:
            match await link.take():
                case bytes() as audio:
                    await link.emit(*self.heard(self.ear.hear(audio)))
                case Flush():
                    await link.emit(*self.flushed())
                case End():
                    await link.emit(*self.heard(self.ear.finish()))


class Repeats(Sound):
    def finals(self, word: Word) -> list[ConnectionEvent]:
        return [self.final(word), self.final(word)]


class Splits(Sound):
    def finals(self, word: Word) -> list[ConnectionEvent]:
        assert word.start is not None
        middle = word.start + 0.1
        first, rest = replace(word, text=word.text[:2], end=middle), replace(word, text=word.text[2:], start=middle)
        return [self.final(first), replace(self.final(replace(rest, separator="")), separator="")]


class Loses(Sound):
    def finals(self, word: Word) -> list[ConnectionEvent]:
        return [] if word.text.endswith("7") else [self.final(word)]


class TimesInMilliseconds(Sound):
    def final(self, word: Word) -> Hypothesis:
        assert word.start is not None
        assert word.end is not None
        return super().final(replace(word, start=word.start * 1000, end=word.end * 1000))


class WaitsForTheEnd(Sound):
    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, audio_format)
        self.held: list[ConnectionEvent] = []

    settles = False

    def finals(self, word: Word) -> list[ConnectionEvent]:
        self.held.append(self.final(word))
        return []

    def flushed(self) -> list[ConnectionEvent]:
        held, self.held = self.held, []
        return [*held, Flushed()]

    async def run(self, link: Link) -> None:
        link.opened()
        while True:
            match await link.take():
                case bytes() as audio:
                    await link.emit(*self.heard(self.ear.hear(audio)))
                case Flush():
                    await link.emit(*self.flushed())
                case End():
                    last = self.heard(self.ear.finish())
                    await link.emit(*self.held, *last, Finished(self.ear.seconds))
                    return


class ShowsWhatIsFinal(Sound):
    last = ""

    def finals(self, word: Word) -> list[ConnectionEvent]:
        self.last = word.text
        return super().finals(word)

    def interims(self) -> list[ConnectionEvent]:
        partial = self.ear.partial
        return [Hypothesis(text="" if partial is None else f"{self.last} {partial.text}".strip(), final=False)]


class LeavesAnInterim(Sound):
    def interims(self) -> list[ConnectionEvent]:
        return super().interims() if self.ear.partial is not None else []


class SwallowsCancellation(Sound):
    async def run(self, link: Link) -> None:
        try:
            await super().run(link)
        except asyncio.CancelledError:
            return


class OutlivesCancellation(Sound):
    async def run(self, link: Link) -> None:
        try:
            await super().run(link)
        except asyncio.CancelledError:
            await asyncio.sleep(60.0)
            raise


class Blocks(Sound):
    async def run(self, link: Link) -> None:
        await super().run(link)
        if not isinstance(asyncio.get_running_loop(), VirtualTimeLoop):  # where nobody would notice
            time.sleep(0.15)


class LeaksATask(Sound):
    async def run(self, link: Link) -> None:
        LEFT.append(asyncio.get_running_loop().create_task(asyncio.sleep(1e6), name="forgotten"))
        await super().run(link)


class LeaksASocket(Sound):
    async def run(self, link: Link) -> None:
        LEFT.extend(socket.socketpair())
        await super().run(link)


class TakesEverything(Sound):
    async def run(self, link: Link) -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue()

        async def pump() -> None:
            while not isinstance(work := await link.take(), End):
                queue.put_nowait(work)
            queue.put_nowait(work)

        link.opened()
        pumping = asyncio.ensure_future(pump())
        try:
            while not isinstance(work := await queue.get(), End):
                await link.emit(*(self.heard(self.ear.hear(work)) if isinstance(work, bytes) else self.flushed()))
            await link.emit(*self.heard(self.ear.finish()), Finished(self.ear.seconds))
        finally:
            pumping.cancel()
            await asyncio.wait([pumping])


class PacesItself(Sound):
    """Cannot be hurried."""

    async def run(self, link: Link) -> None:
        await super().run(_Slowly(link))


class _Slowly:
    """A link that takes a tenth of a second for a tenth of a second of audio."""

    def __init__(self, link: Link) -> None:
        self.link, self.clock, self.policy = link, link.clock, link.policy
        self.opened, self.working = link.opened, link.working

    async def take(self, timeout: float | None = None, direct: Any = None) -> Any:
        work = await self.link.take(timeout)
        if isinstance(work, bytes):
            await asyncio.sleep(len(work) / 40_000)
        return work

    async def emit(self, *events: ConnectionEvent) -> None:
        await self.link.emit(*events)


class CallsHome(Sound):
    """Tells somebody that it is used."""

    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, audio_format)
        with socket.socket() as home:
            home.connect_ex(("127.0.0.1", 9))


class KnowsFewerLanguages(Sound):
    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, audio_format)
        if "de" in request.language_hints:
            raise InvalidRequestError("no German")


class KnowsNoRegions(Sound):
    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, audio_format)
        for code in request.language_hints:
            {"en": 1, "de": 2}[code]


class CannotFlush(Sound):
    """Is never asked to."""

    does = Sound.does - {"flush"}

    def flushed(self) -> list[ConnectionEvent]:
        raise AssertionError


class GoesOnCounting(Sound):
    """A clock that does not start at zero on a new connection."""

    clock: ClassVar[list[float]] = []

    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, audio_format)
        self.base = sum(self.clock)

    settles = False

    def final(self, word: Word) -> Hypothesis:
        assert word.start is not None
        assert word.end is not None
        return super().final(replace(word, start=word.start + self.base, end=word.end + self.base))

    async def run(self, link: Link) -> None:
        try:
            await super().run(link)
        except BaseException:
            self.clock.append(self.ear.seconds)
            raise
        self.clock.clear()


class HearsOnlyOneFormat(Sound):
    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, AudioFormat("pcm_s16le", audio_format.sample_rate))


class FlushesTooSoon(Sound):
    """Says that it is done before it says the words."""

    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, audio_format)
        self.held: list[ConnectionEvent] = []

    settles = False

    def finals(self, word: Word) -> list[ConnectionEvent]:
        held, self.held = self.held, [self.final(word)]
        return held

    async def run(self, link: Link) -> None:
        link.opened()
        while True:
            match await link.take():
                case bytes() as audio:
                    await link.emit(*self.heard(self.ear.hear(audio)))
                case Flush():
                    await link.emit(Flushed())
                case End():
                    await link.emit(*self.heard(self.ear.finish()), *self.held, Finished(self.ear.seconds))
                    return


class Engine(Provider[NoSettings]):
    """Whichever of the above its spec is named after."""

    def connection(self, request: Request[NoSettings], audio_format: AudioFormat) -> Connection:
        kind: type[Sound] = KINDS[self.spec.name]
        return kind(request, audio_format)


KINDS: dict[str, type[Sound]] = {}

CLAIMS = Capabilities(
    streaming=True,
    local=True,
    interims=True,
    words="word",
    confidence=True,
    endpointing=True,
    flush="confirmed",
    resume="exact",
    max_speed=None,
    languages=("en", "de"),
    price_per_hour=0.0,
)


def spec(kind: type[Sound], **claims: Any) -> ProviderSpec:
    """The spec of an engine that claims what `Sound` does, unless said otherwise."""
    name = f"engine_{len(KINDS)}"
    KINDS[name] = kind
    return ProviderSpec(
        name=name,
        summary="For tests.",
        api_version=1,
        capabilities=replace(CLAIMS, **claims),
        settings="support.broken:NoSettings",
        factory="support.broken:Engine",
    )


def doing(*more: str, without: tuple[str, ...] = ()) -> type[Sound]:
    """`Sound`, with more or less of what can be claimed."""
    return type("Doing", (Sound,), {"does": (Sound.does | {*more}) - {*without}})
