"""`Uploads`: pieces of audio to a server, and what it heard in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from debabelizer.audio.pcm import encode
from debabelizer.audio.utterances import Decoded
from debabelizer.audio.wav import header
from debabelizer.errors import InvalidRequestError, ProviderError
from debabelizer.rest import Fault, Form, RestClient, Sleep, Upload, any_failure, retrying
from debabelizer_openai.answers import Heard, read_body, read_events
from debabelizer_openai.faults import http_error
from debabelizer_openai.pieces import FORMAT
from debabelizer_openai.requests import form_fields, headers
from debabelizer_openai.settings import ServerSettings

if TYPE_CHECKING:
    import numpy as np
    from aiohttp import ClientSession
    from numpy.typing import NDArray

    from debabelizer.provider import Request

__all__ = ["Uploads"]

_HEAD: Final = 44  # bytes of the header of a WAV file
_BLOCK: Final = 65536


class Uploads:
    """Sends audio and reads answers. It is an `UtteranceDecoder` too, for streams that are cut into utterances.

    Args:
        session: Shared, and closed by whoever opened it.
        request: What is asked for.
        env: The environment variable of the key, if there must be one.
        sleep: For the pauses between tries.

    Raises:
        AuthenticationError: If there must be a key and is none.
        InvalidRequestError: If the server's address is not known.
    """

    def __init__(
        self, session: ClientSession, request: Request[Any], *, env: str | None, sleep: Sleep = asyncio.sleep
    ) -> None:
        settings: ServerSettings = request.settings
        if settings.base_url is None:
            raise InvalidRequestError(
                f"Provider {settings.provider!r} is not told where the server is.",
                provider=settings.provider,
                hint=f"Set base_url under [providers.{settings.provider}].",
            )
        self._flavour = settings.server
        self._fields = form_fields(request)
        self._sse = settings.row.sse
        self._sleep = sleep
        self._client = RestClient(
            session,
            settings.base_url,
            headers=headers(settings, env=env),
            fault=self._fault(env),
            request_id="x-request-id",
            patience=settings.timeout,
        )

    @property
    def longest(self) -> float:
        """Seconds of audio that fit into one upload."""
        return FORMAT.seconds(self._flavour.largest - _HEAD)

    async def hear(self, audio: bytes) -> Heard:
        """Send a piece, and send it again if that can help: what was heard is worth more than a second fee.

        Args:
            audio: Samples in `FORMAT`.

        Raises:
            ProviderError: If the server fails.
        """
        return await retrying(partial(self._hear, audio), again=any_failure, sleep=self._sleep)

    async def decode(self, samples: NDArray[np.float32]) -> Decoded:
        """See `UtteranceDecoder`."""
        heard = await self.hear(encode(samples.reshape(-1, 1), FORMAT.encoding))
        # A speaker's label holds within one recording: from one utterance to the next it means nothing.
        words = tuple(word for segment in heard.segments for word in segment.words)
        if len(words) != len(heard.text.split()):
            words = ()
        return Decoded(heard.text, words, heard.language)

    async def _hear(self, audio: bytes) -> Heard:
        upload = Upload(
            header(FORMAT, len(audio)), _blocks(audio), filename="audio.wav", size=_HEAD + len(audio)
        )  # the name counts: its suffix tells the format
        form = Form(self._fields, upload)
        async with self._client.stream("POST", self._flavour.path, form) as answer:
            if self._sse and answer.content_type == "text/event-stream":
                return await read_events(answer.events(), self._flavour)
            return read_body(await answer.read(), self._flavour)

    def _fault(self, env: str | None) -> Fault:
        title = self._flavour.title

        def fault(status: int, body: bytes, retry_after: float | None) -> ProviderError:
            return http_error(status, body, retry_after, title, env)

        return fault


async def _blocks(audio: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(audio), _BLOCK):
        yield audio[at : at + _BLOCK]
