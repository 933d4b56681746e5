"""`RestClient`: calls to Soniox's REST API, each with a deadline and with typed errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from debabelizer.errors import (
    ConnectError,
    ConnectionLostError,
    DeadlineError,
    InvalidRequestError,
    ProtocolError,
    ProviderError,
)
from debabelizer_soniox.faults import http_error
from debabelizer_soniox.messages import parse_object
from debabelizer_soniox.requests import authorization
from debabelizer_soniox.settings import SonioxSettings
from debabelizer_soniox.upload import Upload, Watch

__all__ = ["RestClient", "open_session"]

_PATIENCE: Final = 60.0  # seconds in which something must move, in either direction
_LARGEST: Final = 256 * 1024 * 1024  # bytes of an answer: many times the transcript of the longest file (300 min)


def open_session() -> aiohttp.ClientSession:
    """A session for any number of clients; deadlines are theirs, and cookies nobody's."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class RestClient:
    """Calls with one key to one region.

    Args:
        session: Shared, and closed by whoever opened it.
        settings: Say where to and with which key.
        patience: Seconds without any movement after which a call fails.

    Raises:
        AuthenticationError: If there is no usable key.
    """

    def __init__(
        self, session: aiohttp.ClientSession, settings: SonioxSettings, *, patience: float = _PATIENCE
    ) -> None:
        self._session = session
        self._base = settings.rest_endpoint
        self._headers = authorization(settings)
        self._patience = patience

    async def call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, upload: Upload | None = None
    ) -> Mapping[str, Any]:
        """Make one call; the answer is empty if Soniox sends none.

        Raises:
            AudioError: As raised by what is uploaded.
            ProviderError: Why it failed.
        """
        what = f"{method} {path}"
        try:
            return await self._exchange(method, path, what, body, upload)
        except aiohttp.ClientError as error:
            if upload is not None and upload.error is not None:
                raise upload.error from None
            raise _transport_error(error, what) from error

    async def _exchange(
        self, method: str, path: str, what: str, body: Mapping[str, Any] | None, upload: Upload | None
    ) -> Mapping[str, Any]:
        headers = dict(self._headers)
        data: Any = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        watch = Watch(self._patience)
        try:
            async with watch:
                if upload is not None:
                    data = upload.form(watch)
                # A redirect is not followed: the key and the audio go where the configuration says, nowhere else.
                async with self._session.request(
                    method, self._base + path, headers=headers, data=data, allow_redirects=False
                ) as response:
                    answer = await _read(response, watch, what)
        except TimeoutError as error:
            if not watch.expired:
                raise
            message = f"Soniox did not go on with {what} for {self._patience:g} s."
            raise DeadlineError(message, seconds=self._patience) from error
        if not 200 <= response.status < 300:
            raise http_error(response.status, answer, retry_after=_seconds(response.headers.get("Retry-After")))
        return parse_object(answer, f"an answer to {what}") if answer else {}


async def _read(response: aiohttp.ClientResponse, watch: Watch, what: str) -> bytes:
    answer = bytearray()
    async for chunk in response.content.iter_any():
        watch.touch()
        answer += chunk
        if len(answer) > _LARGEST:
            raise ProtocolError(f"Soniox's answer to {what} has more than {_LARGEST} bytes.")
    return bytes(answer)


def _transport_error(error: aiohttp.ClientError, what: str) -> ProviderError:
    if isinstance(error, aiohttp.InvalidURL):
        return InvalidRequestError("The setting api_url is not an address.")
    reason = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectError(f"No connection for {what} could be made: {reason}")
    return ConnectionLostError(f"The connection was lost during {what}: {reason}")


def _seconds(retry_after: str | None) -> float | None:
    """The value of a Retry-After header when it is a number."""
    return float(retry_after) if retry_after is not None and retry_after.strip().isdecimal() else None
