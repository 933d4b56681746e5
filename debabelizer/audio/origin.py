"""`Origin`: what kinds of things people hand in, and how each is opened."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from debabelizer.audio.inputs import Input, opened_file, opened_path
from debabelizer.audio.link import Link
from debabelizer.errors import AudioSourceError

__all__ = ["Origin", "recognised"]

_READ_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the bytes of a source come from.

    Attributes:
        data: A `Path`, bytes, a binary file object, or an asynchronous iterable of bytes.
        name: How to name it in messages.
        start: For a file that can seek: where it stood.
    """

    data: Any
    name: str
    start: int | None = None

    @property
    def comes_once(self) -> bool:
        """Whether it cannot be read again."""
        return self.start is None and not isinstance(self.data, (Path, bytes))

    @property
    def chunks(self) -> AsyncIterable[bytes] | None:
        """What is to be iterated over on the event loop, if it is of that kind."""
        return self.data if isinstance(self.data, AsyncIterable) else None

    @contextmanager
    def open(self, link: Link) -> Iterator[Input]:
        """Open it, within the thread of `link`.

        Raises:
            AudioSourceError: If it is missing, unreadable or a directory.
        """
        if isinstance(self.data, Path):
            with opened_path(self.data, self.name, link) as source:
                yield source
        elif isinstance(self.data, bytes):
            yield opened_file(io.BytesIO(self.data), 0, self.name, link)
        elif self.chunks is not None:
            yield Input(self.name, lambda _: link.ask())
        else:
            yield opened_file(self.data, self.start, self.name, link)


def recognised(source: object, name: str | None = None) -> Origin:
    """Tell what was handed in.

    Raises:
        AudioSourceError: If audio cannot be read from it.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(os.fsdecode(source))
        return Origin(path, name or str(path))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Origin(bytes(source), name or "audio in memory")
    read = getattr(source, "read", None)
    if inspect.iscoroutinefunction(read):  # asked first: iterating over a reader gives lines
        return Origin(_chunks(source), name or "an audio stream")
    if isinstance(source, AsyncIterable):
        return Origin(source, name or "an audio stream")
    if callable(read) and not isinstance(source, io.TextIOBase):
        name = name or _file_name(source)
        return Origin(source, name, _start(source, name))
    raise AudioSourceError(
        f"Audio cannot be read from {type(source).__name__}.",
        source=name,
        hint="Give a path, bytes, a file opened in binary mode ('rb'), or an asynchronous iterable of bytes.",
    )


async def _chunks(reader: Any) -> AsyncIterator[bytes]:
    while data := await reader.read(_READ_BYTES):
        yield data


def _file_name(file: object) -> str:
    name = getattr(file, "name", None)
    if name in ("<stdin>", 0):
        return "standard input"
    return name if isinstance(name, str) and name else "a file object"


def _start(file: Any, name: str) -> int | None:
    try:
        return file.tell() if hasattr(file, "seekable") and file.seekable() else None
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise AudioSourceError(f"{name} cannot be read: {error}.", source=name) from error
