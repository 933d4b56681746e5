"""The provider that docs/writing-a-provider.md shows for a vendor with a REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from debabelizer.config import ApiUrl, ProviderSettings, Secret, usable_key
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Transcript
from debabelizer.spec import ProviderSpec

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from debabelizer.audio.source import AudioSource


class Settings(ProviderSettings):
    """Settings of provider `postbox`."""

    api_key: Secret | None = None
    """The key; by default from the environment variable `POSTBOX_API_KEY`."""

    insecure: bool = False
    """Allow `http://` to other machines: the key and the audio then travel in the clear."""

    api_url: ApiUrl = "https://api.postbox.example/v1"
    """Base address of the REST API."""

    model: str = "letters"
    """Which model to use."""


class PostboxProvider(Provider[Settings]):
    """See `Provider`."""

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self._session: ClientSession | None = None

    async def transcribe(
        self, audio: AudioSource, request: Request[Settings], report: Callable[[Progress], None]
    ) -> Transcript:
        """See `Provider`."""
        from debabelizer.rest import Form, RestClient, open_session, prepared, retrying

        settings = request.settings
        self._session = self._session or open_session()
        key = usable_key(settings.api_key, provider="postbox", env="POSTBOX_API_KEY")
        headers = {"Authorization": f"Bearer {key}"}
        api = RestClient(self._session, settings.api_url, headers=headers, request_id="X-Request-Id")

        async def send() -> Mapping[str, Any]:
            async with prepared(audio, accepts={"flac", "mp3", "wav"}, largest=25_000_000) as recording:
                fields = [("model", settings.model), *(("languages[]", code) for code in request.language_hints)]
                return await api.call("POST", "/transcriptions", Form(fields, recording))

        answer = await retrying(send, tries=1 if audio.comes_once else 4)
        report(Progress(done=answer["duration"], total=answer["duration"]))
        return Transcript(text=answer["text"], duration=answer["duration"], audio_seconds=answer["duration"])

    async def aclose(self) -> None:
        """See `Provider`."""
        if self._session is not None:
            await self._session.close()
