"""`Upload`: a recording on its way to a provider, never whole in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from aiohttp.payload import AsyncIterablePayload, Payload

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.wav import header
from debabelizer.errors import AudioSourceError, DebabelizerError, InvalidRequestError
from debabelizer.rest.containers import Container, content_type, recognised, with_suffix

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource
    from debabelizer.rest.watch import Watch

__all__ = ["Upload", "prepared"]

_BLOCK: Final = 65536
_HEAD: Final = 64
_DECODED: Final = AudioFormat()


class Upload:
    """The bytes of one file, for a single call. `prepared` makes it.

    Attributes:
        filename: What the provider is to call it: ASCII, with a suffix that fits the container.
        content_type: Its media type.
        complete: Whether all of it was handed over; before that, the provider cannot have made anything of it.
        error: Why it could not be read, if it could not.
    """

    def __init__(
        self,
        head: bytes,
        blocks: AsyncIterator[bytes],
        *,
        filename: str,
        size: int | None = None,
        largest: int | None = None,
    ) -> None:
        container = recognised(head)
        # How other letters are to be written in a header is a matter of dispute, and the name matters little.
        self.filename = re.sub(r"[^\w.-]+", "_", with_suffix(filename, container), flags=re.ASCII)
        self.content_type = content_type(container)
        self.complete = False
        self.error: DebabelizerError | None = None
        self._head = head
        self._blocks = blocks
        self._size = size
        self._largest = largest
        self._count = 0
        self._watch: Watch | None = None

    def payload(self, watch: Watch) -> Payload:
        """What aiohttp is to send; `watch` is told how it goes on."""
        self._watch = watch
        return _File(self, self._size)

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
            if self._watch is not None:
                self._watch.think()
            raise StopAsyncIteration
        return block

    async def _next(self) -> bytes:
        block, self._head = self._head, b""
        if not block:
            block = await anext(self._blocks, b"")
        self._count += len(block)
        if self._largest is not None and self._count > self._largest:
            raise InvalidRequestError(
                f"{self.filename} has more than {self._largest} bytes, the most that the provider takes.",
                hint="Give the path of the file, so that only its sound is uploaded, or cut it into parts.",
            )
        if self._size is not None and (self._count > self._size or (not block and self._count < self._size)):
            raise AudioSourceError(f"{self.filename} changed while it was uploaded.", source=self.filename)
        return block


@asynccontextmanager
async def prepared(
    audio: AudioSource,
    *,
    accepts: Collection[Container],
    largest: int | None = None,
    decoded: AudioFormat = _DECODED,
) -> AsyncIterator[Upload]:
    """A recording, ready to be uploaded: as it is if the provider can read that, else decoded to a WAV file.

    Decoded are files in another container, and files that are too large, which are mostly video. What comes
    only once is sent as it is. Audio without a header gets one from its source.

    Args:
        audio: The recording.
        accepts: Containers that the provider documents.
        largest: Most bytes that the provider takes.
        decoded: The format of the WAV file.

    Raises:
        AudioError: If it cannot be read, or not be decoded.
    """
    async with audio.original(_BLOCK) as reading:
        head = await _head(reading)
        fits = recognised(head) in accepts and (largest is None or (reading.size or 0) <= largest)
        if fits or audio.comes_once:
            yield Upload(head, reading, filename=reading.filename, size=reading.size, largest=largest)
            return
    async with audio.blocks(decoded) as blocks:
        yield Upload(header(decoded), blocks, filename=f"{Path(reading.filename).stem}.wav", largest=largest)


async def _head(blocks: AsyncIterator[bytes]) -> bytes:
    """Enough to know the container by; from a pipe it may come in small pieces."""
    head = b""
    while len(head) < _HEAD and (block := await anext(blocks, b"")):
        head += block
    return head


class _File(AsyncIterablePayload):
    """Blocks whose number of bytes may be known, so that no chunked encoding is needed."""

    def __init__(self, upload: Upload, size: int | None) -> None:
        super().__init__(upload, content_type=upload.content_type)
        self._size = size
