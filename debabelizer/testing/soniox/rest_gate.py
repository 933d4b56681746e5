"""What every call to the file API passes through: the log, planned faults, authentication, errors."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

from debabelizer.testing.soniox.keys import KeyRing

__all__ = ["ApiError", "RestFault", "RestGate", "RestRequest"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestFault:
    """One thing that goes wrong in the file API.

    Attributes:
        call: Method and route, e.g. ``POST /files`` or ``GET /transcriptions/{id}/transcript``; or ``recognize``, to
            let the transcription itself end in an error.
        status: HTTP status of the answer; 0 drops the connection, None never answers.
        error_type: Goes into the answer, or into the transcription.
        after: How many calls go well before.
        times: How many calls fail.
        retry_after: Seconds for a ``Retry-After`` header.
        done: Whether the call does its work before it fails.
    """

    call: str
    status: int | None = 503
    error_type: str = "internal_error"
    after: int = 0
    times: int = 1
    retry_after: float | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A call that came: when, what, and the status of the answer (0: none)."""

    time: float
    call: str
    path: str
    status: int


class ApiError(Exception):
    """Ends a call with an error answer."""

    def __init__(self, status: int, error_type: str, message: str, **validation: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.validation = [
            {"error_type": "invalid", "location": location, "message": text} for location, text in validation.items()
        ]

    def response(self) -> web.Response:
        """The answer. Its members have other names than those of an error frame."""
        body = {
            "status_code": self.status,
            "error_type": self.error_type,
            "message": str(self),
            "validation_errors": self.validation,
            "request_id": str(uuid.uuid4()),
            "more_info": f"https://soniox.com/docs/api-reference/errors#{self.error_type}",
        }
        return web.json_response(body, status=self.status)


class RestGate:
    """The middleware of the file API.

    Attributes:
        requests: The calls that came.
    """

    def __init__(self, keys: KeyRing, clock: Callable[[], float], faults: Iterable[RestFault], prefix: str) -> None:
        self.requests: list[RestRequest] = []
        self._keys = keys
        self._clock = clock
        self._faults = list(faults)
        self._calls: dict[int, int] = {}  # how many calls each fault saw
        self._prefix = prefix
        self._stopping = asyncio.Event()

    def add(self, *faults: RestFault) -> None:
        """Plan more faults."""
        self._faults.extend(faults)

    def stop(self) -> None:
        """Let go of calls that are never answered."""
        self._stopping.set()

    def due(self, call: str) -> RestFault | None:
        """The fault that strikes this call, if any. Every fault that waits for such calls counts it."""
        due = None
        for index, fault in enumerate(self._faults):
            if fault.call == call:
                came = self._calls[index] = self._calls.get(index, 0) + 1
                if due is None and fault.after < came <= fault.after + fault.times:
                    due = fault
        return due

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around every call."""
        resource = request.match_info.route.resource
        call = f"{request.method} {(resource.canonical if resource else request.path).removeprefix(self._prefix)}"
        fault = self.due(call)
        status = 0
        try:
            if fault is None:
                response = await self._answer(request, handler)
            else:
                if fault.done:
                    await self._answer(request, handler)
                response = await self._fail(request, fault)
            status = response.status
        finally:
            self.requests.append(RestRequest(self._clock(), call, request.path, status))
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._authenticate(request)
            return await handler(request)
        except ApiError as error:
            return error.response()

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._keys.accepts(key):
            raise ApiError(401, "unauthenticated", "Incorrect API key provided.")

    async def _fail(self, request: web.Request, fault: RestFault) -> web.StreamResponse:
        if fault.status is None:
            await self._stopping.wait()
        if not fault.status:
            if request.transport is not None:
                request.transport.abort()
            # The answer goes nowhere, but the server wants one.
            return web.Response(status=500)
        response = ApiError(fault.status, fault.error_type, "Planned fault.").response()
        if fault.retry_after is not None:
            response.headers["Retry-After"] = f"{fault.retry_after:g}"
        return response
