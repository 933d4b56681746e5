"""The providers: OpenAI, servers that take recordings, and vLLM's streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Transcript
from debabelizer.streaming.connection import Connection, Link
from debabelizer_openai.settings import ServerSettings, VllmRealtimeSettings

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from debabelizer.audio.format import AudioFormat
    from debabelizer.audio.source import AudioSource
    from debabelizer.audio.utterances import UtteranceDecoder
    from debabelizer.spec import ProviderSpec
    from debabelizer.streaming.dialect import Dialect
    from debabelizer_openai.dialect import RealtimeDialect
    from debabelizer_openai.upload import Uploads
    from debabelizer_openai.vllm import VllmDialect

__all__ = ["OpenAIProvider", "ServerProvider", "VllmRealtimeProvider"]


class ServerProvider(Provider[Any]):
    """A server that takes recordings; which one, its settings say. See `Provider`."""

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self._session: ClientSession | None = None

    async def transcribe(
        self, audio: AudioSource, request: Request[Any], report: Callable[[Progress], None]
    ) -> Transcript:
        """See `Provider`. Imports aiohttp and numpy, which streams of OpenAI do without."""
        from debabelizer_openai.files import transcribe_file

        settings: ServerSettings = request.settings
        uploads = self._uploads(request)
        longest = min(settings.longest_piece or settings.row.piece, uploads.longest)
        return await transcribe_file(uploads, audio, report, longest=longest, parallel=settings.parallel)

    def decoder(self, request: Request[Any]) -> UtteranceDecoder:
        """See `Provider`. An utterance is sent as it is: it was cut at pauses already."""
        return self._uploads(request)

    async def aclose(self) -> None:
        """See `Provider`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _uploads(self, request: Request[Any]) -> Uploads:
        from debabelizer.rest import open_session
        from debabelizer_openai.upload import Uploads

        env = required_key(self.spec)
        if self._session is None:
            self._session = open_session()
        return Uploads(self._session, request, env=env)


class OpenAIProvider(ServerProvider):
    """OpenAI: recordings as any server, streams over the Realtime API. See `Provider`."""

    def dialect(self, request: Request[Any], audio_format: AudioFormat) -> RealtimeDialect:
        """See `Provider`."""
        from debabelizer_openai.dialect import RealtimeDialect

        return RealtimeDialect(request, audio_format, env=required_key(self.spec))

    def connection(self, request: Request[Any], audio_format: AudioFormat) -> Connection:
        """See `Provider`."""
        from debabelizer_openai.requests import hears_pauses

        if not hears_pauses(request.settings):
            return super().connection(request, audio_format)
        return _Prepared(partial(self.dialect, request, audio_format))


class VllmRealtimeProvider(Provider[VllmRealtimeSettings]):
    """vLLM's streams. See `Provider`."""

    def dialect(self, request: Request[VllmRealtimeSettings], audio_format: AudioFormat) -> VllmDialect:
        """See `Provider`."""
        from debabelizer_openai.vllm import VllmDialect

        return VllmDialect(request, audio_format)

    def connection(self, request: Request[VllmRealtimeSettings], audio_format: AudioFormat) -> Connection:
        """See `Provider`."""
        return _Prepared(partial(self.dialect, request, audio_format))


class _Prepared(Connection):
    """A connection whose dialect loads a detector: up to 0.2 s, for which the event loop must not stand still."""

    def __init__(self, make: Callable[[], Dialect]) -> None:
        self._make = make

    async def run(self, link: Link) -> None:
        """See `Connection`."""
        from debabelizer.streaming.websocket import WebSocketConnection

        dialect = await asyncio.to_thread(self._make)
        await WebSocketConnection(dialect).run(link)


def required_key(spec: ProviderSpec) -> str | None:
    """The environment variable of the key, if there must be one."""
    return next((secret.env for secret in spec.secrets if secret.key == "api_key" and secret.required), None)
