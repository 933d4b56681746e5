"""`DeepgramProvider`: Nova, for streams and files; `FluxProvider`: Flux, for streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Transcript
from debabelizer_deepgram.settings import DeepgramSettings, FluxSettings

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from debabelizer.audio.format import AudioFormat
    from debabelizer.audio.source import AudioSource
    from debabelizer.spec import ProviderSpec
    from debabelizer_deepgram.dialect import DeepgramDialect
    from debabelizer_deepgram.flux import FluxDialect

__all__ = ["DeepgramProvider", "FluxProvider"]


class DeepgramProvider(Provider[DeepgramSettings]):
    """Deepgram's Nova models. See `Provider`."""

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self._session: ClientSession | None = None

    def dialect(self, request: Request[DeepgramSettings], audio_format: AudioFormat) -> DeepgramDialect:
        """See `Provider`."""
        from debabelizer_deepgram.dialect import DeepgramDialect

        return DeepgramDialect(request, audio_format)

    async def transcribe(
        self, audio: AudioSource, request: Request[DeepgramSettings], report: Callable[[Progress], None]
    ) -> Transcript:
        """See `Provider`. Imports aiohttp, which streams do without."""
        from debabelizer.rest import open_session
        from debabelizer_deepgram.files import transcribe_file

        if self._session is None:
            self._session = open_session()
        return await transcribe_file(self._session, audio, request, report)

    async def aclose(self) -> None:
        """See `Provider`."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class FluxProvider(Provider[FluxSettings]):
    """Deepgram's Flux models. See `Provider`."""

    def dialect(self, request: Request[FluxSettings], audio_format: AudioFormat) -> FluxDialect:
        """See `Provider`."""
        from debabelizer_deepgram.flux import FluxDialect

        return FluxDialect(request, audio_format)
