"""`RestApi`: the file API on loopback. Files, transcriptions, temporary keys and models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from aiohttp import BodyPartReader, web

from debabelizer.testing._listener import Listener
from debabelizer.testing.script import Words
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.config import ASYNC_MODELS, LANGUAGES, REALTIME_MODELS, parse_options
from debabelizer.testing.soniox.errors import Refused
from debabelizer.testing.soniox.keys import Grant, KeyRing
from debabelizer.testing.soniox.rest_gate import ApiError, RestFault, RestGate
from debabelizer.testing.soniox.rest_store import StoredFile, StoredTranscription, recognize, timestamp

__all__ = ["RestApi"]

_MAX_FILE = 1_073_741_824
_FORM_OVERHEAD = 1024 * 1024
_PREFIX = "/v1"

Stored = TypeVar("Stored", StoredFile, StoredTranscription)


class RestApi:
    """The file API. What it holds is there to be looked at.

    Attributes:
        url: Base address, once it was started.
        files, transcriptions: What it holds, by id.
        gate: What it was asked, and what is still to go wrong.
    """

    def __init__(
        self,
        keys: KeyRing,
        words: Words,
        behaviour: Behaviour,
        clock: Callable[[], float],
        faults: Iterable[RestFault] = (),
    ) -> None:
        self.url = ""
        self.files: dict[str, StoredFile] = {}
        self.transcriptions: dict[str, StoredTranscription] = {}
        self.gate = RestGate(keys, clock, faults, _PREFIX)
        self._keys = keys
        self._words = words
        self._behaviour = behaviour
        self._clock = clock
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)

    async def start(self, host: str) -> None:
        """Listen on a port chosen by the system."""
        await self._runner.setup()
        self._listener = Listener(cast("Callable[[], asyncio.BaseProtocol]", self._runner.server), host)
        await self._listener.open()
        self.url = f"http://{host}:{self._listener.port}{_PREFIX}"

    async def stop(self) -> None:
        """Stop listening, and drop what is open."""
        self._listener.close()
        await self._listener.settle()
        self.gate.stop()
        await self._runner.cleanup()

    def count(self, call: str) -> int:
        """How often a call came, e.g. ``DELETE /files/{id}``."""
        return sum(request.call == call for request in self.gate.requests)

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self.gate.middleware], client_max_size=_MAX_FILE + _FORM_OVERHEAD)
        app.add_routes(
            [
                web.post(f"{_PREFIX}/files", self._upload),
                web.get(f"{_PREFIX}/files", self._list_files),
                web.get(f"{_PREFIX}/files/count", self._count_files),
                web.get(f"{_PREFIX}/files/{{id}}", self._get_file),
                web.delete(f"{_PREFIX}/files/{{id}}", self._delete_file),
                web.post(f"{_PREFIX}/transcriptions", self._create),
                web.get(f"{_PREFIX}/transcriptions", self._list_transcriptions),
                web.get(f"{_PREFIX}/transcriptions/count", self._count_transcriptions),
                web.get(f"{_PREFIX}/transcriptions/{{id}}", self._get_transcription),
                web.get(f"{_PREFIX}/transcriptions/{{id}}/transcript", self._get_transcript),
                web.delete(f"{_PREFIX}/transcriptions/{{id}}", self._delete_transcription),
                web.post(f"{_PREFIX}/auth/temporary-api-key", self._temporary_key),
                web.get(f"{_PREFIX}/models", self._models),
            ]
        )
        return app

    # Files

    async def _upload(self, request: web.Request) -> web.Response:
        content: bytes | None = None
        filename, reference = "", None
        if not request.content_type.startswith("multipart/"):
            raise _invalid(file="Field required")
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise _invalid(body="Nested parts are not understood")
            if part.name == "file":
                filename, content = part.filename or "", bytes(await part.read())
            elif part.name == "client_reference_id":
                reference = await part.text()
        if content is None or not filename:
            raise _invalid(file="Field required")
        if len(content) > _MAX_FILE or len(reference or "") > 256:
            raise _invalid(file="Too long")
        file = StoredFile(filename, content, self._now(), reference)
        self.files[file.id] = file
        return web.json_response(file.json(), status=201)

    async def _list_files(self, request: web.Request) -> web.Response:
        return _page(request, "files", self.files)

    async def _count_files(self, _: web.Request) -> web.Response:
        return _count(self.files)

    async def _get_file(self, request: web.Request) -> web.Response:
        return web.json_response(_find(request, self.files, "file").json())

    async def _delete_file(self, request: web.Request) -> web.Response:
        del self.files[_find(request, self.files, "file").id]
        return web.Response(status=204)

    # Transcriptions

    async def _create(self, request: web.Request) -> web.Response:
        payload = await _json(request)
        if payload.get("model") not in ASYNC_MODELS:
            raise _invalid(model="Invalid model specified.")
        if (payload.get("file_id") is None) == (payload.get("audio_url") is None):
            raise _invalid(file_id="Exactly one of file_id and audio_url is required")
        try:
            options = parse_options(payload)
        except Refused as refusal:
            raise _invalid(body=refusal.reply.message) from None
        transcription = self._transcribe(payload, options)
        self.transcriptions[transcription.id] = transcription
        return web.json_response(transcription.json(), status=201)

    def _transcribe(self, payload: dict[str, Any], options: Mapping[str, Any]) -> StoredTranscription:
        file = None
        if payload.get("file_id") is not None:
            file = self.files.get(str(payload["file_id"]))
            if file is None:
                raise ApiError(404, "file_not_found", "File could not be found.")
        filename = file.filename if file else str(payload["audio_url"]).rpartition("/")[2]
        result = StoredTranscription(payload, self._now(), self._behaviour.polls, filename)
        fault = self.gate.due("recognize")
        if fault is not None:
            result.error = (fault.error_type, "Planned fault.")
        elif file is None:
            result.error = ("invalid_audio_url", "This simulator fetches nothing.")
        else:
            try:
                result.tokens, result.duration = recognize(file.content, options, self._words, self._behaviour)
            except Refused as refusal:
                result.error = ("invalid_audio_file", refusal.reply.message)
        return result

    async def _list_transcriptions(self, request: web.Request) -> web.Response:
        return _page(request, "transcriptions", self.transcriptions)

    async def _count_transcriptions(self, _: web.Request) -> web.Response:
        return _count(self.transcriptions)

    async def _get_transcription(self, request: web.Request) -> web.Response:
        transcription = _find(request, self.transcriptions, "transcription")
        transcription.look()
        return web.json_response(transcription.json())

    async def _get_transcript(self, request: web.Request) -> web.Response:
        transcription = _find(request, self.transcriptions, "transcription")
        if transcription.status != "completed":
            raise _invalid_state("Can only get transcript with completed status.")
        body = {"id": transcription.id, "text": transcription.text, "tokens": transcription.tokens}
        return web.json_response(body)

    async def _delete_transcription(self, request: web.Request) -> web.Response:
        transcription = _find(request, self.transcriptions, "transcription")
        if transcription.status == "processing":
            transcription.look()
            raise _invalid_state("Cannot delete transcription with processing status.")
        del self.transcriptions[transcription.id]
        return web.Response(status=204)

    # Keys and models

    async def _temporary_key(self, request: web.Request) -> web.Response:
        payload = await _json(request)
        usage, expires = payload.get("usage_type"), payload.get("expires_in_seconds")
        longest = payload.get("max_session_duration_seconds")
        if usage not in ("transcribe_websocket", "tts_rt"):
            raise _invalid(usage_type="Invalid usage type")
        if not isinstance(expires, int) or not 1 <= expires <= 3600:
            raise _invalid(expires_in_seconds="Must be between 1 and 3600")
        if longest is not None and not (isinstance(longest, int) and 1 <= longest <= 18000):
            raise _invalid(max_session_duration_seconds="Must be between 1 and 18000")
        until = self._clock() + expires
        key = self._keys.issue(Grant(usage, until, bool(payload.get("single_use")), longest))
        return web.json_response({"api_key": key, "expires_at": timestamp(until)}, status=201)

    async def _models(self, _: web.Request) -> web.Response:
        models = [
            *(_model(name, REALTIME_MODELS[0], "real_time") for name in REALTIME_MODELS),
            *(_model(name, ASYNC_MODELS[0], "async") for name in ASYNC_MODELS),
        ]
        return web.json_response({"models": models})

    def _now(self) -> str:
        return timestamp(self._clock())


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        payload = await request.json()
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise _invalid(body="Must be a JSON object")
    return payload


def _find(request: web.Request, stored: Mapping[str, Stored], what: str) -> Stored:
    found = stored.get(request.match_info["id"])
    if found is None:
        raise ApiError(404, f"{what}_not_found", f"{what.capitalize()} could not be found.")
    return found


def _page(request: web.Request, name: str, stored: Mapping[str, Stored]) -> web.Response:
    limit, cursor = request.query.get("limit", "1000"), request.query.get("cursor", "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= 1000:
        raise _invalid(limit="Must be between 1 and 1000")
    if not cursor.isdecimal():
        raise ApiError(400, "invalid_cursor", "The `cursor` parameter is invalid.")
    start, end = int(cursor), int(cursor) + int(limit)
    items = [item.json() for item in list(stored.values())[start:end]]
    return web.json_response({name: items, "next_page_cursor": str(end) if end < len(stored) else None})


def _count(stored: Mapping[str, Stored]) -> web.Response:
    return web.json_response({"total": len(stored), "public_api": len(stored), "playground": 0})


def _model(name: str, current: str, mode: str) -> dict[str, Any]:
    return {
        "id": name,
        "aliased_model_id": None if name == current else current,
        "name": name,
        "context_version": 2,
        "transcription_mode": mode,
        "languages": [{"code": code, "name": code} for code in sorted(LANGUAGES)],
        "supports_language_hints_strict": True,
        "supports_max_endpoint_delay": mode == "real_time",
        "supports_endpoint_sensitivity": mode == "real_time",
        "supports_endpoint_latency_adjustment": mode == "real_time",
        "endpoint_latency_adjustment_max_level": 3 if mode == "real_time" else 0,
        "translation_targets": [],
        "two_way_translation_pairs": [],
        "one_way_translation": "all_languages",
        "two_way_translation": "all_languages",
    }


def _invalid(**validation: str) -> ApiError:
    return ApiError(400, "invalid_request", "Your request did not pass validation.", **validation)


def _invalid_state(message: str) -> ApiError:
    return ApiError(409, "transcription_invalid_state", message)
