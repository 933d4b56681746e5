"""An engine that takes whole recordings only, and ways in which it can be wrong. For tests of the conformance kit."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Segment, Transcript, Word
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.testing.kit import CodedWords, EngineDouble, ProviderSuite

LEFT: list[threading.Event] = []
"""What ends the threads that were forgotten."""


class Scribe(Provider[Any]):
    """As it should be."""

    heard = staticmethod(CodedWords.of)

    async def transcribe(
        self, audio: AudioSource, request: Request[Any], report: Callable[[Progress], None]
    ) -> Transcript:
        data = b""
        async with audio.blocks(AudioFormat()) as blocks:
            async for block in blocks:
                data += block
        words = await self.understand(data)
        segments = [self.segment(word) for word in words]
        seconds = AudioFormat().seconds(len(data))
        return Transcript(text=" ".join(word.text for word in words), segments=tuple(segments), duration=seconds)

    async def understand(self, data: bytes) -> list[Word]:
        return await asyncio.to_thread(CodedWords.of, data)

    def segment(self, word: Word) -> Segment:
        return Segment(word.text, word.start, word.end)


class Loses(Scribe):
    async def understand(self, data: bytes) -> list[Word]:
        return (await super().understand(data))[:-1]


class Blocks(Scribe):
    async def understand(self, data: bytes) -> list[Word]:
        time.sleep(0.15)
        return await super().understand(data)


class Stays(Scribe):
    """Does not let itself be cancelled."""

    async def understand(self, data: bytes) -> list[Word]:
        try:
            await asyncio.sleep(0.05)
            return await super().understand(data)
        except asyncio.CancelledError:
            await asyncio.sleep(2.5)
            raise


class LeavesAThread(Scribe):
    async def understand(self, data: bytes) -> list[Word]:
        over = threading.Event()
        LEFT.append(over)
        threading.Thread(target=over.wait, name="forgotten").start()
        return await super().understand(data)


class SaysNoDuration(Scribe):
    async def transcribe(
        self, audio: AudioSource, request: Request[Any], report: Callable[[Progress], None]
    ) -> Transcript:
        return replace(await super().transcribe(audio, request, report), duration=0.0)


class ReadsWavOnly(Scribe):
    """Takes what comes for 16-bit audio."""

    async def transcribe(
        self, audio: AudioSource, request: Request[Any], report: Callable[[Progress], None]
    ) -> Transcript:
        async with audio.blocks(AudioFormat("pcm_f32le")) as blocks:
            data = b"".join([block async for block in blocks])
        words = CodedWords.of(data)
        return Transcript(text=" ".join(word.text for word in words), duration=AudioFormat().seconds(len(data)))


class HasWords(Scribe):
    """Gives more than it claims."""

    def segment(self, word: Word) -> Segment:
        return replace(super().segment(word), words=(word,))


CLAIMS = {"batch": True, "words": "segment", "max_speed": None, "languages": ("en",)}


def suite(factory: str = "Scribe", **claims: Any) -> type[ProviderSuite]:
    """The suite of an engine that claims what `Scribe` does, unless said otherwise."""
    spec = ProviderSpec(
        name="scribe",
        summary="For tests.",
        api_version=1,
        capabilities=Capabilities(
            **{"batch": True, "words": "segment", "max_speed": None, "languages": ("en",), **claims}
        ),
        settings="support.broken:NoSettings",
        factory=f"support.scribe:{factory}",
    )
    return type("TestScribe", (ProviderSuite,), {"spec": spec, "simulator": EngineDouble})
