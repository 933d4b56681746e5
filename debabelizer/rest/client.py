"""`RestClient`: calls to a provider's REST API, each with a deadline and with typed errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import aiohttp

from debabelizer.config.redaction import redact
from debabelizer.errors import (
    CertificateError,
    ConnectError,
    ConnectionLostError,
    DeadlineError,
    InvalidRequestError,
    ProtocolError,
    ProviderError,
)
from debabelizer.rest.answers import Answer
from debabelizer.rest.bodies import Body, Fields, texts
from debabelizer.rest.watch import Watch
from debabelizer.status import retry_seconds, status_error

__all__ = ["Fault", "RestClient", "open_session", "status_fault"]

Fault: TypeAlias = Callable[[int, bytes, float | None], ProviderError]
"""Makes the typed error of a refusal: its HTTP status, the first 64 KiB of its body, redacted, and the seconds of its
Retry-After header."""

_PATIENCE: Final = 60.0
_LARGEST: Final = 256 * 1024 * 1024  # many times the transcript of the longest file that any vendor takes
_LARGEST_REFUSAL: Final = 65536
_EXCERPT: Final = 500  # characters of a refusal that are shown


def open_session() -> aiohttp.ClientSession:
    """A session for any number of clients; deadlines are theirs, and cookies nobody's."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def status_fault(status: int, body: bytes, retry_after: float | None) -> ProviderError:
    """The `Fault` of a vendor whose error bodies are not known."""
    return status_error(status, body.decode("utf-8", "replace").strip()[:_EXCERPT], retry_after=retry_after)


class RestClient:
    """Calls to one address with one key.

    Args:
        session: Shared, and closed by whoever opened it.
        base: Base address, without a slash at its end.
        headers: Sent with each call; the place for the key. Never shown.
        fault: What a refusal means.
        request_id: The header in which the vendor identifies a call, for its support desk.
        patience: Seconds without any movement, in either direction, after which a call fails.
        thinking: Seconds that the vendor may take between the end of an upload and the first of its answer.
        largest: Most bytes of an answer.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        fault: Fault = status_fault,
        request_id: str | None = None,
        patience: float = _PATIENCE,
        thinking: float | None = None,
        largest: int = _LARGEST,
    ) -> None:
        self._session = session
        self._base = base
        self._headers = dict(headers or {})
        self._fault = fault
        self._request_id = request_id
        self._patience = patience
        self._thinking = thinking
        self._largest = largest

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._base}>"

    async def call(self, method: str, path: str, body: Body | None = None, *, query: Fields = ()) -> Mapping[str, Any]:
        """Make a call that is answered with a JSON object; the object is empty if nothing is sent.

        Raises:
            AudioError: As raised by what is uploaded.
            ProviderError: Why it failed.
        """
        async with self.stream(method, path, body, query=query) as answer:
            text = await answer.read()
        return _object(text, f"{method} {path}") if text else {}

    async def text(self, method: str, path: str, body: Body | None = None, *, query: Fields = ()) -> str:
        """Make a call that is answered with text. Raises as `call` does."""
        async with self.stream(method, path, body, query=query) as answer:
            return (await answer.read()).decode("utf-8", "replace")

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, body: Body | None = None, *, query: Fields = ()
    ) -> AsyncIterator[Answer]:
        """Make a call whose answer is read as it comes; leaving drops the rest of it. Raises as `call` does.

        The time that the caller takes over what it has read does not count.
        """
        what = f"{method} {path}"
        upload = body.upload if body is not None else None
        watch = Watch(self._patience, self._thinking)
        try:
            # A redirect is not followed: the key and the audio go where the configuration says, nowhere else.
            async with (
                watch,
                self._session.request(
                    method,
                    self._base + path,
                    params=texts(query),
                    headers=self._headers,
                    data=None if body is None else body.payload(watch),
                    allow_redirects=False,
                ) as response,
            ):
                answer = Answer(response, watch, what, self._largest)
                if not 200 <= response.status < 300:
                    said = await answer.read(_LARGEST_REFUSAL)
                    watch.touch()
                    raise self._refusal(response, said)
                watch.pause()
                try:
                    yield answer
                finally:
                    watch.touch()  # what is left of the exchange is ended within the same deadline
        except TimeoutError as error:
            if not watch.expired:
                raise
            message = f"The provider did not go on with {what} for {watch.allowance:g} s."
            raise DeadlineError(message, seconds=watch.allowance) from error
        except aiohttp.ClientError as error:
            if upload is not None and upload.error is not None:
                raise upload.error from None
            raise _transport_error(error, what) from error

    def _refusal(self, response: aiohttp.ClientResponse, body: bytes) -> ProviderError:
        body = redact(body.decode("utf-8", "replace")).encode()  # some vendors say which key it was that they refuse
        error = self._fault(response.status, body, retry_seconds(response.headers.get("Retry-After")))
        if self._request_id is not None:
            error.request_id = error.request_id or response.headers.get(self._request_id)
        return error


def _object(text: bytes, what: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise ProtocolError(f"The answer to {what}, of {len(text)} bytes, is not JSON.") from None
    if not isinstance(body, dict):
        raise ProtocolError(f"The answer to {what} is a JSON {type(body).__name__} where an object belongs.")
    return body


def _transport_error(error: aiohttp.ClientError, what: str) -> ProviderError:
    if isinstance(error, aiohttp.InvalidURL):
        return InvalidRequestError(f"The address for {what} is none.", hint="Look at the address in the settings.")
    reason = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return CertificateError(f"Whoever answered {what} did not prove to be the provider: {reason}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectError(f"No connection for {what} could be made: {reason}")
    return ConnectionLostError(f"The connection was lost during {what}: {reason}")
