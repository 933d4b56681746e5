"""Events of a stream as JSON, one on a line."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from debabelizer.errors import DebabelizerError
from debabelizer.export.plain import json_line
from debabelizer.results import (
    Closed,
    Progress,
    ProviderChanged,
    Reconnected,
    Reconnecting,
    SpeechStarted,
    StreamEvent,
    StreamingResult,
    Usage,
    UtteranceEnded,
)

__all__ = ["TYPES", "event_line"]

TYPES: Final = MappingProxyType(
    {
        StreamingResult: "result",
        SpeechStarted: "speech_started",
        UtteranceEnded: "utterance_ended",
        Reconnecting: "reconnecting",
        Reconnected: "reconnected",
        ProviderChanged: "provider_changed",
        Progress: "progress",
        Closed: "closed",
    }
)
"""What each kind of event is called in JSON."""


def event_line(event: StreamEvent) -> str:
    """``type``, then every field of the event, also those that are null; secrets are masked.

    Times are seconds to the millisecond. An error has ``type``, ``message`` and ``hint``, a usage also its ``cost``.
    """
    from debabelizer.config import redact

    return redact(json_line({"type": TYPES[type(event)], **_record(event)}))


def _record(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: object) -> object:
    if isinstance(value, BaseException):
        message, hint = (value.message, value.hint) if isinstance(value, DebabelizerError) else (str(value), None)
        return {"type": type(value).__name__, "message": message, "hint": hint}
    if isinstance(value, Usage):
        return {**_record(value), "cost": None if value.cost is None else round(value.cost, 6)}
    if is_dataclass(value):
        return _record(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 3) if isfinite(value) else None
    return value
