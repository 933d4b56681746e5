"""Where transcripts go: standard output, one file, or a folder with a file for each recording.

Files are written aside, in the same folder, and then renamed: whatever goes wrong, there is the old file or the
whole new one, never half of one.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from debabelizer.cli.inputs import STDIN
from debabelizer.cli.report import OutputError, UsageError
from debabelizer.export import Format

__all__ = ["Output", "plan", "write_aside", "write_stdout"]


class Output(ABC):
    """Takes the texts of all recordings, in any order."""

    @abstractmethod
    def put(self, index: int, text: str | None) -> None:
        """Take the text of the recording number `index`; None if there is none because it failed.

        Raises:
            OutputError: If it cannot be written.
            BrokenPipeError: If nobody reads standard output any more.
        """

    @abstractmethod
    def close(self) -> None:
        """Everything was put; not called when the work was broken off.

        Raises:
            OutputError: As `put`.
        """


class _Folder(Output):
    """A file for each recording, written when its text comes."""

    def __init__(self, folder: Path, paths: Sequence[Path]) -> None:
        self._folder = folder
        self._paths = paths

    def put(self, index: int, text: str | None) -> None:
        if text is not None:
            _make(self._folder)
            write_aside(self._paths[index], text)

    def close(self) -> None:
        pass


class _Joined(Output):
    """All texts in one, in the order of the recordings; each is emitted as soon as those before it are there."""

    def __init__(self, names: Sequence[str], made: Format) -> None:
        self._names = names
        self._headings = made.together == "headings" and len(names) > 1
        self._waiting: dict[int, str | None] = {}
        self._next = 0
        self._emitted = 0

    def put(self, index: int, text: str | None) -> None:
        self._waiting[index] = text
        while self._next in self._waiting:
            ready = self._waiting.pop(self._next)
            if ready is not None:
                self._emit(self._heading() + ready)
                self._emitted += 1
            self._next += 1

    def _heading(self) -> str:
        """As `head` and `tail` tell several files apart."""
        if not self._headings:
            return ""
        blank = "\n" if self._emitted else ""
        return f"{blank}==> {self._names[self._next]} <==\n"

    @abstractmethod
    def _emit(self, text: str) -> None: ...


class _Stdout(_Joined):
    def _emit(self, text: str) -> None:
        write_stdout(text)

    def close(self) -> None:
        pass


class _File(_Joined):
    """One file, written when all is there: the recordings before a failure must not replace a complete file."""

    def __init__(self, path: Path, names: Sequence[str], made: Format) -> None:
        super().__init__(names, made)
        self._path = path
        self._texts: list[str] = []

    def _emit(self, text: str) -> None:
        self._texts.append(text)

    def close(self) -> None:
        if self._texts:
            write_aside(self._path, "".join(self._texts))


def plan(output: str | None, files: Sequence[str], made: Format) -> Output:
    """Decide where the texts go, and check before any work that they can go there.

    Args:
        output: As given on the command line: None or ``-`` is standard output; an existing folder, or a name that
            ends with a slash, gets a file for each recording, and is made with the first; anything else is one file.
        files: The recordings, as given.
        made: The format to be written.

    Raises:
        UsageError: If a text would have no place, or two the same.
    """
    if output is None or output == "-":
        _check_together(files, made)
        return _Stdout(files, made)
    if output.endswith(("/", os.sep)) or Path(output).is_dir():
        folder = Path(output)
        paths = [folder / f"{'stdin' if file == STDIN else Path(file).stem}{made.suffix}" for file in files]
        _check_folder(folder if folder.exists() else folder.parent)
        _check_apart(paths, files)
        _check_inputs(paths, files)
        return _Folder(folder, paths)
    path = Path(output)
    _check_together(files, made)
    _check_folder(path.parent)
    _check_inputs([path], files)
    return _File(path, files, made)


def _check_together(files: Sequence[str], made: Format) -> None:
    if made.together == "no" and len(files) > 1:
        message = f"One {made.name} output cannot hold {len(files)} recordings."
        raise UsageError(message, hint="Write to a folder: -o FOLDER/")


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        raise UsageError(f"The output folder {folder} {problem}.", hint=f"Create it first: mkdir -p {folder}")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"The output folder {folder} is not writable.", hint="Choose another one.")


def _check_apart(paths: Sequence[Path], files: Sequence[str]) -> None:
    taken: dict[str, str] = {}
    for path, file in zip(paths, files, strict=True):
        key = os.path.normcase(path)
        if key in taken:
            both = f"{taken[key]} and {file} would both be written to {path}."
            raise UsageError(both, hint="Transcribe them in two runs, to two folders.")
        taken[key] = file


def _check_inputs(paths: Sequence[Path], files: Sequence[str]) -> None:
    """A slip of the tab key must not replace a recording by its transcript."""
    inputs = [Path(file) for file in files if file != STDIN]
    for path in paths:
        if path.exists() and any(file.exists() and path.samefile(file) for file in inputs):
            raise UsageError(f"{path} is a recording to be transcribed.", hint="Choose another output.")


def write_stdout(text: str) -> None:
    """Write to standard output now.

    Raises:
        OutputError: If that fails.
        BrokenPipeError: If nobody reads it any more.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is still buffered would fail again when the interpreter ends, and be reported once more.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"Cannot write to standard output: {error.strerror}.") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {folder}: {error.strerror}.") from error


def write_aside(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: If it cannot be written; what was there before is untouched.
    """
    try:
        _write_aside(path.resolve(), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        hint = "Nothing was written; what was there before is untouched."
        raise OutputError(f"Cannot write {path}: {error.strerror}.", hint=hint) from error


def _write_aside(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode if path.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        path.write_bytes(content)  # a device or a named pipe: to rename over it would replace it
        return
    aside = path.with_name(f".debabelizer-{secrets.token_hex(8)}.part")
    try:
        with aside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # some file systems tell only now that they are full
        if mode is not None:
            aside.chmod(stat.S_IMODE(mode))
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
