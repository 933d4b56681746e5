"""Whole recordings: upload, start the transcription, wait for it, fetch it, and delete everything again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from debabelizer.errors import DeadlineError
from debabelizer.provider import Request
from debabelizer.rest import Form, Json, RestClient, Sleep, any_failure, prepared, retrying
from debabelizer.results import Progress, Transcript
from debabelizer_soniox.faults import provider_error
from debabelizer_soniox.leftovers import Leftovers, item_path
from debabelizer_soniox.messages import parse_job
from debabelizer_soniox.requests import file_request
from debabelizer_soniox.rest import CONTAINERS, LARGEST_FILE
from debabelizer_soniox.settings import SonioxSettings
from debabelizer_soniox.transcripts import read_transcript

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["transcribe_file"]

_FIRST_PAUSE: Final = 0.5  # seconds before the second look at a transcription; each is half as long again
_LONGEST_PAUSE: Final = 5.0
_LOOKS: Final = 6  # that may fail in a row before the transcription is given up


async def transcribe_file(
    api: RestClient,
    audio: AudioSource,
    request: Request[SonioxSettings],
    report: Callable[[Progress], None],
    *,
    sleep: Sleep = asyncio.sleep,
) -> Transcript:
    """Transcribe a recording; at the end nothing of it is left at Soniox, however it ends.

    Raises:
        AudioError: If it cannot be read.
        ProviderError: If Soniox fails.
    """
    file_request(request, "")  # what cannot be asked for is found before the upload
    async with Leftovers(api, sleep) as leftovers:
        async with prepared(audio, accepts=CONTAINERS, largest=LARGEST_FILE) as upload:
            uploading = api.call("POST", "/files", Form([("client_reference_id", leftovers.mark)], upload))
            file_id = await leftovers.create("files", uploading, lambda: not upload.complete)
        starting = api.call("POST", "/transcriptions", Json(file_request(request, file_id)))
        job = _Job(api, await leftovers.create("transcriptions", starting), sleep)
        duration = await job.completed(request.settings.file_timeout)
        transcript = await read_transcript(await job.look("/transcript"), duration)
    report(Progress(done=transcript.duration, total=transcript.duration))
    return transcript


class _Job:
    """A transcription at work."""

    def __init__(self, api: RestClient, identifier: str, sleep: Sleep) -> None:
        self._api = api
        self._path = item_path("transcriptions", identifier)
        self._sleep = sleep

    async def completed(self, timeout: float) -> float | None:
        """Wait until it is completed. Returns seconds of audio, if Soniox says how many."""
        waited, pause = 0.0, _FIRST_PAUSE
        while True:
            job = parse_job(await self.look())
            if job.fault is not None:
                raise provider_error(job.fault)
            if job.status == "completed":
                return job.duration
            if waited >= timeout:
                message = f"Soniox did not transcribe the file within {timeout:g} s."
                raise DeadlineError(message, seconds=timeout, hint="The setting file_timeout allows for more.")
            await self._sleep(pause)
            waited += pause
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    async def look(self, part: str = "") -> Mapping[str, Any]:
        """Fetch its state, or a part of it. Looking changes nothing, so a failed look is repeated a few times."""
        call = partial(self._api.call, "GET", self._path + part)
        return await retrying(call, tries=_LOOKS, again=any_failure, sleep=self._sleep)
