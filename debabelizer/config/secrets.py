"""`Secret`: a text that is used but never shown, and the places it can come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from debabelizer.config.places import REFERENCE_FORMS, Given, NotThereError, Place, place_of
from debabelizer.config.redaction import MASK, remember
from debabelizer.config.source import ARGUMENT, Source
from debabelizer.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

__all__ = ["Secret"]


class Secret:
    """A text that is used but never shown.

    `str`, `repr`, formatting, JSON and pickling hide it; only `reveal` gives it out. In a configuration it is a
    text or a reference: ``{ env = "NAME" }``, ``{ file = "path" }``, ``{ command = ["program", "argument"] }``.
    A reference is followed on the first `reveal`, so that loading and showing a configuration reads and runs nothing.
    """

    __slots__ = ("_key", "_place", "_source", "_text")

    def __init__(self, text: str) -> None:
        self._place: Place = Given(text)
        self._text: str | None = None
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
        if isinstance(value, str) and value.strip():
            return cls(value.strip())
        secret = cls.__new__(cls)
        secret._place = place_of(value, source.folder, environ)
        secret._text = None
        secret._key = key
        secret._source = source
        return secret

    @property
    def at_hand(self) -> bool:
        """Whether `reveal` answers without reading a file or running a command."""
        return self._text is not None or not self._place.takes_time

    def reveal(self) -> str:
        """The secret itself, to be handed on and never to be shown.

        A file is read and a command is run the first time, which takes its time: see `reveal_all`.

        Raises:
            ConfigError: If the place it is kept at does not have it.
        """
        if self._text is None:
            try:
                text, failure = self._place.read(), ""
            except NotThereError as error:
                text, failure = "", str(error)
            if failure:  # raised out here: the error it came from would hold what was read
                raise ConfigError([self._problem(failure)])
            remember(text)
            self._text = text
        return self._text

    def missing(self) -> ConfigProblem | None:
        """Why the secret cannot be had, or None. Looks without reading a file's content or running a command."""
        reason = self._place.missing() if self._text is None else None
        return None if reason is None else self._problem(reason)

    def _problem(self, reason: str) -> ConfigProblem:
        hint = f"Put it there, or name another place for it: {REFERENCE_FORMS}."
        return self._source.problem(reason, key=self._key, hint=hint)

    @property
    def reference(self) -> str:
        """What is written in TOML: the reference, or asterisks for a secret that was given as text."""
        return str(self._place)

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._place == other._place

    def __hash__(self) -> int:
        return hash(self._place)

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
