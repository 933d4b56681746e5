"""OpenAI's own SDK completes its calls against the simulator: an independent witness of the protocol."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import pytest
from debabelizer_openai.simulator import OpenAISimulator

from debabelizer import AudioFormat
from debabelizer.testing.coded import encode_words, plan_words, wav

openai = pytest.importorskip("openai")

PLAN = plan_words(9, phrase=3, pause=1.0)
TEXT = " ".join(word.text for word in PLAN)
WIRE = AudioFormat("pcm_s16le", 24000)


def client(server: OpenAISimulator) -> openai.AsyncOpenAI:
    streams = server.base_url.replace("http", "ws", 1)
    return openai.AsyncOpenAI(
        api_key="test-key", base_url=server.base_url, websocket_base_url=streams, max_retries=0, timeout=10.0
    )


def test_recordings() -> None:
    async def main() -> None:
        async with OpenAISimulator() as server, client(server) as api:
            file = ("audio.wav", wav(encode_words(PLAN)))
            plain = await api.audio.transcriptions.create(model="gpt-transcribe", file=file)
            assert plain.text == TEXT
            assert [language.code for language in plain.languages or ()] == ["en"]
            timed = await api.audio.transcriptions.create(
                model="whisper-1", file=file, response_format="verbose_json", timestamp_granularities=["word"]
            )
            assert [word.word for word in timed.words or ()] == TEXT.split()
            diarized = await api.audio.transcriptions.create(
                model="gpt-4o-transcribe-diarize", file=file, response_format="diarized_json", chunking_strategy="auto"
            )
            assert [segment.speaker for segment in diarized.segments][:2] == ["A", "B"]

    asyncio.run(main())


def test_recordings_as_a_stream() -> None:
    async def main() -> None:
        async with OpenAISimulator() as server, client(server) as api:
            file = ("audio.wav", wav(encode_words(PLAN)))
            events = [
                event
                async for event in await api.audio.transcriptions.create(
                    model="gpt-transcribe", file=file, stream=True, keywords=["word0"], languages=["en"]
                )
            ]
            assert "".join(event.delta for event in events[:-1]).split() == TEXT.split()
            assert (events[-1].type, events[-1].text) == ("transcript.text.done", TEXT)
            (upload,) = server.log.uploads
            assert (upload.one("keywords[]"), upload.one("languages[]")) == ("word0", "en")  # as we spell them

    asyncio.run(main())


def test_a_wrong_key() -> None:
    async def main() -> None:
        async with OpenAISimulator() as server, client(server) as api:
            with pytest.raises(openai.AuthenticationError):
                await api.with_options(api_key="wrong-test-key").audio.transcriptions.create(
                    model="gpt-transcribe", file=("audio.wav", wav(encode_words(1)))
                )

    asyncio.run(main())


def test_a_realtime_session() -> None:
    async def main() -> None:
        async with (
            OpenAISimulator() as server,
            client(server) as api,
            api.realtime.connect(extra_query={"intent": "transcription"}) as connection,
            asyncio.timeout(20),
        ):
            heard: list[str] = []
            assert (await connection.recv()).type == "session.created"
            heard_of = {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "gpt-transcribe"},
                "turn_detection": {"type": "server_vad"},
            }
            await connection.session.update(session={"type": "transcription", "audio": {"input": heard_of}})
            assert (await connection.recv()).type == "session.updated"
            audio = encode_words(PLAN, WIRE, tail=1.0)
            for at in range(0, len(audio), 9600):
                await connection.input_audio_buffer.append(audio=b64encode(audio[at : at + 9600]).decode())
            while len(heard) < 3:
                event = await connection.recv()
                if event.type == "conversation.item.input_audio_transcription.completed":
                    heard.append(event.transcript)
                    assert [language.code for language in event.languages or ()] == ["en"]
            assert heard == ["word0 word1 word2", "word3 word4 word5", "word6 word7 word8"]

    asyncio.run(main())
