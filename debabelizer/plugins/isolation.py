"""The border to foreign code: whatever a plugin raises becomes one typed error."""

from __future__ import annotations

from collections.abc import Callable
from traceback import TracebackException
from typing import Final, ParamSpec, TypeVar

from debabelizer.errors import PluginLoadError

__all__ = ["describe", "isolate"]

P = ParamSpec("P")
T = TypeVar("T")

_LONGEST: Final = 300


def isolate(plugin: str, failed: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a plugin's code, turning whatever it raises into a `PluginLoadError`.

    Importing or calling foreign code can raise anything, also by mistake, and `SystemExit` when a script was taken
    for a module; nothing narrower keeps the promise that a broken plugin costs nobody else anything. This is the
    only catch of its kind: an interrupt or a cancellation passes.

    Args:
        plugin: Whose code it is.
        failed: How the sentence goes on when it fails, e.g. ``cannot be imported``.
        call: What to call, with its arguments after it.

    Raises:
        PluginLoadError: If the call raised; what it raised is chained.
    """
    try:
        return call(*args, **kwargs)
    except (Exception, SystemExit) as error:
        raise PluginLoadError(f"Plugin {plugin!r} {failed}: {describe(error)}", name=plugin) from error


def describe(error: BaseException) -> str:
    """Type and message of an exception on one line of bounded length, even when its ``str`` raises."""
    lines = TracebackException(type(error), error, None).format_exception_only()
    # A syntax error is preceded by its place in the file, indented; a note would come after.
    sentence = next(line for line in lines if not line.startswith(" ")).splitlines()[0]
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1]}…"
