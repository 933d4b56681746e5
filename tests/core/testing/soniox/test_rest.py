"""The file API, asked in plain HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from debabelizer.testing.coded import encode_words, plan_words, wav
from debabelizer.testing.soniox import Behaviour, RestFault, Script, SonioxSimulator

FILE = wav(encode_words(5))
TEXTS = [word.text for word in plan_words(5)]


class Api:
    def __init__(self, server: SonioxSimulator, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.server.api_url + path, **options) as response:
            return response.status, await response.json() if response.content_type == "application/json" else None

    async def upload(self, content: bytes = FILE, name: str = "talk.wav", **fields: str) -> tuple[int, Any]:
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        for field, value in fields.items():
            form.add_field(field, value)
        return await self.call("POST", "/files", data=form)

    async def transcription(self, **members: Any) -> str:
        _, file = await self.upload()
        status, created = await self.call(
            "POST", "/transcriptions", json={"model": "stt-async-v5", "file_id": file["id"], **members}
        )
        assert status == 201
        return str(created["id"])

    async def wait(self, transcription: str) -> Any:
        while True:
            status, body = await self.call("GET", f"/transcriptions/{transcription}")
            assert status == 200
            if body["status"] in ("completed", "error"):
                return body


@asynccontextmanager
async def api(*faults: RestFault, key: str = "test-key", **options: Any) -> AsyncIterator[Api]:
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        SonioxSimulator(rest_faults=faults, **options) as server,
        aiohttp.ClientSession(headers=headers) as session,
    ):
        yield Api(server, session)


class TestFiles:
    async def test_life_of_a_file(self) -> None:
        async with api() as client:
            status, file = await client.upload(client_reference_id="mine")
            assert status == 201
            assert (file["filename"], file["size"], file["client_reference_id"]) == ("talk.wav", len(FILE), "mine")
            assert await client.call("GET", f"/files/{file['id']}") == (200, file)
            assert await client.call("DELETE", f"/files/{file['id']}") == (204, None)
            status, error = await client.call("GET", f"/files/{file['id']}")
            assert (status, error["error_type"]) == (404, "file_not_found")
            assert client.server.rest.files == {}
            assert client.server.rest.count("DELETE /files/{id}") == 1

    async def test_pages(self) -> None:
        async with api() as client:
            ids = [(await client.upload())[1]["id"] for _ in range(5)]
            _, first = await client.call("GET", "/files?limit=3")
            _, second = await client.call("GET", f"/files?limit=3&cursor={first['next_page_cursor']}")
            assert [file["id"] for file in first["files"] + second["files"]] == ids
            assert second["next_page_cursor"] is None
            assert await client.call("GET", "/files/count") == (200, {"total": 5, "public_api": 5, "playground": 0})
            assert (await client.call("GET", "/files?limit=0"))[0] == 400
            assert (await client.call("GET", "/files?cursor=x"))[1]["error_type"] == "invalid_cursor"

    async def test_what_is_no_upload(self) -> None:
        async with api() as client:
            for options in ({"json": {}}, {"data": {"file": "no file"}}, {"data": _form(other=b"x")}):
                status, error = await client.call("POST", "/files", **options)
                assert (status, error["error_type"]) == (400, "invalid_request")
                assert error["validation_errors"][0]["location"] == "file"
            assert (await client.upload(client_reference_id="x" * 257))[0] == 400


def _form(**files: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, content in files.items():
        form.add_field(name, content, filename=name)
    return form


class TestTranscriptions:
    async def test_from_upload_to_deletion(self) -> None:
        async with api(behaviour=Behaviour(polls=2)) as client:
            name = await client.transcription(client_reference_id="mine")
            states = [(await client.call("GET", f"/transcriptions/{name}"))[1]["status"] for _ in range(3)]
            assert states == ["processing", "processing", "completed"]
            body = await client.wait(name)
            assert body["audio_duration_ms"] == 2270
            assert (body["filename"], body["client_reference_id"]) == ("talk.wav", "mine")
            _, transcript = await client.call("GET", f"/transcriptions/{name}/transcript")
            assert transcript["id"] == name
            assert transcript["text"].split() == TEXTS
            assert set(transcript["tokens"][0]) == {"text", "start_ms", "end_ms", "confidence"}
            assert await client.call("DELETE", f"/transcriptions/{name}") == (204, None)
            assert (await client.call("GET", f"/transcriptions/{name}"))[1]["error_type"] == "transcription_not_found"

    async def test_options(self) -> None:
        translation = {"type": "one_way", "target_language": "es"}
        members = {
            "enable_speaker_diarization": True,
            "enable_language_identification": True,
            "language_hints": ["en"],
            "translation": translation,
        }
        async with api() as client:
            name = await client.transcription(**members)
            body = await client.wait(name)
            assert body["enable_speaker_diarization"]
            assert body["language_hints"] == ["en"]
            _, transcript = await client.call("GET", f"/transcriptions/{name}/transcript")
            token = transcript["tokens"][0]
            assert (token["speaker"], token["language"], token["translation_status"]) == ("1", "en", "none")

    async def test_a_transcript_that_is_not_ready(self) -> None:
        async with api() as client:
            name = await client.transcription()
            status, error = await client.call("GET", f"/transcriptions/{name}/transcript")
            assert (status, error["error_type"]) == (409, "transcription_invalid_state")

    async def test_deletion_has_to_wait_for_the_work(self) -> None:
        async with api() as client:
            name = await client.transcription()
            await client.call("GET", f"/transcriptions/{name}")
            status, error = await client.call("DELETE", f"/transcriptions/{name}")
            assert (status, error["error_type"]) == (409, "transcription_invalid_state")
            assert (await client.call("DELETE", f"/transcriptions/{name}"))[0] == 204

    async def test_what_is_no_audio(self) -> None:
        async with api() as client:
            for content in (b"no", b"hello, this is text", b"RIFF"):
                _, file = await client.upload(content)
                _, created = await client.call(
                    "POST", "/transcriptions", json={"model": "stt-async-v5", "file_id": file["id"]}
                )
                body = await client.wait(created["id"])
                assert (body["status"], body["error_type"]) == ("error", "invalid_audio_file")

    async def test_compressed_audio_speaks_a_script(self) -> None:
        async with api(words=Script.of("hello there")) as client:
            _, file = await client.upload(b"fLaC" + bytes(32000), "talk.flac")
            _, created = await client.call(
                "POST", "/transcriptions", json={"model": "stt-async-v4", "file_id": file["id"]}
            )
            await client.wait(created["id"])
            _, transcript = await client.call("GET", f"/transcriptions/{created['id']}/transcript")
            assert transcript["text"] == "hello there"

    async def test_it_fetches_nothing(self) -> None:
        async with api() as client:
            _, created = await client.call(
                "POST", "/transcriptions", json={"model": "stt-async-v5", "audio_url": "https://example.com/a.mp3"}
            )
            assert created["filename"] == "a.mp3"
            assert (await client.wait(created["id"]))["error_type"] == "invalid_audio_url"

    @pytest.mark.parametrize(
        ("members", "status"),
        [
            ({"model": "stt-rt-v5"}, 400),
            ({"file_id": None}, 400),
            ({"audio_url": "https://example.com/a.mp3"}, 400),
            ({"file_id": "none"}, 404),
            ({"language_hints": ["xx"]}, 400),
        ],
    )
    async def test_what_is_refused(self, members: dict[str, Any], status: int) -> None:
        async with api() as client:
            _, file = await client.upload()
            payload = {"model": "stt-async-v5", "file_id": file["id"], **members}
            assert (await client.call("POST", "/transcriptions", json=payload))[0] == status
            assert client.server.rest.transcriptions == {}

    async def test_what_is_no_json(self) -> None:
        async with api() as client:
            for data in ("{", "[]"):
                headers = {"Content-Type": "application/json"}
                assert (await client.call("POST", "/transcriptions", data=data, headers=headers))[0] == 400

    async def test_list(self) -> None:
        async with api() as client:
            names = [await client.transcription() for _ in range(2)]
            _, page = await client.call("GET", "/transcriptions")
            assert [item["id"] for item in page["transcriptions"]] == names
            assert (await client.call("GET", "/transcriptions/count"))[1]["total"] == 2


class TestKeys:
    async def test_a_wrong_key(self) -> None:
        async with api(key="other") as client:
            status, error = await client.call("GET", "/files")
            assert (status, error["status_code"], error["error_type"]) == (401, 401, "unauthenticated")

    async def test_a_temporary_key_opens_a_stream_and_nothing_else(self, client: Any) -> None:
        async with api() as rest:
            payload = {"usage_type": "transcribe_websocket", "expires_in_seconds": 60, "single_use": True}
            status, issued = await rest.call("POST", "/auth/temporary-api-key", json=payload)
            assert status == 201
            assert issued["expires_at"].endswith("Z")
            key = issued["api_key"]
            assert (await client.transcribe(rest.server, 5, key=key)).finished
            assert (await client.transcribe(rest.server, 5, key=key)).messages[-1]["error_code"] == 401
            headers = {"Authorization": f"Bearer {key}"}
            assert (await rest.call("GET", "/files", headers=headers))[0] == 401

    @pytest.mark.parametrize(
        "members",
        [
            {"usage_type": "other"},
            {"expires_in_seconds": 0},
            {"expires_in_seconds": None},
            {"max_session_duration_seconds": 18001},
        ],
    )
    async def test_what_is_no_request_for_a_key(self, members: dict[str, Any]) -> None:
        payload = {"usage_type": "transcribe_websocket", "expires_in_seconds": 60, **members}
        async with api() as client:
            assert (await client.call("POST", "/auth/temporary-api-key", json=payload))[0] == 400

    async def test_models(self) -> None:
        async with api() as client:
            _, body = await client.call("GET", "/models")
            aliases = {model["id"]: model["aliased_model_id"] for model in body["models"]}
            assert aliases["stt-rt-v4"] == "stt-rt-v5"
            assert aliases["stt-async-v5"] is None


class TestFaults:
    async def test_a_status(self) -> None:
        async with api(RestFault(call="POST /files", status=429, error_type="limit_exceeded", retry_after=2)) as client:
            async with client.session.post(client.server.api_url + "/files") as response:
                assert (response.status, response.headers["Retry-After"]) == (429, "2")
                assert (await response.json())["error_type"] == "limit_exceeded"
            assert client.server.rest.files == {}
            assert (await client.upload())[0] == 201

    async def test_later_and_more_often(self) -> None:
        async with api(RestFault(call="GET /transcriptions/{id}", status=503, after=1, times=2)) as client:
            name = await client.transcription()
            statuses = [(await client.call("GET", f"/transcriptions/{name}"))[0] for _ in range(4)]
            assert statuses == [200, 503, 503, 200]
            assert [request.status for request in client.server.rest.gate.requests[2:]] == statuses

    async def test_the_work_may_be_done_all_the_same(self) -> None:
        async with api(RestFault(call="POST /files", status=500, done=True)) as client:
            assert (await client.upload())[0] == 500
            assert len(client.server.rest.files) == 1

    async def test_a_dropped_connection(self) -> None:
        async with api(RestFault(call="POST /files", status=0)) as client:
            with pytest.raises(aiohttp.ClientError):
                await client.upload()
            assert (await client.upload())[0] == 201

    async def test_an_answer_that_never_comes(self) -> None:
        async with api(RestFault(call="GET /files", status=None)) as client:
            with pytest.raises(TimeoutError):
                await client.call("GET", "/files", timeout=aiohttp.ClientTimeout(0.1))

    async def test_leaving_while_a_call_waits(self) -> None:
        async with api(RestFault(call="GET /files", status=None)) as client:
            call = asyncio.ensure_future(client.call("GET", "/files"))
            await asyncio.wait([call], timeout=0.05)
        await asyncio.wait([call])
        assert call.exception() is not None

    async def test_a_transcription_that_fails(self) -> None:
        async with api(RestFault(call="recognize", error_type="internal_error")) as client:
            body = await client.wait(await client.transcription())
            assert (body["status"], body["error_type"]) == ("error", "internal_error")
            assert (await client.wait(await client.transcription()))["status"] == "completed"

    async def test_more_can_be_planned(self) -> None:
        async with api() as client:
            client.server.rest.gate.add(RestFault(call="GET /models"))
            assert (await client.call("GET", "/models"))[0] == 503

    async def test_an_unknown_path(self) -> None:
        async with api() as client:
            assert (await client.call("GET", "/voices"))[0] == 404
