"""The vendor's own SDK as an independent witness that the simulator speaks the protocol."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from soniox import AsyncSonioxClient, SonioxClient
from soniox.errors import SonioxAuthenticationError, SonioxConflictError, SonioxNotFoundError
from soniox.types import (
    CreateTranscriptionConfig,
    RealtimeEvent,
    RealtimeSTTConfig,
    StructuredContext,
    Token,
    TranslationConfig,
)

from debabelizer.testing.coded import compare, encode_words, wav
from debabelizer.testing.soniox import CodedWords, Fault, SonioxSimulator, SpokenWord

WORDS = 30
AUDIO = encode_words(WORDS)
CHUNK = 3840
CONFIG = RealtimeSTTConfig(model="stt-rt-v5", audio_format="pcm_s16le", sample_rate=16000, num_channels=1)


def async_client(server: SonioxSimulator, key: str = "test-key") -> AsyncSonioxClient:
    return AsyncSonioxClient(api_key=key, api_base_url=server.api_url, websocket_base_url=server.url)


def sync_client(server: SonioxSimulator, key: str = "test-key") -> SonioxClient:
    return SonioxClient(api_key=key, api_base_url=server.api_url, websocket_base_url=server.url)


def chunks(audio: bytes = AUDIO) -> Iterator[bytes]:
    return (audio[at : at + CHUNK] for at in range(0, len(audio), CHUNK))


def finals(events: list[RealtimeEvent]) -> list[Token]:
    return [token for event in events for token in event.tokens if token.is_final]


def text(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


async def transcribe(
    server: SonioxSimulator, config: RealtimeSTTConfig = CONFIG, audio: bytes = AUDIO
) -> list[RealtimeEvent]:
    client = async_client(server)
    async with client.realtime.stt.connect(config=config) as session:

        async def send() -> None:
            for chunk in chunks(audio):
                await session.send_byte_chunk(chunk)
            await session.finish()

        sending = asyncio.ensure_future(send())
        events = [event async for event in session.receive_events()]
        await sending
    await client.aclose()
    return events


class TestRealtime:
    async def test_a_session(self) -> None:
        async with SonioxSimulator() as server:
            events = await transcribe(server)
        assert compare(WORDS, text(finals(events))).perfect
        assert events[-1].finished
        assert events[-1].final_audio_proc_ms == events[-1].total_audio_proc_ms
        assert all(token.start_ms is not None and token.confidence is not None for token in finals(events))
        assert server.connections[0].authenticated_by == "header"

    async def test_every_option(self) -> None:
        config = CONFIG.model_copy(
            update={
                "language_hints": ["en", "es"],
                "language_hints_strict": True,
                "enable_speaker_diarization": True,
                "enable_language_identification": True,
                "enable_endpoint_detection": True,
                "max_endpoint_delay_ms": 700,
                "endpoint_sensitivity": 0.5,
                "endpoint_latency_adjustment_level": 2,
                "context": StructuredContext(general={"domain": "health"}, terms=["Zyrtec"]),
                "translation": TranslationConfig(type="one_way", target_language="es"),
                "client_reference_id": "mine",
            }
        )
        words = CodedWords([SpokenWord("yes", speaker="A", translation="sí"), SpokenWord("no", speaker="B")])
        async with SonioxSimulator(words) as server:
            events = await transcribe(server, config, encode_words(2, tail=3.0))
        tokens = finals(events)
        spoken = [token for token in tokens if token.translation_status in ("original", "none")]
        assert [(token.text, token.speaker, token.language) for token in spoken] == [
            ("yes", "1", "en"),
            (" no", "2", "en"),
        ]
        (translated,) = [token for token in tokens if token.translation_status == "translation"]
        assert (translated.text, translated.language, translated.source_language) == (" sí", "es", "en")
        assert tokens[-1].text == "<end>"

    async def test_finalize_and_keepalive(self) -> None:
        async with SonioxSimulator() as server:
            client = async_client(server)
            async with client.realtime.stt.connect(config=CONFIG) as session:
                await session.send_byte_chunk(AUDIO)
                await session.pause()  # finalizes, then keeps the session up
                events = []
                while "<fin>" not in text(finals(events)):
                    event = await session.receive_event()
                    assert event is not None
                    events.append(event)
                await session.keep_alive()
                await session.resume()
                await session.finish()
                events += [event async for event in session.receive_events()]
            await client.aclose()
            assert server.connections[0].count("keepalive") == 1
        assert compare(WORDS, text(finals(events)).replace("<fin>", "")).perfect

    async def test_a_wav_file_found_out_from_its_header(self) -> None:
        async with SonioxSimulator() as server:
            events = await transcribe(server, RealtimeSTTConfig(model="stt-rt-v5"), wav(AUDIO))
        assert compare(WORDS, text(finals(events))).perfect

    @pytest.mark.parametrize(("which", "code"), [(503, 503), ("temp_api_key_session_expired", 403)])
    async def test_an_error(self, which: int | str, code: int) -> None:
        async with SonioxSimulator(faults=[Fault.error(which, at="end", message="Planned.")]) as server:
            events = await transcribe(server)
        assert (events[-1].error_code, events[-1].error_message) == (code, "Planned.")

    async def test_the_sdk_ends_silently_when_the_connection_is_lost(self) -> None:
        """What this whole framework is about."""
        async with SonioxSimulator(faults=[Fault.close(1011, "end")]) as server:
            events = await transcribe(server)
        assert not events[-1].finished
        assert compare(WORDS, text(finals(events))).lost

    # The SDK's own use of websockets, which nobody here can change.
    @pytest.mark.filterwarnings(r"ignore:connect\(\) must be used as a context manager:DeprecationWarning")
    async def test_the_synchronous_client(self) -> None:
        async with SonioxSimulator() as server:
            events = await asyncio.to_thread(_transcribe_in_thread, server)
        assert compare(WORDS, text(finals(events))).perfect
        assert events[-1].finished

    async def test_a_temporary_key(self) -> None:
        async with SonioxSimulator() as server:
            client = async_client(server)
            key = await client.auth.create_temporary_api_key(single_use=True)
            async with client.realtime.stt.connect(config=CONFIG, api_key=key.api_key) as session:
                await session.send_byte_chunk(AUDIO)
                await session.finish()
                events = [event async for event in session.receive_events()]
            await client.aclose()
        assert events[-1].finished


def _transcribe_in_thread(server: SonioxSimulator) -> list[RealtimeEvent]:
    client = sync_client(server)
    with client.realtime.stt.connect(config=CONFIG) as session:

        def send() -> None:
            session.send_bytes(chunks())

        thread = threading.Thread(target=send)
        thread.start()
        events = list(session.receive_events())
        thread.join()
    client.close()
    return events


class TestFiles:
    async def test_from_upload_to_deletion(self, tmp_path: Path) -> None:
        path = tmp_path / "talk.wav"
        path.write_bytes(wav(AUDIO))
        async with SonioxSimulator() as server:
            client = async_client(server)
            file = await client.files.upload(path, client_reference_id="mine")
            assert (await client.files.get(file.id)).size == path.stat().st_size
            job = await client.stt.create(file_id=file.id, config=CreateTranscriptionConfig(language_hints=["en"]))
            with pytest.raises(SonioxConflictError):
                await client.stt.get_transcript(job.id)
            job = await client.stt.wait(job.id, interval_sec=0.0)
            assert job.status == "completed"
            transcript = await client.stt.get_transcript(job.id)
            assert compare(WORDS, transcript.text).perfect
            assert [item.id for item in (await client.stt.list()).transcriptions] == [job.id]
            assert (await client.files.count()).total == 1
            await client.stt.delete(job.id)
            await client.files.delete(file.id)
            assert await client.files.get_or_none(file.id) is None
            with pytest.raises(SonioxNotFoundError):
                await client.stt.get(job.id)
            await client.aclose()
            assert server.rest.files == server.rest.transcriptions == {}

    async def test_in_one_call(self) -> None:
        async with SonioxSimulator() as server:
            client = sync_client(server)
            transcript = await asyncio.to_thread(
                client.stt.transcribe_and_wait_with_tokens,
                file=wav(AUDIO),
                delete_after=True,
                wait_interval_sec=0.0,
            )
            assert compare(WORDS, transcript.text).perfect
            assert {model.id for model in (await asyncio.to_thread(client.models.list)).models} >= {"stt-async-v5"}
            client.close()
            assert server.rest.files == server.rest.transcriptions == {}

    async def test_a_wrong_key(self) -> None:
        async with SonioxSimulator() as server:
            client = async_client(server, "other")
            with pytest.raises(SonioxAuthenticationError):
                await client.files.list()
            await client.aclose()
