"""Whether a key that a provider was given can be read anywhere."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote

from debabelizer.testing.kit.promise import PromiseBrokenError

__all__ = ["CANARY", "everything_logged", "is_kept", "told_by"]

CANARY: Final = "canary-0123456789-test-key"
"""A key that nobody else writes."""

Text = tuple[str, str]  # the place, and what stands there


def is_kept(texts: Iterable[Text]) -> None:
    """Look for the canary."""
    for place, text in texts:
        if CANARY in text or CANARY in unquote(text):
            raise PromiseBrokenError(
                "the key goes into handshake headers or frames, and is shown nowhere: no URL, no error, no log",
                f"it stands in {place}: {text.replace(CANARY, '<the key>')[:200]}",
                hint="give a header to the library that connects, not an address with a key in it: addresses end up in "
                "errors, and in the logs of proxies and servers; and log no request as a whole",
                look="secrets",
            )


def told_by(error: BaseException | None) -> Iterator[Text]:
    """All that an error and its causes tell."""
    if error is not None:
        yield "the traceback", "".join(traceback.format_exception(error))
    while error is not None:
        yield f"a {type(error).__name__}", f"{error} {vars(error)!r}"
        error = error.__cause__


@contextmanager
def everything_logged() -> Iterator[list[Text]]:
    """All that any logger of the process says at any level."""
    texts: list[Text] = []

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(("a log record", f"{self.format(record)} {record.args!r}"))

    root, handler = logging.getLogger(), Everything()
    level, handlers = root.level, root.handlers
    root.handlers = [handler]  # those of pytest would show all of it when a test fails
    root.setLevel(logging.NOTSET)
    try:
        yield texts
    finally:
        root.handlers = handlers
        root.setLevel(level)
