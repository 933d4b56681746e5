"""A service that takes files over TCP, its provider, and ways in which that can be wrong. For tests of the kit.

The protocol: the key and the length of the audio as a line, the audio; the answer is a line for each word, then
``end``, or ``no``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Self

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.config import ProviderSettings, Secret
from debabelizer.errors import AuthenticationError, ConnectionLostError, DeadlineError, ProtocolError
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Segment, Transcript
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.spec import Secret as SecretOf
from debabelizer.testing.kit import CodedWords, ProviderSuite

PATIENCE = 20.0


class Settings(ProviderSettings):
    """The table."""

    api_key: Secret | None = None
    """The key."""

    port: int = 1
    """Port on this machine."""


class Courier(Provider[Settings]):
    """As it should be."""

    async def transcribe(
        self, audio: AudioSource, request: Request[Settings], report: Callable[[Progress], None]
    ) -> Transcript:
        async with audio.blocks(AudioFormat()) as blocks:
            data = b"".join([block async for block in blocks])
        key = request.settings.api_key
        assert key is not None
        self.key = key.reveal()
        words = await self.asked(request.settings.port, data)
        segments = tuple(Segment(text, float(start), float(end)) for text, start, end in words)
        text = " ".join(segment.text for segment in segments)
        return Transcript(text=text, segments=segments, duration=AudioFormat().seconds(len(data)))

    async def asked(self, port: int, data: bytes) -> list[list[str]]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.exchange(port, data)
        except TimeoutError as error:
            raise DeadlineError("no answer", seconds=PATIENCE) from error
        except OSError as error:
            raise ConnectionLostError("lost") from error

    async def exchange(self, port: int, data: bytes) -> list[list[str]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"%s %d\n" % (self.key.encode(), len(data)) + data)
            await writer.drain()
            return self.words((await reader.read()).split(b"\n"))
        finally:
            writer.transport.abort()

    def words(self, lines: list[bytes]) -> list[list[str]]:
        try:
            words = [line.decode().split() for line in lines]
        except UnicodeDecodeError as error:
            raise ProtocolError("garbled") from error
        if words == [["no"], []]:
            raise AuthenticationError("refused")
        if words[-2:] != [["end"], []]:
            raise ConnectionLostError("the answer is not whole")
        return words[:-2]


class TakesWhatCame(Courier):
    """Takes the end of the connection for the end of the answer."""

    def words(self, lines: list[bytes]) -> list[list[str]]:
        words = [line.decode(errors="replace").split() for line in lines]
        return [word for word in words if len(word) == 3] or super().words(lines)


class WaitsForever(Courier):
    async def asked(self, port: int, data: bytes) -> list[list[str]]:
        try:
            return await self.exchange(port, data)
        except OSError as error:
            raise ConnectionLostError("lost") from error


class WaitsLong(Courier):
    async def asked(self, port: int, data: bytes) -> list[list[str]]:
        try:
            async with asyncio.timeout(400.0):
                return await super().exchange(port, data)
        except TimeoutError as error:
            raise DeadlineError("no answer", seconds=400.0) from error
        except OSError as error:
            raise ConnectionLostError("lost") from error


class TellsTheKey(Courier):
    """Says what was refused."""

    async def exchange(self, port: int, data: bytes) -> list[list[str]]:
        try:
            return await super().exchange(port, data)
        except AuthenticationError as error:
            raise error from ValueError(f"{self.key} was refused")


class TriesAnyKey(Courier):
    """Takes a refusal for a failure."""

    def words(self, lines: list[bytes]) -> list[list[str]]:
        return super().words([] if lines[0] == b"no" else lines)


class SaysItRaw(Courier):
    """Lets through whatever the library raises."""

    async def asked(self, port: int, data: bytes) -> list[list[str]]:
        async with asyncio.timeout(PATIENCE):
            return await self.exchange(port, data)


class Service:
    """The service on loopback."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=2**20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.server.sockets[0].getsockname()[:2]
        return host, port

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"port": port}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            key, size = (await reader.readline()).split()
            data = await reader.readexactly(int(size))
            lines = [*(f"{word.text} {word.start} {word.end}\n" for word in CodedWords.of(data)), "end\n"]
            writer.write("".join(lines if key.decode() == self.key else ["no\n"]).encode())
            writer.write_eof()
            await reader.read()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()


class HidesItsAddress(Service):
    """Leads the provider past the fault proxy."""

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"port": self.address[1]}


CLAIMS = {"batch": True, "words": "segment", "max_speed": None, "languages": ("en",)}


def suite(factory: str = "Courier", simulator: type[Service] = Service, **claims: Any) -> type[ProviderSuite]:
    """The suite of a service that claims what `Courier` does, unless said otherwise."""
    spec = ProviderSpec(
        name="courier",
        summary="For tests.",
        api_version=1,
        capabilities=Capabilities(
            **{"batch": True, "words": "segment", "max_speed": None, "languages": ("en",), **claims}
        ),
        settings="support.courier:Settings",
        factory=f"support.courier:{factory}",
        secrets=(SecretOf(key="api_key", env="COURIER_API_KEY"),),
    )
    return type("TestCourier", (ProviderSuite,), {"spec": spec, "simulator": simulator})
