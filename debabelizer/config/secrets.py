"""`Secret`: a text that is used but never shown, and the places it can come from."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from debabelizer.config.redaction import MASK, remember
from debabelizer.config.source import ARGUMENT, Source
from debabelizer.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

__all__ = ["REFERENCES", "Secret", "is_reference"]

REFERENCES: Final = ("env", "file", "command")
"""The keys that name the place of a secret; a table that holds exactly one of them is a reference."""

_LARGEST_FILE = 64 * 1024
_COMMAND_SECONDS = 30.0
_FORMS = 'a text, or { env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }'


def is_reference(value: object) -> bool:
    """Whether a value of the configuration names the place of a secret."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in REFERENCES


class Secret:
    """A text that is used but never shown.

    `str`, `repr`, formatting, JSON and pickling hide it; only `reveal` gives it out. In a configuration it is a
    text or a reference: ``{ env = "NAME" }``, ``{ file = "path" }``, ``{ command = ["program", "argument"] }``.
    A reference is followed on the first `reveal`, so that loading and showing a configuration reads and runs nothing.
    """

    __slots__ = ("_key", "_place", "_source", "_text")

    def __init__(self, text: str) -> None:
        self._text: str | None = text
        self._place: _Place | None = None
        self._key = ""
        self._source = ARGUMENT
        remember(text)

    @classmethod
    def parse(
        cls, value: object, *, key: str = "", source: Source = ARGUMENT, environ: Mapping[str, str] | None = None
    ) -> Secret:
        """Make a secret of a value of the configuration.

        Args:
            value: A text, a reference, or a `Secret`, which is returned as it is.
            key: Dotted key it was written under, for errors.
            source: Where it was written. Relative paths start from the folder of that file.
            environ: The environment that ``env`` looks into; by default the process's own.

        Raises:
            ValueError: If it is neither. The message does not show it.
        """
        if isinstance(value, Secret):
            return value
        if isinstance(value, str) and value:
            return cls(value)
        if not is_reference(value):
            raise ValueError(f"must be {_FORMS}")
        secret = cls.__new__(cls)
        secret._text = None
        secret._place = _place(value, source.folder, environ)  # type: ignore[arg-type]
        secret._key = key
        secret._source = source
        return secret

    def reveal(self) -> str:
        """The secret itself, to be handed on and never to be shown. A ``command`` runs now, the first time.

        Raises:
            ConfigError: If the place it is kept at does not have it.
        """
        if self._text is None:
            try:
                text, failure = self._follow().read(), ""
            except _NotThereError as error:
                text, failure = "", str(error)
            if failure:  # raised out here: the error it came from would hold what was read
                hint = f"Put it there, or set {self._key or 'the secret'} to {_FORMS}."
                raise ConfigError([self._source.problem(failure, key=self._key, hint=hint)])
            remember(text)
            self._text = text
        return self._text

    def missing(self) -> str | None:
        """Why the secret cannot be read, or None. Looks without reading a file's content or running a command."""
        return None if self._text is not None else self._follow().missing()

    @property
    def reference(self) -> str | None:
        """The reference as it is written in TOML, or None for a secret that was given as text."""
        return None if self._place is None else str(self._place)

    def _follow(self) -> _Place:
        assert self._place is not None  # noqa: S101 - one of text and place is always there
        return self._place

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._place == other._place if self._place is not None else self._text == other._text

    def __hash__(self) -> int:
        return hash((self._place, None if self._place is not None else self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled: hand over the configuration, and load it there.")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accepts what `parse` accepts, and hides itself in JSON."""
        from pydantic_core import core_schema

        hide = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=hide)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A text, or a table with one of the three references."""
        text = {"type": "string", "minLength": 1}
        command = {"anyOf": [text, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
        table = {
            "type": "object",
            "properties": {"env": text, "file": text, "command": command},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"title": "Secret", "anyOf": [text, table]}


class _NotThereError(Exception):
    """A secret is not where it should be; the message names the place and never what was found there."""


class _Place(Protocol):
    def read(self) -> str: ...

    def missing(self) -> str | None: ...


def _place(reference: Mapping[str, object], folder: Path | None, environ: Mapping[str, str] | None) -> _Place:
    kind, target = next(iter(reference.items()))
    if kind == "command":
        if words := _words(target):
            return _Command(words, folder)
    elif isinstance(target, str) and target.strip():
        if kind == "env":
            return _Variable(target, os.environ if environ is None else environ)
        return _File(target, (folder or Path()) / Path(target).expanduser())
    raise ValueError(f"must be {_FORMS}")


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


@dataclass(frozen=True, slots=True)
class _Variable:
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
            raise _NotThereError(reason)
        return self.environ[self.name].strip()


@dataclass(frozen=True, slots=True)
class _File:
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
            raise _NotThereError(f"{self.path} cannot be read: {error.strerror}.") from None
        if len(content) > _LARGEST_FILE:
            raise _NotThereError(f"{self.path} holds more than {_LARGEST_FILE // 1024} KiB: that is no secret.")
        return _decode(content, str(self.path))


@dataclass(frozen=True, slots=True)
class _Command:
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
            raise _NotThereError(f"program {program!r} cannot be started: {error.strerror}.") from None
        except subprocess.TimeoutExpired:
            raise _NotThereError(f"program {program!r} gave no answer in {_COMMAND_SECONDS:.0f} seconds.") from None
        if done.returncode:
            raise _NotThereError(f"program {program!r} failed with status {done.returncode}; run it to see why.")
        return _decode(done.stdout, f"the output of {program!r}")


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _NotThereError(f"{name} is not UTF-8 text.") from None
    if not text:
        raise _NotThereError(f"{name} is empty.")
    return text
