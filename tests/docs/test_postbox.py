"""The provider that the page about writing one shows for a vendor with a REST API works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from support.postbox import PostboxProvider, Settings

from debabelizer import AudioSource, InvalidRequestError, ServiceUnavailableError, Transcript
from debabelizer.provider import Request
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.testing.coded import encode_words, wav

SPEC = ProviderSpec(
    name="postbox",
    summary="Takes letters.",
    api_version=1,
    capabilities=Capabilities(batch=True),
    settings="support.postbox:Settings",
    factory="support.postbox:PostboxProvider",
)
SPEECH = wav(encode_words(3))


class Postbox:
    """The vendor: fails with each of `statuses`, then answers. Keeps what it was sent."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.forms: list[list[Any]] = []

    async def answer(self, request: web.BaseRequest) -> web.Response:
        form = await request.post()
        files = {name: value.file.read() for name, value in form.items() if isinstance(value, web.FileField)}
        self.forms.append([(name, files.get(name, value)) for name, value in form.items()])
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), text="Closed.", headers={"X-Request-Id": "42"})
        return web.json_response({"text": "Dear Sir", "duration": 2.5})

    def transcribe(self, source: Any) -> Transcript:
        async def main() -> Transcript:
            runner = web.ServerRunner(web.Server(self.answer), shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            settings = Settings.model_validate({"api_key": "test-key", "api_url": url})
            provider = PostboxProvider(SPEC)
            try:
                request = Request(settings=settings, language_hints=("en", "es"))
                return await provider.transcribe(AudioSource.of(source), request, lambda progress: None)
            finally:
                await provider.aclose()
                await runner.cleanup()

        return asyncio.run(main())


def test_a_recording_is_sent_and_answered() -> None:
    box = Postbox()
    assert box.transcribe(SPEECH).text == "Dear Sir"
    assert box.forms == [[("model", "letters"), ("languages[]", "en"), ("languages[]", "es"), ("file", SPEECH)]]


def test_it_is_sent_again_if_that_can_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer.rest.tries._FIRST", 0.001)
    box = Postbox(503, 429)
    assert box.transcribe(SPEECH).text == "Dear Sir"
    assert len(box.forms) == 3
    assert box.forms[0] == box.forms[2]


def test_it_is_not_sent_again_if_that_cannot_help() -> None:
    box = Postbox(422)
    with pytest.raises(InvalidRequestError, match="Closed") as caught:
        box.transcribe(SPEECH)
    assert caught.value.request_id == "42"
    assert len(box.forms) == 1


def test_what_can_be_read_only_once_is_sent_once() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield SPEECH

    box = Postbox(503)
    with pytest.raises(ServiceUnavailableError):
        box.transcribe(chunks())
    assert len(box.forms) == 1
