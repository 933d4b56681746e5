"""`Upload`: a recording on its way to Soniox, never whole in memory; and the `Watch` that sees whether it moves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from aiohttp import MultipartWriter
from aiohttp.payload import AsyncIterablePayload, StringPayload

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.wav import header
from debabelizer.errors import AudioSourceError, DebabelizerError, InvalidRequestError

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["LARGEST_FILE", "Upload", "Watch", "is_container", "prepared"]

LARGEST_FILE: Final = 1024**3
"""Most bytes that Soniox takes in one file."""

_BLOCK: Final = 65536
_DECODED: Final = AudioFormat()  # 16 kHz mono: the 300 min that a file may last are 576 MB


class Watch:
    """A deadline that moves on as long as something moves. An asynchronous context manager.

    `asyncio.timeout` bounds the whole; an upload may take as long as it wants if only it goes on. Waiting for our
    own source does not count: that is not Soniox being slow.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._timeout = asyncio.timeout(patience)
        self._is_on = True

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_on = False
        await self._timeout.__aexit__(exc_type, exc, traceback)

    @property
    def expired(self) -> bool:
        """Whether nothing moved for too long."""
        return self._timeout.expired()

    def touch(self) -> None:
        """Something moved."""
        self._reschedule(asyncio.get_running_loop().time() + self._patience)

    def pause(self) -> None:
        """What is waited for now is our own affair, up to the next `touch`."""
        self._reschedule(None)

    def _reschedule(self, when: float | None) -> None:
        if self._is_on and not self.expired:  # aiohttp's writer may outlive the call by a step of the event loop
            self._timeout.reschedule(when)


class Upload:
    """The bytes of one file. `prepared` makes it.

    Attributes:
        filename: What Soniox is to call it.
        mark: Sent along as its reference, by which it can be found again.
        complete: Whether all of it was handed over; before that, Soniox cannot have made a file of it.
        error: Why it could not be read, if it could not.
    """

    def __init__(
        self, head: bytes, blocks: AsyncIterator[bytes], *, filename: str, mark: str, size: int | None = None
    ) -> None:
        self.filename = filename
        self.mark = mark
        self.complete = False
        self.error: DebabelizerError | None = None
        self._head = head
        self._blocks = blocks
        self._size = size
        self._count = 0
        self._watch: Watch | None = None

    def form(self, watch: Watch) -> MultipartWriter:
        """The form to send; `watch` is told how it goes on."""
        self._watch = watch
        form = MultipartWriter("form-data")
        mark = form.append_payload(StringPayload(self.mark))
        mark.set_content_disposition("form-data", name="client_reference_id")
        file = form.append_payload(_File(self, self._size))
        # How other letters are to be written in this header is a matter of dispute; the name is gone in a minute.
        filename = re.sub(r"[^\w.-]+", "_", self.filename, flags=re.ASCII)
        file.set_content_disposition("form-data", name="file", filename=filename)
        return form

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._watch is not None:
            self._watch.pause()
        try:
            block = await self._next()
        except DebabelizerError as error:
            self.error = error  # aiohttp will make a connection error of it
            raise
        finally:
            if self._watch is not None:
                self._watch.touch()
        if not block:
            self.complete = True
            raise StopAsyncIteration
        return block

    async def _next(self) -> bytes:
        block, self._head = self._head, b""
        if not block:
            block = await anext(self._blocks, b"")
        self._count += len(block)
        if self._count > LARGEST_FILE:
            raise InvalidRequestError(
                f"{self.filename} has more than {LARGEST_FILE} bytes, the most that Soniox takes.",
                provider="soniox",
                hint="Give the path of the file: then only its sound is uploaded.",
            )
        if self._size is not None and (self._count > self._size or (not block and self._count < self._size)):
            raise AudioSourceError(f"{self.filename} changed while it was uploaded.", source=self.filename)
        return block


@asynccontextmanager
async def prepared(audio: AudioSource, mark: str) -> AsyncIterator[Upload]:
    """A recording, ready to be uploaded: as it is if Soniox can read that, else decoded to a WAV file.

    Decoded are files in another container, and files that are too large, which are mostly video. What can be read
    only once is sent as it is. Audio without a header gets one from its source.

    Raises:
        AudioError: If it cannot be read, or not be decoded.
    """
    async with audio.original(_BLOCK) as reading:
        head = await anext(reading)
        as_it_is = audio.path is None or (is_container(head) and (reading.size or 0) <= LARGEST_FILE)
        if as_it_is:
            yield Upload(head, reading, filename=reading.filename, mark=mark, size=reading.size)
            return
    async with audio.blocks(_DECODED) as blocks:
        yield Upload(header(_DECODED), blocks, filename=f"{Path(reading.filename).stem}.wav", mark=mark)


def is_container(head: bytes) -> bool:
    """Whether a file that begins with `head` is in a container that Soniox documents.

    That is aac, aiff, amr, asf, flac, m4a, mp3, mp4, ogg, wav and webm.
    """
    return (
        head.startswith((b"fLaC", b"OggS", b"ID3", b"#!AMR", b"ADIF", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"))
        or (head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE")
        or (head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"})
        or head[4:8] == b"ftyp"
        or (head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head[:64])
        or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)  # the sync word of MP3 and AAC frames
    )


class _File(AsyncIterablePayload):
    """Blocks whose number of bytes may be known, so that no chunked encoding is needed."""

    def __init__(self, upload: Upload, size: int | None) -> None:
        super().__init__(upload, content_type="application/octet-stream")
        self._size = size
