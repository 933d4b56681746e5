"""Coroutine tests run here without a plugin; those of a class with ``virtual = True`` in virtual time.

Virtual time has a network in memory.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from debabelizer.testing import virtual_time
from debabelizer.testing.coded import encode_words
from debabelizer.testing.soniox import SonioxSimulator

CONFIG = {"model": "stt-rt-v5", "audio_format": "pcm_s16le", "sample_rate": 16000, "num_channels": 1}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    run = virtual_time.run if getattr(pyfuncitem.cls, "virtual", False) else asyncio.run
    run(pyfuncitem.obj(**arguments))
    return True


@dataclass
class Heard:
    """What a client got out of a connection."""

    messages: list[Any] = field(default_factory=list)
    error: Exception | None = None
    code: int | None = None

    @property
    def tokens(self) -> list[dict[str, Any]]:
        return [token for message in self.messages for token in message.get("tokens", [])]

    @property
    def finals(self) -> list[dict[str, Any]]:
        return [token for token in self.tokens if token["is_final"]]

    @property
    def text(self) -> str:
        return "".join(token["text"] for token in self.finals)

    @property
    def finished(self) -> bool:
        return any(message.get("finished") for message in self.messages)


class Client:
    """A plain client: no retries, no cleverness."""

    config = CONFIG

    def connect(
        self, server: SonioxSimulator, *, key: str = "test-key", **options: Any
    ) -> AbstractAsyncContextManager[ClientConnection]:
        options = {"additional_headers": {"Authorization": f"Bearer {key}"}, "compression": None, **options}
        return websockets.connect(server.url, **options)

    @asynccontextmanager
    async def started(
        self, server: SonioxSimulator, config: dict[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        """A connection that sent its start request."""
        async with self.connect(server, **options) as socket:
            await socket.send(json.dumps({**CONFIG, **(config or {})}))
            yield socket

    async def transcribe(
        self,
        server: SonioxSimulator,
        audio: bytes | int,
        config: dict[str, Any] | None = None,
        *,
        chunk: int = 3840,
        end: bool = True,
        **options: Any,
    ) -> Heard:
        """Send all audio and the end, and take in what comes until the connection closes."""
        data = encode_words(audio) if isinstance(audio, int) else audio
        async with self.started(server, config, **options) as socket:
            sending = asyncio.ensure_future(self._send(socket, data, chunk, end=end))
            heard = await self.listen(socket)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return heard

    async def listen(self, socket: ClientConnection) -> Heard:
        """Take in what comes until the connection closes."""
        heard = Heard()
        try:
            while True:
                heard.messages.append(json.loads(await socket.recv()))
        except (websockets.ConnectionClosed, ValueError) as error:
            heard.error = error
        received = socket.protocol.close_rcvd
        heard.code = received.code if received else None
        return heard

    async def _send(self, socket: ClientConnection, data: bytes, chunk: int, *, end: bool) -> None:
        for at in range(0, len(data), chunk):
            await socket.send(data[at : at + chunk])
        if end:
            await socket.send("")


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class ManualClock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
