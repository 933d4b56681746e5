"""`SonioxProvider`: streams through `SonioxDialect`, files through the REST API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Transcript
from debabelizer_soniox.settings import SonioxSettings

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from debabelizer.audio.format import AudioFormat
    from debabelizer.audio.source import AudioSource
    from debabelizer.spec import ProviderSpec
    from debabelizer_soniox.dialect import SonioxDialect

__all__ = ["SonioxProvider"]


class SonioxProvider(Provider[SonioxSettings]):
    """Soniox. See `Provider`."""

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self._session: ClientSession | None = None

    def dialect(self, request: Request[SonioxSettings], audio_format: AudioFormat) -> SonioxDialect:
        """See `Provider`."""
        from debabelizer_soniox.dialect import SonioxDialect

        return SonioxDialect(request, audio_format)

    async def transcribe(
        self, audio: AudioSource, request: Request[SonioxSettings], report: Callable[[Progress], None]
    ) -> Transcript:
        """See `Provider`. Imports aiohttp, which streams do without."""
        from debabelizer.rest import open_session
        from debabelizer_soniox.files import transcribe_file
        from debabelizer_soniox.rest import open_client

        if self._session is None:
            self._session = open_session()
        return await transcribe_file(open_client(self._session, request.settings), audio, request, report)

    async def aclose(self) -> None:
        """See `Provider`."""
        if self._session is not None:
            await self._session.close()
            self._session = None
