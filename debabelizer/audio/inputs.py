"""`Input`: the bytes of a source, as the thread that decodes them reads them."""

from __future__ import annotations

import io
import os
import select
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from debabelizer.audio.link import Link
from debabelizer.errors import AudioSourceError

__all__ = ["FileInput", "Input", "checked", "opened_file", "opened_path", "spooled"]

_TAIL_BYTES: Final = 65536


class Input:
    """Bytes that come once, with a look ahead.

    Args:
        label: How to name the source in messages. (Not ``name``: FFmpeg would believe the extension.)
        pull: Gives about so many bytes, empty at the end.

    Attributes:
        size: How many bytes there are in all, or None.
    """

    def __init__(self, label: str, pull: Callable[[int], bytes], size: int | None = None) -> None:
        self.label = label
        self.size = size
        self._pull = pull
        self._ahead = memoryview(b"")  # cutting pieces off a large chunk must not copy the rest of it each time
        self._tail: bytes | None = None

    def seekable(self) -> bool:
        """Whether `seek` and `tell` can be used."""
        return False

    def peek(self, size: int) -> bytes:
        """Give the next `size` bytes, fewer only at the end, without consuming them."""
        while len(self._ahead) < size and (data := self._pull(size - len(self._ahead))):
            self._ahead = memoryview(bytes(self._ahead) + data)
        return bytes(self._ahead[:size])

    def read(self, size: int = 65536) -> bytes:
        """Give at most `size` bytes, what is there first; empty at the end."""
        if not self._ahead:
            self._ahead = memoryview(self._pull(size))
        data, self._ahead = bytes(self._ahead[:size]), self._ahead[size:]
        if self._tail is not None:
            self._tail = (self._tail + data)[-_TAIL_BYTES:]
        return data

    def keep_tail(self) -> None:
        """From now on remember what `tail` will be asked for."""
        self._tail = b""

    def tail(self) -> bytes:
        """Give the last bytes that were read, after the end was reached."""
        return self._tail or b""


class FileInput(Input):
    """Bytes of a file that can be read at any place; it begins where the file stood."""

    def __init__(self, label: str, file: BinaryIO, pull: Callable[[int], bytes]) -> None:
        self._file = file
        self._start = file.tell()
        size = file.seek(0, io.SEEK_END) - self._start
        file.seek(self._start)
        super().__init__(label, pull, size)

    def seekable(self) -> bool:
        """Whether `seek` and `tell` can be used."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, as files do."""
        return self._file.seek(offset + self._start if whence == io.SEEK_SET else offset, whence) - self._start

    def tell(self) -> int:
        """Where it stands, in bytes."""
        return self._file.tell() - self._start

    def peek(self, size: int) -> bytes:
        """Give the next `size` bytes, fewer only at the end, without consuming them."""
        place = self.tell()
        data = b""
        while len(data) < size and (more := self._pull(size - len(data))):
            data += more
        self.seek(place)
        return data

    def keep_tail(self) -> None:
        """Nothing needs to be kept: `tail` looks."""

    def tail(self) -> bytes:
        """Give the last bytes of the file."""
        size = self.seek(0, io.SEEK_END)
        self.seek(max(0, size - _TAIL_BYTES))
        return self.peek(_TAIL_BYTES)


@contextmanager
def opened_path(path: Path, name: str, link: Link) -> Iterator[Input]:
    """Open a file by its path."""
    with _os_errors(name):
        file = path.open("rb", buffering=0)
    with file:
        is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        pull = _file_pull(file, name, link)
        yield FileInput(name, file, pull) if is_file else Input(name, pull)


def opened_file(file: Any, start: int | None, name: str, link: Link) -> Input:
    """Read from an open binary file, which stays open; from `start`, or from where it stands if that is None."""
    pull = _file_pull(file, name, link)
    if start is None:
        return Input(name, pull)
    with _os_errors(name):
        file.seek(start)
        return FileInput(name, file, pull)


@contextmanager
def spooled(source: Input) -> Iterator[FileInput]:
    """Copy what comes once to a temporary file, for decoders that must jump; it vanishes with the block."""
    with tempfile.TemporaryFile(prefix="debabelizer-") as file:
        try:
            while data := source.read():
                file.write(data)
            file.seek(0)
        except OSError as error:
            raise AudioSourceError(
                f"{source.label} cannot be buffered in {tempfile.gettempdir()}: {error.strerror}.",
                source=source.label,
                hint="Make room there, name another folder in TMPDIR, or give the path of a file.",
            ) from error
        yield FileInput(source.label, file, file.read)


def checked(data: object, name: str) -> bytes:
    """Make sure that a chunk is bytes."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise AudioSourceError(
        f"{name} gave {type(data).__name__} where audio bytes are expected.",
        source=name,
        hint="Open files in binary mode ('rb'), and let them block." if data is None or isinstance(data, str) else None,
    )


def _file_pull(file: Any, name: str, link: Link) -> Callable[[int], bytes]:
    # read1 gives what is there; read may wait until a live source has filled the whole request.
    read = getattr(file, "read1", None) or file.read
    descriptor = _pollable(file)

    def pull(size: int) -> bytes:
        link.check()
        with _os_errors(name):
            if descriptor is not None:
                link.wait_readable(descriptor)
            return checked(read(size), name)

    return pull


def _pollable(file: object) -> int | None:
    """The descriptor to wait for before reading a pipe, so that the wait can be interrupted; None for other objects.

    Only for the classes of the standard library that are known to hold nothing back: the response of an HTTP
    client has a descriptor too, but may have the bytes in a buffer of its own already.
    """
    raw = file.raw if isinstance(file, io.BufferedReader) else file
    return raw.fileno() if isinstance(raw, io.FileIO) and hasattr(select, "poll") else None


@contextmanager
def _os_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        hint = "Addresses are not fetched: download the file first." if "://" in name else None
        raise AudioSourceError(f"There is no file {name}.", source=name, hint=hint) from error
    except IsADirectoryError as error:
        raise AudioSourceError(
            f"{name} is a directory.", source=name, hint="Name the audio files within it."
        ) from error
    except PermissionError as error:
        raise AudioSourceError(f"{name} cannot be read: permission denied.", source=name) from error
    except (OSError, ValueError) as error:  # ValueError: the file object was closed, or the path has a NUL byte
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AudioSourceError(f"{name} cannot be read: {reason}.", source=name) from error
