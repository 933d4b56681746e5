"""`WyomingSimulator`: a Wyoming server on loopback, for tests of whoever uses this provider.

::

    async with WyomingSimulator(lambda audio: "turn on the light") as server:
        config = {"providers": {"wyoming": {"uri": server.uri}}}
        ...

Made from the documentation of the protocol; as the servers for Whisper and Vosk do, it ends the connection after one
transcript.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias

from debabelizer.testing._listener import Listener
from debabelizer_wyoming.framing import LONGEST_LINE, Event, encode, read_event

__all__ = ["INFO", "Fault", "Utterance", "WyomingSimulator"]

Fault: TypeAlias = Literal["end", "error", "silence", "nonsense"]
"""Instead of a transcript: the end of the connection, an event ``error``, nothing ever, or a line that is no JSON."""

INFO: Final[Mapping[str, Any]] = {
    "asr": [
        {
            "name": "simulator",
            "attribution": {"name": "The Debabelizer authors", "url": ""},
            "installed": True,
            "description": "Hears coded words",
            "version": "1.0",
            "models": [
                {
                    "name": "coded",
                    "attribution": {"name": "The Debabelizer authors", "url": ""},
                    "installed": True,
                    "description": "Coded words",
                    "version": None,
                    "languages": ["en", "de_DE"],
                }
            ],
            "supports_transcript_streaming": True,
            "requires_external_vad": True,
        }
    ]
}
"""How the simulator describes itself."""


@dataclass(slots=True)
class Utterance:
    """What came on one connection: the members of the request, the layout of the audio, and the audio."""

    request: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] = field(default_factory=dict)
    audio: bytearray = field(default_factory=bytearray, repr=False)


def coded_words(audio: bytes) -> str:
    """What the conformance kit speaks, as text."""
    from debabelizer.testing.kit import CodedWords  # which needs pytest, and who brings a text of their own does not

    return " ".join(word.text for word in CodedWords.of(audio))


class WyomingSimulator:
    """A server; leaving it leaves no task and no socket behind.

    Args:
        recognize: Makes text of an utterance of 16 kHz mono 16-bit audio.
        info: Its description.
        language: The language that it says it heard.
        chunks: Whether it says each word as soon as it has it, in events ``transcript-chunk``.
        inline: Whether its data stands in the first line of a frame, and not in a block of its own.
        faults: What goes wrong with the first utterances, one each; None is nothing.

    Attributes:
        utterances: All that came, also those that were not answered.
    """

    def __init__(
        self,
        recognize: Callable[[bytes], str] = coded_words,
        *,
        info: Mapping[str, Any] = INFO,
        language: str | None = None,
        chunks: bool = False,
        inline: bool = False,
        faults: Iterable[Fault | None] = (),
    ) -> None:
        self.utterances: list[Utterance] = []
        self._recognize = recognize
        self._info = info
        self._language = language
        self._chunks = chunks
        self._inline = inline
        self._faults = deque(faults)
        self._listener = Listener(self._accept, "127.0.0.1")
        self._serving: dict[asyncio.Task[Any] | None, asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        await self._listener.open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()
        await self._listener.settle()
        for writer in self._serving.values():
            writer.transport.abort()  # which ends the tasks; asyncio would complain of one that is cancelled
        await asyncio.gather(*(task for task in self._serving if task is not None))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self._listener.host, self._listener.port

    @property
    def uri(self) -> str:
        """The address for the provider's settings."""
        return "tcp://{}:{}".format(*self.address)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        self._serving[task] = writer
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            writer.close()
            del self._serving[task]

    def _accept(self) -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=LONGEST_LINE), self.serve)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        utterance = Utterance()
        while (event := await read_event(reader)) is not None:
            match event.type:
                case "describe":
                    await self._send(writer, Event("info", self._info))
                case "ping":
                    await self._send(writer, Event("pong", event.data))
                case "transcribe":
                    utterance.request = event.data
                case "audio-start":
                    utterance.layout = event.data
                    self.utterances.append(utterance)
                case "audio-chunk":
                    utterance.audio += event.payload
                case "audio-stop":
                    match self._faults.popleft() if self._faults else None:
                        case None:
                            await self._answer(writer, bytes(utterance.audio))
                        case "error":
                            told = {"text": "It does not work today.", "code": "simulated"}
                            await self._send(writer, Event("error", told))
                        case "nonsense":
                            writer.write(b"nonsense\n")
                        case "silence":
                            await reader.read()  # until the client has enough
                    return

    async def _answer(self, writer: asyncio.StreamWriter, audio: bytes) -> None:
        text = self._recognize(audio)
        told = {} if self._language is None else {"language": self._language}
        if self._chunks:
            await self._send(writer, Event("transcript-start", told))
            for number, word in enumerate(text.split()):
                await self._send(writer, Event("transcript-chunk", {"text": f" {word}" if number else word}))
        await self._send(writer, Event("transcript", {"text": text, **told}))
        if self._chunks:
            await self._send(writer, Event("transcript-stop"))

    async def _send(self, writer: asyncio.StreamWriter, event: Event) -> None:
        if self._inline:
            writer.write(json.dumps({"type": event.type, "data": event.data}).encode() + b"\n")
        else:
            writer.write(encode(event))
        await writer.drain()
