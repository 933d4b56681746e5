"""Keep known secrets out of texts, exceptions and log records.

Every secret that was read is remembered here, and whatever may be shown passes `redact`. This is the second
line of defence: the first is that no code formats a secret.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar
from urllib.parse import quote

__all__ = ["MASK", "install_log_redaction", "redact", "redact_exception", "redact_record", "remember"]

ErrorT = TypeVar("ErrorT", bound=BaseException)

MASK: Final = "**********"
"""What stands where a secret stood."""

_SHORTEST = 6  # a shorter text would be found, and masked, in harmless words
_MOST = 100  # temporary keys come and go: the oldest are forgotten

_lock = threading.Lock()
_known: dict[str, None] = {}
_pattern: re.Pattern[str] | None = None


def remember(secret: str) -> None:
    """Mask `secret` from now on wherever texts are redacted. Texts shorter than 6 characters are not masked."""
    global _pattern
    if len(secret) < _SHORTEST or secret in _known:
        return
    with _lock:
        _known[secret] = None
        while len(_known) > _MOST:
            del _known[next(iter(_known))]
        spellings = {spelling for known in _known for spelling in _spellings(known)}
        _pattern = re.compile("|".join(re.escape(text) for text in sorted(spellings, key=len, reverse=True)))


def _spellings(secret: str) -> Iterator[str]:
    """The secret as it stands in headers, in a `repr`, in JSON, and in a URL."""
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")


def redact(text: str) -> str:
    """The text with every remembered secret replaced by `MASK`."""
    return text if _pattern is None else _pattern.sub(MASK, text)


def redact_exception(error: ErrorT) -> ErrorT:
    """Mask remembered secrets inside an exception, its notes, its causes and its group; returns the exception.

    Texts among the arguments and attributes are replaced in place, since whoever shows the exception formats
    it anew. Other objects that it holds are left alone.
    """
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while _pattern is not None and pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.args = tuple(_redact_value(value) for value in current.args)
        for name, value in list(vars(current).items()):  # holds __notes__ as well
            vars(current)[name] = _redact_value(value)
        if isinstance(current, OSError):  # keeps these apart from its arguments
            current.strerror, current.filename = _redact_value(current.strerror), _redact_value(current.filename)
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions
    return error


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if type(value) in {list, tuple}:
        return type(value)(redact(item) if isinstance(item, str) else item for item in value)
    return value


def redact_record(record: logging.LogRecord) -> bool:
    """Mask remembered secrets in a log record. Usable as a filter: ``handler.addFilter(redact_record)``.

    Arguments count as well: their text may be short, and some handlers send them as they are.
    """
    if _pattern is None:
        return True
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit: `logging` itself reports them
        text = ""
    if _pattern.search(text) or (text and record.args and _pattern.search(repr(record.args))):
        record.msg, record.args = redact(text), None
    if record.exc_info and record.exc_info[1] is not None:
        redact_exception(record.exc_info[1])
        formatted = "".join(traceback.format_exception(record.exc_info[1])).rstrip("\n")
        if _pattern.search(formatted):  # in an object that the exception holds: only its text can be shown
            record.exc_info, record.exc_text = None, redact(formatted)
    return True


def install_log_redaction() -> None:
    """Mask remembered secrets in every log record of this process from now on; calling it again changes nothing.

    A filter on the logger ``debabelizer`` would see only what is logged on that very logger: neither its children
    nor ``websockets``, whose debug log holds the handshake's headers. Handlers belong to the application. The one
    place that every record passes is the record factory. Records without a secret are left as they are.
    """
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _RedactingFactory):
        logging.setLogRecordFactory(_RedactingFactory(factory))


class _RedactingFactory:
    """Makes log records as the factory before it, redacted."""

    def __init__(self, factory: Callable[..., logging.LogRecord]) -> None:
        self.factory = factory

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.factory(*args, **kwargs)
        redact_record(record)
        return record
