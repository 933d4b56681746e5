from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from debabelizer_soniox.rest import RestClient, open_session
from debabelizer_soniox.settings import SonioxSettings

from debabelizer import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DeadlineError,
    InvalidRequestError,
    ProtocolError,
    RateLimitedError,
    ServiceUnavailableError,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def call(handler: Handler, *arguments: Any, key: str = "test-key", **options: Any) -> Any:
    """Make one call to a server that answers with `handler`."""

    async def main() -> Any:
        server = web.Server(handler)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            async with open_session() as session:
                api = RestClient(session, SonioxSettings.model_validate({"api_key": key, "api_url": url}), patience=0.3)
                return await api.call(*(arguments or ("GET", "/x")), **options)
        finally:
            await runner.cleanup()

    return asyncio.run(main())


def answering(status: int = 200, body: bytes = b"{}", **headers: str) -> Handler:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    return handler


def test_a_call_and_its_answer() -> None:
    seen: list[Any] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append((request.method, request.path_qs, request.headers["Authorization"], await request.json()))
        return web.json_response({"id": "7"}, status=201)

    assert call(handler, "POST", "/things?limit=1", body={"a": "ä"}) == {"id": "7"}
    assert seen == [("POST", "/v1/things?limit=1", "Bearer test-key", {"a": "ä"})]


def test_an_empty_answer_is_empty() -> None:
    assert call(answering(204, b"")) == {}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, InvalidRequestError),
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (429, RateLimitedError),
        (503, ServiceUnavailableError),
    ],
)
def test_a_refusal_is_a_typed_error(status: int, error: type[Exception]) -> None:
    headers = {"Retry-After": "7", "Location": "https://example.com/"}
    with pytest.raises(error) as caught:
        call(answering(status, b'{"message": "Why."}', **headers))
    assert "Why." in str(caught.value)
    assert caught.value.retry_after == 7.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("retry_after", ["Fri, 31 Dec 1999 23:59:59 GMT", "", "-1"])
def test_a_retry_after_that_is_no_number_is_ignored(retry_after: str) -> None:
    with pytest.raises(RateLimitedError) as caught:
        call(answering(429, **{"Retry-After": retry_after}))
    assert caught.value.retry_after is None


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff", b"7"])
def test_an_answer_that_is_no_object_is_a_broken_protocol(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="GET /x"):
        call(answering(200, body))


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer_soniox.rest._LARGEST", 100_000)
    with pytest.raises(ProtocolError, match="more than 100000 bytes"):
        call(answering(200, b" " * 1_000_000))


def test_nobody_there_is_a_connect_error() -> None:
    async def main() -> None:
        async with open_session() as session:
            table = {"api_key": "test-key", "api_url": "http://127.0.0.1:1/v1"}
            await RestClient(session, SonioxSettings.model_validate(table)).call("GET", "/x")

    with pytest.raises(ConnectError, match="GET /x"):
        asyncio.run(main())


def test_an_address_that_is_none_after_all_is_an_invalid_request() -> None:
    async def main() -> None:
        async with open_session() as session:
            table = {"api_key": "test-key", "api_url": "http://localhost:80:80/v1"}
            settings = SonioxSettings.model_construct(**table)  # type: ignore[arg-type]
            settings = settings.model_copy(update={"api_key": SonioxSettings.model_validate({"api_key": "k"}).api_key})
            await RestClient(session, settings).call("GET", "/x")

    with pytest.raises(InvalidRequestError, match="api_url"):
        asyncio.run(main())


def test_a_connection_that_breaks_is_lost() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.abort()
        return response

    with pytest.raises(ConnectionLostError, match="POST /x"):
        call(handler, "POST", "/x")


def test_silence_is_a_deadline_and_slowness_is_not() -> None:
    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"a"', b":", b"1", b"}"):
            await asyncio.sleep(0.15)
            await response.write(piece)
        return response

    with pytest.raises(DeadlineError, match=r"GET /x for 0\.3 s"):
        call(silent)
    assert call(slow) == {"a": 1}


def test_the_key_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "canary-key-5d21"
    texts: list[str] = []
    for handler in (answering(401, f'{{"message": "Bad key {key}"}}'.encode()), answering(500, b"?"), answering(200)):
        try:
            call(handler, key=key)
        except (AuthenticationError, ServiceUnavailableError) as error:
            texts += [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    texts.append(caplog.text)
    assert [text for text in texts if key in text] == []


def test_sessions_keep_no_cookies_and_no_deadlines() -> None:
    async def main() -> tuple[Any, Any]:
        async with open_session() as session:
            return session.cookie_jar, session.timeout

    jar, timeout = asyncio.run(main())
    assert isinstance(jar, aiohttp.DummyCookieJar)
    assert (timeout.total, timeout.sock_read) == (None, None)
