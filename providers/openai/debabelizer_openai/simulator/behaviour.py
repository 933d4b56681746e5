"""`Behaviour`: how a simulated server behaves, where documentation leaves it open or things go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Behaviour", "Refusal"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none of success.

    Attributes:
        status: The HTTP status.
        error: What stands in the member ``error``: an object, or a text.
        headers: HTTP headers.
    """

    status: int
    error: Any = field(default_factory=lambda: {"message": "On purpose.", "type": "server_error", "code": None})
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the server behaves.

    Attributes:
        refusals: What the first recordings get for an answer.
        ends_early: Whether an answer of Server-Sent Events ends without its last event.
        delays: Seconds from the commit of an utterance to its completion, in turn: later ones may overtake.
        failures: Numbers of the utterances whose transcription fails, from 0; the error's code with each.
        session_seconds: Seconds of audio after which a session is over.
        language: The language of everything.
    """

    refusals: tuple[Refusal, ...] = ()
    ends_early: bool = False
    delays: tuple[float, ...] = (0.05,)
    failures: tuple[tuple[int, str], ...] = ()
    session_seconds: float | None = None
    language: tuple[str, str] = ("en", "english")
