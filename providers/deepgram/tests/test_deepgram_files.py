"""Files: what is asked for, what is made of the answer, and what happens when Deepgram does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from debabelizer_deepgram.files import read_transcript, transcribe_file
from debabelizer_deepgram.reading import Node
from debabelizer_deepgram.simulator import DeepgramSimulator, Refusal

from debabelizer import (
    AudioFormat,
    DeadlineError,
    InvalidRequestError,
    Progress,
    ProtocolError,
    RateLimitedError,
    ServiceUnavailableError,
    Transcript,
    VoiceProcessor,
)
from debabelizer.audio.source import AudioSource
from debabelizer.rest import open_session
from debabelizer.testing.coded import compare, encode_words, plan_words, wav
from debabelizer.testing.script import CodedWords, SpokenWord

PLAN = plan_words(9, phrase=3, pause=1.2)
FILE = wav(encode_words(PLAN))


async def transcribed(server: DeepgramSimulator, audio: Any = FILE, **options: Any) -> Transcript:
    table = {"api_key": "test-key", "api_url": server.api_url, **options.pop("table", {})}
    async with VoiceProcessor({"stt": {"provider": "deepgram"}, "providers": {"deepgram": table}}) as processor:
        return await processor.transcribe(audio, **options)


def test_utterances_are_segments() -> None:
    async def main() -> tuple[Transcript, Any]:
        words = CodedWords(SpokenWord(f"Word{at}.", speaker="AB"[at // 6], language="en") for at in range(9))
        async with DeepgramSimulator(words) as server:
            return await transcribed(server, diarization=True), server.files.queries

    transcript, (query,) = asyncio.run(main())
    assert [segment.text for segment in transcript.segments] == [
        "Word0. Word1. Word2.",
        "Word3. Word4. Word5.",
        "Word6. Word7. Word8.",
    ]
    assert [segment.speaker for segment in transcript.segments] == ["0", "0", "1"]
    assert transcript.text == " ".join(segment.text for segment in transcript.segments)
    assert transcript.language == "en"
    assert transcript.audio_seconds == transcript.duration == pytest.approx(len(FILE) / 32000, abs=0.01)
    assert query.flag("utterances")
    assert query.get("interim_results") is None


def test_a_file_is_uploaded_as_it_is(tmp_path: Path) -> None:
    """Also one that the simulator cannot read: Deepgram says no, and is not asked again."""
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3" + bytes(2000))

    async def main() -> Any:
        async with DeepgramSimulator() as server:
            return await transcribed(server, path)

    assert asyncio.run(main()).text == ""


def test_raw_audio_gets_a_header() -> None:
    raw = AudioFormat("pcm_f32le", 8000)

    async def main() -> Transcript:
        async with DeepgramSimulator() as server:
            return await transcribed(server, encode_words(PLAN, raw), audio_format=raw)

    assert compare(PLAN, asyncio.run(main())).perfect


def test_progress_is_told_at_the_end() -> None:
    told: list[Progress] = []

    async def main() -> Transcript:
        async with DeepgramSimulator() as server:
            return await transcribed(server, on_progress=told.append)

    duration = asyncio.run(main()).duration
    assert told == [Progress(done=duration, total=duration)]


@pytest.mark.parametrize(
    ("refusal", "kind", "calls"),
    [
        (Refusal(400, "Bad Request"), InvalidRequestError, 1),
        (Refusal(429, "TOO_MANY_REQUESTS"), RateLimitedError, 4),
        (Refusal(503, "UNAVAILABLE", modern=True), ServiceUnavailableError, 4),
        (Refusal(504, "TIMEOUT"), ServiceUnavailableError, 4),
    ],
)
def test_a_refusal_is_repeated_only_if_that_can_help(
    make_nova_request: Callable[..., Any], refusal: Refusal, kind: type[Exception], calls: int
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def main() -> tuple[Any, int]:
        async with DeepgramSimulator(refusals=[refusal] * 9) as server, open_session() as session:
            audio = AudioSource.of(FILE)
            request = make_nova_request({"api_url": server.api_url})
            with pytest.raises(kind) as caught:
                await transcribe_file(session, audio, request, lambda _: None, sleep=sleep)
            return caught.value, len(server.files.queries)

    error, asked = asyncio.run(main())
    assert (asked, len(pauses)) == (calls, calls - 1)
    assert (error.code, error.request_id) == (refusal.code, "simulated-refusal")


def test_a_refusal_that_passes_is_waited_for(make_nova_request: Callable[..., Any]) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def main() -> Transcript:
        refusals = [Refusal(429, "TOO_MANY_REQUESTS", retry_after=7)]
        async with DeepgramSimulator(refusals=refusals) as server, open_session() as session:
            request = make_nova_request({"api_url": server.api_url})
            return await transcribe_file(session, AudioSource.of(FILE), request, lambda _: None, sleep=sleep)

    assert compare(PLAN, asyncio.run(main())).perfect
    assert pauses == [7.0]


def test_an_answer_that_does_not_come_is_bounded() -> None:
    async def never(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(60)
        raise AssertionError

    async def main() -> None:
        app = web.Application()
        app.add_routes([web.post("/v1/listen", never)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        try:
            table = {"api_key": "test-key", "api_url": f"http://{host}:{port}", "file_timeout": 0.2}
            config = {"stt": {"provider": "deepgram"}, "providers": {"deepgram": table}}
            async with VoiceProcessor(config) as processor:
                with pytest.raises(DeadlineError, match=r"0\.2 s"):
                    await processor.transcribe(FILE)
        finally:
            await runner.cleanup()

    asyncio.run(main())


def word(text: str, start: float, **members: Any) -> dict[str, Any]:
    return {"word": text, "start": start, "end": start + 0.5, "confidence": 0.5, **members}


def answer(**results: Any) -> Node:
    return Node({"metadata": {"duration": 3.0, "channels": 2}, "results": results})


def test_channels_are_told_apart_and_put_in_order() -> None:
    channels = [{"alternatives": [{"transcript": text}]} for text in ("Hello there.", "Good day.")]
    utterances = [
        {"start": 0.0, "end": 0.5, "channel": 0, "transcript": "Hello", "words": [word("Hello", 0.0)]},
        {"start": 2.0, "end": 2.5, "channel": 0, "transcript": "there.", "words": [word("there.", 2.0)]},
        {"start": 1.0, "end": 1.5, "channel": 1, "transcript": "Good day.", "words": [], "confidence": 0.25},
    ]
    transcript = read_transcript(answer(channels=channels, utterances=utterances))
    assert transcript.text == "Hello there.\nGood day."
    assert [(segment.text, segment.channel) for segment in transcript.segments] == [
        ("Hello", 0),
        ("Good day.", 1),
        ("there.", 0),
    ]
    assert [segment.confidence for segment in transcript.segments] == [0.5, 0.25, 0.5]
    assert transcript.audio_seconds == 6.0


@pytest.mark.parametrize(
    ("channel", "words", "language"),
    [
        ({"detected_language": "pt-BR"}, [], "pt"),
        ({}, [word("a", 0.0, language="es"), word("b", 1.0, language="en"), word("c", 2.0, language="en")], "en"),
        ({"alternatives": [{"transcript": "a", "languages": ["fr", "en"]}]}, [], "fr"),
        ({}, [], None),
    ],
)
def test_the_language(channel: dict[str, Any], words: list[Any], language: str | None) -> None:
    utterances = [{"start": 0.0, "end": 1.0, "transcript": "a b c", "words": words}]
    assert read_transcript(answer(channels=[channel], utterances=utterances)).language == language


def test_silence_has_no_segments() -> None:
    assert read_transcript(answer(channels=[{"alternatives": [{"transcript": "", "words": []}]}])) == Transcript(
        text="", duration=3.0, audio_seconds=3.0
    )


@pytest.mark.parametrize(
    "body",
    [
        {"results": []},
        {"results": {"channels": {}}},
        {"results": {"utterances": [{"start": -1.0}]}},
        {"metadata": {"duration": "3"}},
    ],
)
def test_what_is_no_answer_breaks_the_protocol(body: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        read_transcript(Node(body))
