"""`DeepgramSimulator`: the service on loopback."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from debabelizer.testing._websocket import WebSocketServer
from debabelizer.testing.script import CodedWords, Line, Words
from debabelizer_deepgram.simulator.behaviour import Behaviour, Disconnect, Refusal
from debabelizer_deepgram.simulator.files import FileApi, answer
from debabelizer_deepgram.simulator.nova import NovaRecognizer
from debabelizer_deepgram.simulator.query import Query, Refused
from debabelizer_deepgram.simulator.session import Session, StreamLog
from debabelizer_deepgram.simulator.turns import TurnRecognizer

__all__ = ["DeepgramSimulator"]

_NOVA, _FLUX = "/v1/listen", "/v2/listen"
_INVALID_AUTH: Final = Refusal(401, "INVALID_AUTH", "Invalid credentials.")


class DeepgramSimulator:
    """A Deepgram on loopback: ``v1/listen`` for streams and files, and ``v2/listen``.

    ::

        async with DeepgramSimulator() as server:
            ...  # point your application at server.url and server.api_url

    Leaving it leaves no task and no socket behind.

    Args:
        words: Where words come from; by default from the audio, see `debabelizer.testing.coded`.
        behaviour: What the documentation leaves open.
        keys: API keys that are accepted; None accepts every one.
        refusals: Handshakes and calls to be refused, one after the other.
        faults: Streams that end before their time, one after the other.
        host: Address to listen on; the ports are chosen by the system.

    Attributes:
        streams: The log of every stream, in the order they came.
        files: The REST API, and what it was asked.
    """

    def __init__(
        self,
        words: Words | None = None,
        *,
        behaviour: Behaviour | None = None,
        keys: Collection[str] | None = ("test-key",),
        refusals: Iterable[Refusal] = (),
        faults: Iterable[Disconnect] = (),
        host: str = "127.0.0.1",
    ) -> None:
        self.words = words or CodedWords()
        self.behaviour = behaviour or Behaviour()
        self.streams: list[StreamLog] = []
        self.files = FileApi(self.words, self._admit, host)
        self._keys = keys
        self._refusals = deque(refusals)
        self._faults = deque(faults)
        self._server = WebSocketServer(self._serve, self._check, host)

    async def __aenter__(self) -> Self:
        await self._server.start()
        await self.files.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.files.stop()
        await self._server.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the streaming API."""
        return self._server.address

    @property
    def url(self) -> str:
        """Base address of the streaming API."""
        host, port = self.address
        return f"ws://{host}:{port}"

    @property
    def api_url(self) -> str:
        """Base address of the REST API."""
        host, port = self.files.address
        return f"http://{host}:{port}"

    def _admit(self, authorization: str) -> None:
        """Let a request in, or raise `Refused`."""
        if self._refusals:
            raise Refused(self._refusals.popleft())
        scheme, _, key = authorization.partition(" ")
        if self._keys is not None and (scheme not in {"Token", "Bearer"} or key not in self._keys):
            raise Refused(_INVALID_AUTH)

    def _check(self, _: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = Query(parts.query)
        try:
            self._admit(request.headers.get("Authorization", ""))
            if parts.path not in {_NOVA, _FLUX}:
                raise Refused(Refusal(404, "Not Found", "There is no such path."))
            query.check_stream() if parts.path == _NOVA else query.check_turns()
            query.raw()
        except Refused as refused:
            headers, body = answer(refused.refusal)
            text = json.dumps(body).encode()
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(text)), "Connection": "close"}
            status = HTTPStatus(refused.refusal.status)
            return Response(status.value, status.phrase, Headers(headers), text)
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        if socket.request is None:
            raise RuntimeError("A connection without a request.")
        parts = urlsplit(socket.request.path)
        query = Query(parts.query)
        log = StreamLog(parts.path, query)
        self.streams.append(log)
        raw = query.raw()
        ear = self.words.listen(Line(raw, number=len(self.streams) - 1))
        kind = NovaRecognizer if parts.path == _NOVA else TurnRecognizer
        recognizer = kind(query, self.behaviour, raw, ear, f"simulated-{len(self.streams)}")
        fault = self._faults.popleft() if self._faults else None
        await Session(socket, recognizer, raw, self.behaviour, log, fault).run()
