"""`Behaviour`: what the service does that is not documented, varies, or takes too long for a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Behaviour", "Disconnect", "Refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the simulated service behaves when nothing goes wrong. All times are seconds.

    Attributes:
        cadence: Nova: audio from one interim to the next.
        window: Nova: audio after which a window becomes final, whether or not somebody pauses.
        short_finals: Nova: each final of this number ends before its last word, which comes again; 0 for none.
        finalize_least: Nova: audio without words that must be pending for `Finalize` to be answered.
        step: Flux: audio from one message to the next.
        turn_silence: Flux: silence that ends a turn, in the place of the model's confidence.
        eager_silence: Flux: silence that announces its end, if the query asks for that.
        word_times: Flux: whether words come with times.
        turn_close: Flux: how the connection closes at the end: with a frame without a status, without a frame, or
            normally.
        idle_timeout: Longest wait for audio or a keepalive.
        max_speed: Fastest audio accepted, as a multiple of real time; None for as fast as it goes.
        burst: Audio that may come faster.
    """

    cadence: float = 1.0
    window: float = 3.0
    short_finals: int = 2
    finalize_least: float = 0.3
    step: float = 0.25
    turn_silence: float = 0.7
    eager_silence: float = 0.3
    word_times: bool = True
    turn_close: Literal["no status", "no frame", "normal"] = "no status"
    idle_timeout: float = 10.0
    max_speed: float | None = 1.25
    burst: float = 3.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake, or a call, that is refused.

    Attributes:
        status: HTTP status.
        code: Deepgram's own name for it.
        message: For people.
        retry_after: Seconds to wait, or None.
        modern: Whether the body says ``category`` and ``message``, not ``err_code`` and ``err_msg``.
    """

    status: int
    code: str
    message: str = "Refused on purpose."
    retry_after: int | None = None
    modern: bool = False


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A stream that ends before its time.

    Attributes:
        at: After so many seconds of audio.
        code: Of the close frame; None to drop the connection without one.
        reason: Of the close frame, such as ``NET-0000``.
    """

    at: float
    code: int | None = None
    reason: str = ""
