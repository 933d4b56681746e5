"""How connections break, for tests that try everything."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Final

from hypothesis import strategies as st
from support.service import Plan

from debabelizer.errors import ServiceUnavailableError, SessionExpiredError
from debabelizer.streaming.stream import TranscriptionStream

__all__ = ["ERRORS", "act", "plans", "times_as_many"]

ERRORS: Final = (
    ServiceUnavailableError("restart", retry_after=0.0),
    SessionExpiredError("too long"),
    ConnectionResetError("reset"),
    ValueError("a bug in a dialect"),
)

plans: Final = st.builds(
    Plan,
    at=st.one_of(st.none(), st.floats(0.0, 12.0).map(lambda seconds: round(seconds, 3))),
    fault=st.sampled_from(["raise", "return", "cancel", "mute", "freeze", "hang-on-cancel"]),
    error=st.sampled_from(ERRORS),
    lag=st.integers(0, 15),
    open_after=st.sampled_from([0.0, 0.3, 5.0, 20.0]),
    never_opens=st.sampled_from([False, False, False, True]),
    never_ready=st.sampled_from([False, False, False, True]),
    end=st.sampled_from(["finish", "finish", "short", "silent", "return"]),
    finishes_at=st.one_of(st.none(), st.none(), st.floats(0.0, 10.0)),
)


def times_as_many(examples: int) -> int:
    """So many, or as many times more as the environment variable ``DEBABELIZER_EXAMPLES`` says."""
    return examples * int(os.environ.get("DEBABELIZER_EXAMPLES", "1"))


async def act(
    stream: TranscriptionStream, todo: Iterable[tuple[str, float]], audio: bytes, *, chunk: int, pace: float | None
) -> None:
    """Send, pause and flush as told; then the rest in chunks, at a pace if there is one; and the end."""
    sent = 0
    for what, amount in todo:
        if what == "send":
            await stream.send_audio(audio[sent : sent + int(amount)])
            sent = min(sent + int(amount), len(audio))
        elif what == "pause":
            await asyncio.sleep(amount)
        else:
            await stream.flush()
    for start in range(sent, len(audio), chunk):
        await stream.send_audio(audio[start : start + chunk])
        if pace is not None:
            await asyncio.sleep(pace)
    await stream.end_audio()
