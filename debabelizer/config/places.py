"""Where a secret can be kept: an environment variable, a file, or whatever a command prints."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Protocol, TypeGuard

from debabelizer.config.redaction import MASK

__all__ = ["REFERENCES", "REFERENCE_FORMS", "Given", "NotThereError", "Place", "expanded", "is_reference", "place_of"]

REFERENCES: Final = ("env", "file", "command")
"""The keys that name the place of a secret; a table that holds exactly one of them is a reference."""

REFERENCE_FORMS: Final = '{ env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }'

_LARGEST_FILE = 64 * 1024
_COMMAND_SECONDS = 30.0


def is_reference(value: object) -> TypeGuard[Mapping[str, object]]:
    """Whether a value of the configuration names the place of a secret."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in REFERENCES


class NotThereError(Exception):
    """A secret is not where it should be; the message names the place and never what was found there."""


class Place(Protocol):
    """Where a secret is kept; as text it is the reference in TOML.

    Attributes:
        takes_time: Whether `read` waits for a disk or a program.
    """

    takes_time: ClassVar[bool]

    def read(self) -> str:
        """The secret, without white space around it. Raises `NotThereError`."""

    def missing(self) -> str | None:
        """Why there is none, as far as can be told without reading or running anything."""


def place_of(reference: object, folder: Path | None, environ: Mapping[str, str] | None) -> Place:
    """The place that a reference names.

    Args:
        reference: A table with one of `REFERENCES`.
        folder: Where relative paths start; None is the current folder.
        environ: Where variables are looked up; None is the process's environment.

    Raises:
        ValueError: If it is malformed. The message does not show it.
    """
    kind, target = next(iter(reference.items())) if is_reference(reference) else ("", None)
    if kind == "command":
        if words := _words(target):
            return _Command(words, folder)
    elif isinstance(target, str) and target.strip():
        if kind == "env":
            return _Variable(target, os.environ if environ is None else environ)
        return _File(target, (folder or Path()) / expanded(target))
    raise ValueError(f"must be a text, or {REFERENCE_FORMS}")


def _words(command: object) -> tuple[str, ...]:
    """A command as program and arguments, or nothing."""
    if isinstance(command, str):
        try:
            return tuple(shlex.split(command))
        except ValueError:
            raise ValueError("has a command with an unclosed quotation mark; write it as a list") from None
    if isinstance(command, (list, tuple)) and all(isinstance(word, str) for word in command) and any(command[:1]):
        return tuple(command)
    return ()


def expanded(path: str | Path) -> Path:
    """The path with ``~`` replaced; a home that is not known is left to be told as a file that is not there."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - the method raises


@dataclass(frozen=True, slots=True)
class Given:
    """In the configuration itself, or in the program."""

    takes_time: ClassVar[bool] = False

    text: str = field(repr=False)

    def __str__(self) -> str:
        return f'"{MASK}"'

    def missing(self) -> str | None:
        """It is here."""
        return None

    def read(self) -> str:
        """The text."""
        return self.text


@dataclass(frozen=True, slots=True)
class _Variable:
    takes_time: ClassVar[bool] = False
    name: str
    environ: Mapping[str, str] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f'{{ env = "{self.name}" }}'

    def missing(self) -> str | None:
        if self.environ.get(self.name, "").strip():
            return None
        return f"environment variable {self.name} is {'empty' if self.name in self.environ else 'not set'}."

    def read(self) -> str:
        if reason := self.missing():
            raise NotThereError(reason)
        return self.environ[self.name].strip()


@dataclass(frozen=True, slots=True)
class _File:
    takes_time: ClassVar[bool] = True
    written: str
    path: Path

    def __str__(self) -> str:
        return f"{{ file = {json.dumps(self.written)} }}"

    def missing(self) -> str | None:
        try:
            with self.path.open("rb"):
                return None
        except OSError as error:
            return f"{self.path} cannot be read: {error.strerror}."

    def read(self) -> str:
        try:
            with self.path.open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
        except OSError as error:
            raise NotThereError(f"{self.path} cannot be read: {error.strerror}.") from None
        if len(content) > _LARGEST_FILE:
            raise NotThereError(f"{self.path} holds more than {_LARGEST_FILE // 1024} KiB: that is no secret.")
        return _decode(content, str(self.path))


@dataclass(frozen=True, slots=True)
class _Command:
    takes_time: ClassVar[bool] = True
    words: tuple[str, ...]
    folder: Path | None

    def __str__(self) -> str:
        return f"{{ command = {json.dumps(self.words)} }}"

    def missing(self) -> str | None:
        program = Path(self.words[0])
        if self.folder is not None and len(program.parts) > 1:  # "./get-key" starts from the configuration's folder
            program = self.folder / program
        return None if shutil.which(program) else f"program {self.words[0]!r} is not found."

    def read(self) -> str:
        program = self.words[0]
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
                self.words,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except OSError as error:
            raise NotThereError(f"program {program!r} cannot be started: {error.strerror}.") from None
        except subprocess.TimeoutExpired:
            raise NotThereError(f"program {program!r} gave no answer in {_COMMAND_SECONDS:.0f} seconds.") from None
        if done.returncode:
            raise NotThereError(f"program {program!r} failed with status {done.returncode}; run it to see why.")
        return _decode(done.stdout, f"the output of {program!r}")


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise NotThereError(f"{name} is not UTF-8 text.") from None
    if not text:
        raise NotThereError(f"{name} is empty.")
    return text
