from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from debabelizer import (
    AudioSourceError,
    AuthenticationError,
    CertificateError,
    ConnectError,
    ConnectionLostError,
    DeadlineError,
    InvalidRequestError,
    ProtocolError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
)
from debabelizer.config import Secret
from debabelizer.rest import Event, Form, Json, Raw, RestClient, Upload, open_session

Served = Callable[..., Any]
Answering = Callable[..., Any]


async def get(api: RestClient) -> Any:
    return await api.call("GET", "/x")


def test_a_call_and_its_answer(served: Served) -> None:
    seen: list[Any] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append((request.method, request.path, request.headers["Authorization"], await request.json()))
        seen.append((request.content_type, list(request.query.items())))
        return web.json_response({"id": "7"}, status=201)

    async def use(api: RestClient) -> Any:
        query = [("term", "a b"), ("term", "ä&=+"), ("on", True), ("n", 1.5)]
        return await api.call("POST", "/things", Json({"a": "ä"}), query=query)

    assert served(handler, use, headers={"Authorization": "Token test-key"}) == {"id": "7"}
    assert seen == [
        ("POST", "/v1/things", "Token test-key", {"a": "ä"}),
        ("application/json", [("term", "a b"), ("term", "ä&=+"), ("on", "true"), ("n", "1.5")]),
    ]


def test_an_empty_answer_is_empty(served: Served, answering: Answering) -> None:
    assert served(answering(204, b""), get) == {}


def test_an_answer_can_be_text(served: Served, answering: Answering) -> None:
    assert served(answering(200, "Grüße\n\xff".encode("latin-1")), lambda api: api.text("GET", "/x")) == "Gr��e\n�"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, InvalidRequestError),
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, QuotaExceededError),
        (429, RateLimitedError),
        (503, ServiceUnavailableError),
    ],
)
def test_a_refusal_is_a_typed_error(served: Served, answering: Answering, status: int, error: type[Exception]) -> None:
    headers = {"Retry-After": "7", "Location": "https://example.com/", "X-Id": "42"}
    with pytest.raises(error, match=f"{status}: Why") as caught:
        served(answering(status, b"Why.", **headers), get, request_id="x-id")
    assert caught.value.retry_after == 7.0  # type: ignore[attr-defined]
    assert caught.value.request_id == "42"  # type: ignore[attr-defined]


def test_a_vendor_has_its_own_errors(served: Served, answering: Answering) -> None:
    def fault(status: int, body: bytes, retry_after: float | None) -> QuotaExceededError:
        return QuotaExceededError(f"{status} {body!r} {retry_after}", request_id="mine")

    with pytest.raises(QuotaExceededError, match=r"429 b'broke' None") as caught:
        served(answering(429, b"broke", **{"X-Id": "theirs"}), get, fault=fault, request_id="X-Id")
    assert caught.value.request_id == "mine"


@pytest.mark.parametrize("retry_after", ["Fri, 31 Dec 1999 23:59:59 GMT", "", "-1", "²"])
def test_a_retry_after_that_is_no_number_is_ignored(served: Served, answering: Answering, retry_after: str) -> None:
    with pytest.raises(RateLimitedError) as caught:
        served(answering(429, **{"Retry-After": retry_after}), get)
    assert caught.value.retry_after is None


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff", b"7"])
def test_an_answer_that_is_no_object_is_a_broken_protocol(served: Served, answering: Answering, body: bytes) -> None:
    with pytest.raises(ProtocolError, match="GET /x"):
        served(answering(200, body), get)


def test_an_answer_without_end_is_cut(served: Served, answering: Answering) -> None:
    with pytest.raises(ProtocolError, match="more than 100000 bytes"):
        served(answering(200, b" " * 1_000_000), get, largest=100_000)


def test_of_a_refusal_without_end_the_beginning_is_told(served: Served) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(status=403)
        await response.prepare(request)
        while True:
            await response.write(b"No! " * 1000)

    with pytest.raises(AuthenticationError, match="403: No! No!") as caught:
        served(endless, get)
    assert len(str(caught.value)) < 600


def test_nobody_there_is_a_connect_error() -> None:
    async def main() -> None:
        async with open_session() as session:
            await get(RestClient(session, "http://127.0.0.1:1/v1"))

    with pytest.raises(ConnectError, match="GET /x"):
        asyncio.run(main())


def test_an_address_that_is_none_after_all_is_an_invalid_request() -> None:
    async def main() -> None:
        async with open_session() as session:
            await get(RestClient(session, "http://localhost:80:80/v1"))

    with pytest.raises(InvalidRequestError, match="address for GET /x"):
        asyncio.run(main())


def test_whoever_proves_to_be_somebody_else_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    key = aiohttp.client_reqrep.ConnectionKey("host", 443, True, True, None, None, None)
    error = aiohttp.ClientConnectorCertificateError(key, ssl.SSLCertVerificationError("self-signed"))

    async def refuse(*_: Any, **__: Any) -> Any:
        raise error

    async def main() -> None:
        async with open_session() as session:
            monkeypatch.setattr(session, "_request", refuse)
            await get(RestClient(session, "https://host/v1"))

    with pytest.raises(CertificateError, match="self-signed"):
        asyncio.run(main())


def test_a_connection_that_breaks_is_lost(served: Served) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.abort()
        return response

    with pytest.raises(ConnectionLostError, match="POST /x"):
        served(handler, lambda api: api.call("POST", "/x"))


def slowly(*pieces: bytes) -> Any:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for piece in pieces:
            await asyncio.sleep(6.0)
            await response.write(piece)
        return response

    return handler


async def silent(request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(3600.0)
    return web.Response()


def test_silence_is_a_deadline_and_slowness_is_not(served: Served) -> None:
    with pytest.raises(DeadlineError, match=r"GET /x for 10 s"):
        served(silent, get)
    assert served(slowly(b'{"a"', b":", b"1", b"}"), get) == {"a": 1}


def test_a_deadline_of_the_caller_stays_the_callers(served: Served) -> None:
    async def use(api: RestClient) -> None:
        async with asyncio.timeout(1.0):
            await get(api)

    with pytest.raises(TimeoutError) as caught:
        served(silent, use)
    assert not isinstance(caught.value, DeadlineError)


def test_an_answer_is_read_as_it_comes(served: Served) -> None:
    async def use(api: RestClient) -> Any:
        async with api.stream("GET", "/x") as answer:
            lines = [line async for line in answer.lines()]
            return answer.status, answer.content_type, lines

    assert served(slowly(b"one\r", b"\ntw", b"o\rthree"), use) == (200, "text/event-stream", ["one", "two", "three"])


def test_events_come_one_by_one_and_whoever_reads_them_may_take_its_time(served: Served) -> None:
    async def use(api: RestClient) -> Any:
        found = []
        async with api.stream("GET", "/x") as answer:
            async for event in answer.events():
                found.append(event)
                await asyncio.sleep(20.0)
        return found

    handler = slowly(b"data: 1\n\ndata: 2\n\n", b"event: done\ndata: 3\n\ndata: cut off")
    assert served(handler, use) == [Event("1"), Event("2"), Event("3", "done")]


@pytest.mark.parametrize("moves", [0, 2])
def test_events_that_stop_coming_are_a_deadline(served: Served, moves: int) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(moves):
            await response.write(b"data: x\n\n")
        return await silent(request)

    found: list[Event] = []

    async def use(api: RestClient) -> None:
        async with api.stream("GET", "/x") as answer:
            async for event in answer.events():
                found.append(event)

    with pytest.raises(DeadlineError):
        served(handler, use)
    assert found == [Event("x")] * moves


def test_an_answer_can_be_left_in_the_middle(served: Served) -> None:
    async def use(api: RestClient) -> Any:
        async with api.stream("GET", "/x") as answer:
            return await anext(answer.lines())

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a\nb\n")
        return await silent(request)

    assert served(endless, use) == "a"


def test_what_the_reader_of_an_answer_raises_goes_through(served: Served, answering: Answering) -> None:
    async def use(api: RestClient) -> None:
        async with api.stream("GET", "/x"):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        served(answering(), use)


async def blocks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def flac(*pieces: bytes, size: int | None = None) -> Upload:
    return Upload(b"fLaC", blocks(*pieces), filename="dir of ä.x", size=size)


@pytest.mark.parametrize("size", [8, None])
def test_a_form_has_fields_and_the_recording(served: Served, size: int | None) -> None:
    parts: list[Any] = []
    lengths: list[bool] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        lengths.append(request.content_length is not None)
        async for part in await request.multipart():
            assert isinstance(part, aiohttp.BodyPartReader)
            parts.append((part.name, part.filename, bytes(await part.read())))
            kind = part.headers["Content-Type"]
        return web.json_response({"type": kind})

    async def use(api: RestClient) -> Any:
        fields = [("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment"), ("stream", True)]
        return await api.call("POST", "/x", Form(fields, flac(b"12", b"34", size=size)))

    assert served(handler, use) == {"type": "audio/flac"}
    assert parts == [
        ("timestamp_granularities[]", None, b"word"),
        ("timestamp_granularities[]", None, b"segment"),
        ("stream", None, b"true"),
        ("file", "dir_of_.flac", b"fLaC1234"),
    ]
    assert lengths == [size is not None]


@pytest.mark.parametrize("size", [8, None])
def test_a_recording_goes_alone(served: Served, size: int | None) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        said = {"type": request.content_type, "length": request.content_length, "body": (await request.read()).decode()}
        return web.json_response(said)

    async def use(api: RestClient) -> Any:
        return await api.call("POST", "/x", Raw(flac(b"1234", size=size)))

    assert served(handler, use) == {"type": "audio/flac", "length": size, "body": "fLaC1234"}


def test_an_upload_may_be_slow_for_reasons_of_its_own(served: Served) -> None:
    async def slow() -> AsyncIterator[bytes]:
        await asyncio.sleep(20.0)
        yield b"1"

    async def handler(request: web.BaseRequest) -> web.Response:
        return web.json_response({"bytes": len(await request.read())})

    async def use(api: RestClient) -> Any:
        return await api.call("POST", "/x", Raw(Upload(b"fLaC", slow(), filename="x")))

    assert served(handler, use) == {"bytes": 5}


def test_an_upload_that_nobody_reads_is_a_deadline(served: Served) -> None:
    async def use(api: RestClient) -> Any:
        many = blocks(*[bytes(65536)] * 400)
        return await api.call("POST", "/x", Raw(Upload(b"fLaC", many, filename="x")))

    with pytest.raises(DeadlineError):
        served(silent, use)


def test_after_an_upload_a_vendor_may_think(served: Served) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        await asyncio.sleep(20.0)
        return web.json_response({"heard": "you"})

    async def use(api: RestClient) -> Any:
        return await api.call("POST", "/x", Raw(flac(b"12")))

    assert served(handler, use, thinking=60.0) == {"heard": "you"}
    with pytest.raises(DeadlineError, match=r"for 15 s") as caught:
        served(handler, use, thinking=15.0)
    assert caught.value.seconds == 15.0
    with pytest.raises(DeadlineError, match=r"for 10 s"):
        served(silent, get, thinking=60.0)


def test_a_vendor_that_begins_its_answer_at_once_may_think_all_the_same(served: Served) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(20.0)
        await response.write(b"data: 1\n\n")
        return await silent(request)

    async def use(api: RestClient) -> None:
        async with api.stream("POST", "/x", Raw(flac(b"12"))) as answer:
            async for event in answer.events():
                found.append(event)

    found: list[Event] = []
    with pytest.raises(DeadlineError, match=r"for 10 s"):  # it was heard from after 20 s, and not again
        served(handler, use, thinking=60.0)
    assert found == [Event("1")]


def test_a_recording_that_cannot_be_read_is_what_is_told(served: Served) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"1"
        raise AudioSourceError("The disk is gone.")

    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response()

    async def use(api: RestClient) -> Any:
        return await api.call("POST", "/x", Form([], Upload(b"fLaC", broken(), filename="x")))

    with pytest.raises(AudioSourceError, match="The disk is gone"):
        served(handler, use)


def test_an_answer_before_the_upload_is_over_counts(served: Served, answering: Answering) -> None:
    stopped: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(1000)
                await asyncio.sleep(0.01)
        finally:
            stopped.append(True)

    async def use(api: RestClient) -> Any:
        source = endless()
        try:
            return await api.call("POST", "/x", Raw(Upload(b"fLaC", source, filename="x")))
        finally:
            await source.aclose()

    with pytest.raises(AuthenticationError):
        served(answering(401), use)
    assert stopped


def test_the_key_is_never_shown(served: Served, answering: Answering, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = Secret("canary-key-5d21").reveal()
    texts: list[str] = []

    async def use(api: RestClient) -> None:
        texts.append(repr(api))
        await get(api)

    for handler in (answering(401, f"Wrong: {key}".encode()), answering(500, b"?"), answering(200), silent):
        try:
            served(handler, use, headers={"Authorization": f"Bearer {key}"})
        except (AuthenticationError, ServiceUnavailableError, DeadlineError) as error:
            texts += [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    texts.append(caplog.text)
    assert len(texts) == 4 + 3 * 4 + 1
    assert [text for text in texts if key in text] == []


@pytest.mark.parametrize("upload", [False, True])
def test_cancelled_at_any_step_it_leaves_nothing(served: Served, upload: bool) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.json_response({})

    async def use(api: RestClient) -> int:
        there, servers = asyncio.all_tasks(), ("web_protocol", "_accept_connection")
        for steps in range(200):
            body = Raw(flac(b"12", b"34")) if upload else None
            task = asyncio.ensure_future(api.call("POST", "/x", body))
            for _ in range(steps):
                await asyncio.sleep(0)
            if task.done():
                return steps
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            left = asyncio.all_tasks() - there
            assert [task for task in left if not any(part in repr(task) for part in servers)] == []
        raise AssertionError("The call takes too many steps.")

    assert served(handler, use) > 5


def test_sessions_keep_no_cookies_and_no_deadlines() -> None:
    async def main() -> tuple[Any, Any]:
        async with open_session() as session:
            return session.cookie_jar, session.timeout

    jar, timeout = asyncio.run(main())
    assert isinstance(jar, aiohttp.DummyCookieJar)
    assert (timeout.total, timeout.sock_read) == (None, None)
