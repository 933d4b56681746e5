"""How connections break, for tests that try everything."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import strategies as st
from support.service import Plan

from debabelizer.errors import ServiceUnavailableError, SessionExpiredError

__all__ = ["ERRORS", "plans", "times_as_many"]

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
