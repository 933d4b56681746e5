"""Rows without a framework: raw WebSocket clients, as one writes them first, and none at all.

They parse the JSON and join the texts of the tokens; that is all they do.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from row import HEADERS, START, Heard, Row, Stream
from speech import BYTES_PER_SECOND, MESSAGES

__all__ = ["AiohttpRow", "NoRow", "PicowsRow", "WebsocketsRow"]


class _NoStream(Stream):
    """Answers by itself; what it costs is the cost of the harness."""

    def __init__(self) -> None:
        self._heard: Heard | None = None
        self._over = asyncio.Event()
        self._audio = 0
        self._said = 0

    async def open(self) -> None:
        await asyncio.sleep(0)

    async def send(self, chunk: bytes) -> None:
        self._audio += len(chunk)
        while self._heard is not None and self._audio * MESSAGES >= (self._said + 1) * BYTES_PER_SECOND:
            self._said += 1
            self._heard("w? w? w? w?", False)
            if self._said % 3 == 0:
                self._heard("w?", True)

    async def end(self) -> None:
        self._over.set()

    async def read(self, heard: Heard) -> None:
        self._heard = heard
        await self._over.wait()


class NoRow(Row):
    """The harness alone."""

    def stream(self) -> Stream:
        return _NoStream()


def texts(frame: str | bytes) -> tuple[str, str, bool]:
    """The final and the other text of a message, and whether it is the last."""
    body = json.loads(frame)
    if "error_code" in body:
        raise RuntimeError(body)
    final = interim = ""
    for token in body["tokens"]:
        if token["text"][0] == "<":
            continue
        if token["is_final"]:
            final += token["text"]
        else:
            interim += token["text"]
    return final, interim, body.get("finished", False)


def tell(frame: str | bytes, heard: Heard) -> tuple[float, bool]:
    """Hand on what a message says; how long the reader is busy with it, and whether it is the last."""
    final, interim, finished = texts(frame)
    busy = heard(final, True) if final else 0.0
    if interim:
        busy += heard(interim, False)
    return busy, finished


class _Websockets(Stream):
    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self) -> None:
        from websockets.asyncio.client import connect

        self._socket = await connect(self._url, additional_headers=HEADERS, compression=None)
        await self._socket.send(START)

    async def send(self, chunk: bytes) -> None:
        await self._socket.send(chunk)

    async def end(self) -> None:
        await self._socket.send("")

    async def read(self, heard: Heard) -> None:
        async for frame in self._socket:
            busy, finished = tell(frame, heard)
            if busy:
                await asyncio.sleep(busy)
            if finished:
                return

    async def close(self) -> None:
        await self._socket.close()


class WebsocketsRow(Row):
    """A client of `websockets`, as one writes it first."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import websockets.asyncio.client  # noqa: F401

    def stream(self) -> Stream:
        return _Websockets(self.url)


class _Aiohttp(Stream):
    def __init__(self, url: str, session: Any) -> None:
        self._url = url
        self._session = session

    async def open(self) -> None:
        self._socket = await self._session.ws_connect(self._url, headers=HEADERS, heartbeat=20.0)
        await self._socket.send_str(START)

    async def send(self, chunk: bytes) -> None:
        await self._socket.send_bytes(chunk)

    async def end(self) -> None:
        await self._socket.send_str("")

    async def read(self, heard: Heard) -> None:
        async for message in self._socket:
            busy, finished = tell(message.data, heard)
            if busy:
                await asyncio.sleep(busy)
            if finished:
                return

    async def close(self) -> None:
        await self._socket.close()


class AiohttpRow(Row):
    """The same with `aiohttp`."""

    async def start(self) -> None:
        from aiohttp import ClientSession, TCPConnector

        self._session = ClientSession(connector=TCPConnector(limit=0))

    async def stop(self) -> None:
        await self._session.close()

    def stream(self) -> Stream:
        return _Aiohttp(self.url, self._session)


class _Picows(Stream):
    """Called back for each frame; so it has no way to make a server wait for a slow reader."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._heard: Heard = lambda _text, _final: 0.0

    async def open(self) -> None:
        from picows import WSListener, WSMsgType, ws_connect

        outer, text = self, WSMsgType.TEXT

        class Listener(WSListener):  # type: ignore[misc]
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                if frame.msg_type == text and tell(frame.get_payload_as_bytes(), outer._heard)[1]:
                    outer._over.set()

            def on_ws_disconnected(self, transport: Any) -> None:
                outer._over.set()

            def pause_writing(self) -> None:
                outer._may_write.clear()

            def resume_writing(self) -> None:
                outer._may_write.set()

        self._type = WSMsgType
        self._transport, _ = await ws_connect(
            Listener, self._url, extra_headers=HEADERS, enable_auto_ping=True, auto_ping_idle_timeout=20.0
        )
        self._transport.send(text, START.encode())

    async def send(self, chunk: bytes) -> None:
        self._transport.send(self._type.BINARY, chunk)
        if not self._may_write.is_set():
            await self._may_write.wait()

    async def end(self) -> None:
        self._transport.send(self._type.TEXT, b"")

    async def read(self, heard: Heard) -> None:
        self._heard = heard
        await self._over.wait()

    async def close(self) -> None:
        self._transport.send_close(1000)
        self._transport.disconnect()


class PicowsRow(Row):
    """The same with `picows`, whose protocol is compiled."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import picows  # noqa: F401

    def stream(self) -> Stream:
        return _Picows(self.url)
