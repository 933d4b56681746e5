"""How the command line tells what went wrong, and with which exit code it ends."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Final

from debabelizer.errors import (
    CapabilityError,
    ConfigError,
    DebabelizerError,
    ProviderError,
    ProviderLookupError,
    StreamError,
)

__all__ = [
    "COMPLETE",
    "FAILED",
    "INCOMPLETE",
    "INTERRUPTED",
    "USAGE",
    "OutputError",
    "UsageError",
    "complain",
    "exit_code",
    "listen",
    "note",
    "unexpected",
    "warn",
]

COMPLETE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 3
INTERRUPTED: Final = 130
"""What a shell reports of a program that was ended by Ctrl-C."""


class UsageError(DebabelizerError):
    """The command line asks for what makes no sense."""


class OutputError(DebabelizerError):
    """What was made cannot be written."""


def exit_code(error: DebabelizerError) -> int:
    """The exit code that `error` ends the program with.

    A fault that no other input file could change is one of usage or configuration; one of the audio, the provider
    or the output is a failure.
    """
    if isinstance(error, StreamError):
        return INCOMPLETE
    if isinstance(error, (ConfigError, ProviderLookupError, CapabilityError, UsageError)):
        return USAGE
    return FAILED


def complain(error: DebabelizerError, *, about: str | None = None) -> None:
    """Tell of an error on standard error: what and where, then what to do.

    Args:
        error: What happened.
        about: The file it happened to, unless the error names it itself.
    """
    lines = _told(error)
    if about is not None and about not in lines[0]:
        lines[0] = f"{about}: {lines[0]}"
    _say("error", "\n".join(lines))
    logging.getLogger("debabelizer.cli").debug("That came from here.", exc_info=error)


def warn(message: str, *, about: str | None = None) -> None:
    """Tell on standard error what the user should know although the work was done."""
    _say("warning", message if about is None or about in message else f"{about}: {message}")


def note(message: str) -> None:
    """Tell on standard error what is worth knowing, and does no harm."""
    _say("note", message)


def _told(error: DebabelizerError) -> list[str]:
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        return [f"{len(error.problems)} problems in the configuration:", *(f"  {it}" for it in error.problems)]
    if isinstance(error, StreamError):
        return str(error).splitlines()
    message = error.message
    if isinstance(error, ProviderError) and error.provider:
        message = f"{error.provider}: {message}"
    return [message, error.hint] if error.hint else [message]


def _say(kind: str, message: str) -> None:
    from debabelizer.config import redact

    # Not typer.echo, which goes around a progress bar that has put itself in the place of standard error.
    sys.stderr.write(redact(f"{kind}: {message}\n"))


class _Handler(logging.Handler):
    """Shows log records on standard error, as it is at that moment: a progress bar may have put itself there."""

    def __init__(self, verbosity: int) -> None:
        super().__init__()
        self._verbosity = verbosity
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        # The formatter adds the traceback of what was logged: for those only who look into the program.
        _say(record.levelname.lower(), self.format(record) if self._verbosity > 1 else record.getMessage())


def listen(verbosity: int) -> None:
    """Show the library's log: warnings; with `verbosity` 1 also what happens; with 2 everything, and tracebacks."""
    logger = logging.getLogger("debabelizer")
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Handler)]:
        logger.removeHandler(handler)
    logger.addHandler(_Handler(verbosity))
    logger.setLevel([logging.WARNING, logging.INFO, logging.DEBUG][min(verbosity, 2)])


def unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """In place of `sys.excepthook`: a fault of the program itself is told in one line, too."""
    message = traceback.format_exception_only(error)[-1].strip()
    hint = "This is a fault of the program. Run it again with -vv to see where it comes from."
    if logging.getLogger("debabelizer").isEnabledFor(logging.DEBUG):
        message, hint = (
            "".join(traceback.format_exception(kind, error, trace)).strip(),
            "This is a fault of the program.",
        )
    _say("error", f"{message}\n{hint}")
