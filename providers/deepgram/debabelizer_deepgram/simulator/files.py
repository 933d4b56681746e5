"""`FileApi`: ``POST /v1/listen`` on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Any, cast

from aiohttp import web

from debabelizer.testing._listener import Listener
from debabelizer.testing.audio import AudioInput, NotAudioError
from debabelizer.testing.script import Line, Words
from debabelizer_deepgram.simulator.behaviour import Refusal
from debabelizer_deepgram.simulator.query import Query, Refused, bad_request
from debabelizer_deepgram.simulator.texts import Speakers, alternative, utterances

__all__ = ["FileApi"]

_LARGEST = 2 * 1024**3


class FileApi:
    """Transcribes files at once.

    Args:
        words: Where words come from.
        admit: Raises `Refused` if a request with this ``Authorization`` is not let in.
        host: Address to listen on.

    Attributes:
        queries: What was asked for.
    """

    def __init__(self, words: Words, admit: Callable[[str], None], host: str) -> None:
        self.queries: list[Query] = []
        self._words = words
        self._admit = admit
        app = web.Application(client_max_size=_LARGEST)
        app.add_routes([web.post("/v1/listen", self._listen)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self._host = host

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._listener.host, self._listener.port

    async def start(self) -> None:
        """Listen on a port chosen by the system."""
        await self._runner.setup()
        self._listener = Listener(cast("Callable[[], asyncio.BaseProtocol]", self._runner.server), self._host)
        await self._listener.open()

    async def stop(self) -> None:
        """Stop listening, and drop what is open."""
        self._listener.close()
        await self._listener.settle()
        await self._runner.cleanup()

    async def _listen(self, request: web.Request) -> web.Response:
        query = Query(request.query_string)
        self.queries.append(query)
        try:
            self._admit(request.headers.get("Authorization", ""))
            query.check_file()
            return web.json_response(self._transcribed(await request.read(), query))
        except Refused as refused:
            headers, body = answer(refused.refusal)
            return web.json_response(body, status=refused.refusal.status, headers=headers)

    def _transcribed(self, body: bytes, query: Query) -> dict[str, Any]:
        reader = AudioInput("auto")
        try:
            samples = reader.feed(body)
        except NotAudioError:
            raise bad_request("failed to process audio: corrupt or unsupported data") from None
        if reader.raw is None:
            raise bad_request("failed to process audio: corrupt or unsupported data")
        ear = self._words.listen(Line(reader.raw, reader.audible))
        words = [*ear.hear(samples), *ear.flush()]
        speakers = Speakers()
        channel: dict[str, Any] = {"alternatives": [alternative(words, query, speakers)]}
        if query.flag("detect_language"):
            channel |= {"detected_language": (words[0].language if words else None) or "en", "language_confidence": 1.0}
        return {
            "metadata": {
                "transaction_key": "deprecated",
                "request_id": "simulated-file",
                "sha256": sha256(body).hexdigest(),
                "created": "2026-01-01T00:00:00.000Z",
                "duration": round(len(samples) / reader.raw.bytes_per_second, 6),
                "channels": 1,
                "models": ["simulated"],
                "model_info": {"simulated": {"name": query.model, "version": "simulated", "arch": "simulated"}},
            },
            "results": {
                "channels": [channel],
                **({"utterances": utterances(words, query, speakers)} if query.flag("utterances") else {}),
            },
        }


def answer(refusal: Refusal) -> tuple[dict[str, str], dict[str, str]]:
    """The headers and the body of a refusal, in one of the two documented shapes."""
    request_id = "simulated-refusal"
    headers = {"dg-request-id": request_id, "dg-error": f"{refusal.code}: {refusal.message}"}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.modern:
        named = {"category": refusal.code, "message": refusal.message, "details": "See the documentation."}
    else:
        named = {"err_code": refusal.code, "err_msg": refusal.message}
    return headers, {**named, "request_id": request_id}
