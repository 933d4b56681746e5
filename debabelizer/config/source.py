"""`Source`: where a setting was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from debabelizer.errors import ConfigProblem

__all__ = ["ARGUMENT", "DEFAULT", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a setting was written.

    Attributes:
        name: A file's path, ``environment variable NAME``, ``--set``, ``argument`` or ``default``.
        line: 1-based line of the key, in a file.
        column: 1-based column of the key, in a file.
        key: The key as it stands there when that is not its own name: ``profiles.captions.stt.provider``.
    """

    name: str | Path
    line: int | None = None
    column: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        return str(self.name) if self.line is None else f"{self.name}:{self.line}"

    @property
    def folder(self) -> Path | None:
        """The folder that relative paths written there start from, or None for the current one."""
        return self.name.parent if isinstance(self.name, Path) else None

    def problem(self, message: str, *, key: str = "", hint: str | None = None) -> ConfigProblem:
        """A problem found here."""
        place = None if self.name == DEFAULT.name else self.name
        return ConfigProblem(message, key=self.key or key, source=place, line=self.line, column=self.column, hint=hint)


ARGUMENT = Source("argument")
DEFAULT = Source("default")
