"""A vendor is killed in mid-sentence, and the transcript goes on.

The vendor is the simulated service that comes with `debabelizer.testing`: it speaks the protocol of Soniox on
loopback, and writes the words that it was given for the recording. Everything else is real: the provider that
speaks to it, the stream, and the embedded engine that goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from debabelizer.audio.format import AudioFormat
from debabelizer.demo.material import Material
from debabelizer.processor import VoiceProcessor
from debabelizer.testing.soniox import Fault, Script, SonioxSimulator, SpokenWord

__all__ = ["ENGINE", "VENDOR", "at_pace", "doomed_vendor", "processor"]

VENDOR: Final = "soniox"
ENGINE: Final = "moonshine"

_CHUNK: Final = 0.1  # seconds


def doomed_vendor(material: Material, *, dies_at: float) -> AbstractAsyncContextManager[SonioxSimulator]:
    """A service that knows the words of the recording, and is gone for good after so many seconds of audio."""
    words = [SpokenWord(word.text, word.start or 0.0, word.end or 0.0) for word in material.words]
    return SonioxSimulator(Script(words), faults=[Fault.refuse(at=dies_at)], keys=None)


def processor(vendor: SonioxSimulator, *, fast: bool) -> VoiceProcessor:
    """A processor that has the vendor, and behind it the embedded engine."""
    config: dict[str, Any] = {
        "stt": {"provider": [VENDOR, ENGINE]},
        "providers": {VENDOR: {"api_key": "not-needed", "websocket_url": vendor.url}},
        "stream": {"max_speed": 20.0} if fast else {},
    }
    return VoiceProcessor(config)


async def at_pace(material: Material, *, fast: bool) -> AsyncIterator[bytes]:
    """The recording as a microphone would give it: in real time; or as fast as it is taken."""
    audio_format = AudioFormat()
    size = audio_format.frames(_CHUNK) * audio_format.frame_bytes
    for start in range(0, len(material.audio), size):
        if not fast:
            await asyncio.sleep(_CHUNK)
        yield material.audio[start : start + size]
