"""`OpenAISimulator`: one server on loopback, of whichever flavour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, cast

from aiohttp import WSMsgType, web

from debabelizer.testing._listener import Listener
from debabelizer_openai.simulator.behaviour import Behaviour, Refusal
from debabelizer_openai.simulator.realtime import RealtimeSession, Session
from debabelizer_openai.simulator.recordings import Upload, answer
from debabelizer_openai.simulator.vllm import VllmSession

__all__ = ["OpenAISimulator"]

_LARGEST: Final = 25_000_000


@dataclass(slots=True, eq=False)
class _Log:
    """What a server was asked.

    Attributes:
        uploads: The recordings, with their fields.
        sessions: The streams.
        refused: How many requests had no key that fits.
    """

    uploads: list[Upload] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    refused: int = 0


class OpenAISimulator:
    """A server on loopback. Leaving it leaves no task and no socket behind.

    Args:
        flavour: Which one: the name of its provider, or any flavour of `openai_compatible`.
        keys: Keys that are accepted; None accepts every one, and none.
        behaviour: See `Behaviour`.
        host: Address to listen on; the port is chosen by the system.

    Attributes:
        log: What it was asked.
    """

    def __init__(
        self,
        flavour: str = "openai",
        *,
        keys: Collection[str] | None = ("test-key",),
        behaviour: Behaviour | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.log = _Log()
        self._flavour = flavour
        self._keys = keys
        self._behaviour = behaviour or Behaviour()
        self._refusals = list(self._behaviour.refusals)
        self._host = host
        # Without the cancellation, aiohttp stumbles over a client that asks and is gone at once.
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=1.0, handler_cancellation=True
        )

    @property
    def prefix(self) -> str:
        """What addresses begin with."""
        return {"whisper_cpp": "", "groq": "/openai/v1"}.get(self._flavour, "/v1")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self._host, self._listener.port

    @property
    def base_url(self) -> str:
        """The base address, as in the settings."""
        host, port = self.address
        return f"http://{host}:{port}{self.prefix}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        self._listener = Listener(cast("Callable[[], asyncio.BaseProtocol]", self._runner.server), self._host)
        await self._listener.open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()
        await self._listener.settle()
        for session in self.log.sessions:
            session.stop()
        await self._runner.cleanup()

    def _application(self) -> web.Application:
        path = "/inference" if self._flavour == "whisper_cpp" else "/audio/transcriptions"
        app = web.Application(client_max_size=2 * _LARGEST)
        app.add_routes(
            [
                web.post(f"{self.prefix}{path}", self._transcribe),
                web.get(f"{self.prefix}/realtime", self._stream),
            ]
        )
        return app

    async def _transcribe(self, request: web.Request) -> web.StreamResponse:
        if not self._admits(request):
            return self._refuse(Refusal(401, {"message": "Incorrect API key provided.", "code": "invalid_api_key"}))
        upload = await Upload.of(request)
        self.log.uploads.append(upload)
        if self._refusals:
            return self._refuse(self._refusals.pop(0))
        if len(upload.file) > _LARGEST and self._flavour in {"openai", "groq"}:
            return self._refuse(Refusal(413, {"message": "Maximum content size limit exceeded"}))
        return await answer(request, upload, self._flavour, self._behaviour)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if not self._admits(request):
            return self._refuse(Refusal(401, {"message": "Incorrect API key provided.", "code": "invalid_api_key"}))
        socket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await socket.prepare(request)
        made: type[Session] = VllmSession if self._flavour == "vllm" else RealtimeSession
        session = made(dict(request.query), self._behaviour)
        self.log.sessions.append(session)
        talking = asyncio.ensure_future(session.talk(socket))
        try:
            session.begin()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    session.receive(message.data)
        finally:
            session.stop()
            await talking
        return socket

    def _admits(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        admitted = self._keys is None or given in self._keys
        self.log.refused += not admitted
        return admitted

    def _refuse(self, refusal: Refusal) -> web.Response:
        error: Any = refusal.error
        if isinstance(error, dict):
            error = {"message": "", "type": "invalid_request_error", "param": None, "code": None, **error}
        if self._flavour == "whisper_cpp" and isinstance(error, dict):
            error = error["message"]
        return web.json_response({"error": error}, status=refusal.status, headers=dict(refusal.headers))
