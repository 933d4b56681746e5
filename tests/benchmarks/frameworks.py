"""Rows that do more than raw clients: this project, the vendor's client, and two voice frameworks.

Each is used as its own documentation shows, and nothing is added to it.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from row import START, Heard, Row, Stream

__all__ = ["DebabelizerRow", "LivekitRow", "PipecatRow", "SdkRow"]


class _Debabelizer(Stream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def open(self) -> None:
        await self._stream.__aenter__()

    async def send(self, chunk: bytes) -> None:
        await self._stream.send_audio(chunk)

    async def end(self) -> None:
        await self._stream.end_audio()

    async def read(self, heard: Heard) -> None:
        async for result in self._stream:
            if result.text and (busy := heard(result.text, result.is_final)):
                await asyncio.sleep(busy)

    async def close(self) -> None:
        await self._stream.aclose()


class DebabelizerRow(Row):
    """This project."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import debabelizer_soniox  # noqa: F401

    async def start(self) -> None:
        from debabelizer import VoiceProcessor

        settings = {"api_key": "test-key", "websocket_url": self.url}
        config = {"providers": {"soniox": settings}, "stream": {"max_speed": 1e6}}  # benchmarks may run ahead of time
        self._processor = VoiceProcessor(config, provider="soniox")
        await self._processor.__aenter__()

    async def stop(self) -> None:
        await self._processor.__aexit__(None, None, None)

    def stream(self) -> Stream:
        return _Debabelizer(self._processor.transcribe_stream(endpointing=True))


class _Sdk(Stream):
    def __init__(self, client: Any, config: Any) -> None:
        self._session = client.realtime.stt.connect(config=config)

    async def open(self) -> None:
        await self._session.__aenter__()

    async def send(self, chunk: bytes) -> None:
        await self._session.send_byte_chunk(chunk)

    async def end(self) -> None:
        await self._session.finish()

    async def read(self, heard: Heard) -> None:
        async for event in self._session.receive_events():
            final = "".join(token.text for token in event.tokens if token.is_final and token.text[0] != "<")
            interim = "".join(token.text for token in event.tokens if not token.is_final)
            busy = heard(final, True) if final else 0.0
            if interim:
                busy += heard(interim, False)
            if busy:
                await asyncio.sleep(busy)
            if event.finished:
                return

    async def close(self) -> None:
        await self._session.close()


class SdkRow(Row):
    """The vendor's own client."""

    async def start(self) -> None:
        from soniox import AsyncSonioxClient
        from soniox.types.realtime import RealtimeSTTConfig

        self._client = AsyncSonioxClient(api_key="test-key", websocket_base_url=self.url)
        self._config = RealtimeSTTConfig(**json.loads(START))

    def stream(self) -> Stream:
        return _Sdk(self._client, self._config)


class _Livekit(Stream):
    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer

    async def open(self) -> None:
        from livekit import rtc

        self._stream = self._recognizer.stream()
        self._frame = rtc.AudioFrame

    async def send(self, chunk: bytes) -> None:
        self._stream.push_frame(self._frame(chunk, 16000, 1, len(chunk) // 2))

    async def end(self) -> None:
        self._stream.end_input()

    async def read(self, heard: Heard) -> None:
        from livekit.agents.stt import SpeechEventType

        kinds = {SpeechEventType.FINAL_TRANSCRIPT: True, SpeechEventType.INTERIM_TRANSCRIPT: False}
        async for event in self._stream:
            final = kinds.get(event.type)
            if final is not None and (busy := heard(event.alternatives[0].text, final)):
                await asyncio.sleep(busy)

    async def close(self) -> None:
        await self._stream.aclose()


class LivekitRow(Row):
    """The Soniox plugin of LiveKit Agents."""

    async def start(self) -> None:
        import logging

        from aiohttp import ClientSession, TCPConnector
        from livekit.plugins.soniox import STT, STTOptions

        logging.getLogger("livekit").setLevel(logging.CRITICAL)
        self._session = ClientSession(connector=TCPConnector(limit=0))
        options = STTOptions(enable_language_identification=True)
        self._recognizer = STT(api_key="test-key", base_url=self.url, http_session=self._session, params=options)

    async def stop(self) -> None:
        await self._session.close()

    def stream(self) -> Stream:
        return _Livekit(self._recognizer)


class _Pipecat(Stream):
    def __init__(self, url: str) -> None:
        self._url = url
        self._heard: Heard = lambda _text, _final: 0.0

    async def open(self) -> None:
        from pipecat.frames.frames import Frame, InterimTranscriptionFrame, TranscriptionFrame
        from pipecat.pipeline.pipeline import Pipeline
        from pipecat.pipeline.worker import PipelineParams, PipelineWorker
        from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
        from pipecat.services.soniox.stt import SonioxSTTService
        from pipecat.workers.runner import WorkerRunner

        outer = self

        class Sink(FrameProcessor):  # type: ignore[misc]
            async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
                await super().process_frame(frame, direction)
                if isinstance(frame, (TranscriptionFrame, InterimTranscriptionFrame)):
                    busy = outer._heard(frame.text, isinstance(frame, TranscriptionFrame))
                    if busy:
                        await asyncio.sleep(busy)
                await self.push_frame(frame, direction)

        service = SonioxSTTService(api_key="test-key", url=self._url, sample_rate=16000, vad_force_turn_endpoint=False)
        params = PipelineParams(audio_in_sample_rate=16000)
        self._worker = PipelineWorker(
            Pipeline([service, Sink()]), params=params, enable_rtvi=False, cancel_on_idle_timeout=False
        )
        started = asyncio.Event()
        self._worker.event_handler("on_pipeline_started")(lambda *_: started.set())
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self._worker)
        self._running = asyncio.create_task(runner.run())
        await asyncio.wait_for(started.wait(), 60)

    async def send(self, chunk: bytes) -> None:
        from pipecat.frames.frames import InputAudioRawFrame

        await self._worker.queue_frame(InputAudioRawFrame(audio=chunk, sample_rate=16000, num_channels=1))

    async def end(self) -> None:
        from pipecat.frames.frames import EndFrame

        await self._worker.queue_frame(EndFrame())

    async def read(self, heard: Heard) -> None:
        self._heard = heard
        await asyncio.wait([self._running])

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])


class PipecatRow(Row):
    """The Soniox service of Pipecat, in a pipeline of nothing else."""

    async def start(self) -> None:
        from loguru import logger
        from pipecat.services.soniox import stt  # noqa: F401

        logger.remove()

    def stream(self) -> Stream:
        return _Pipecat(self.url)
