from __future__ import annotations

from typing import Any

import pytest

from debabelizer.config import load_settings
from debabelizer.errors import ConfigError

_WAITS = ("connect", "ready", "send", "stall", "drain", "close")


@pytest.mark.parametrize(
    "table",
    [
        {"replay": 0},
        {"replay_bytes": 0},
        {"results": 0},
        *({f"{wait}_timeout": "0s"} for wait in _WAITS),
        {"flush_timeout": -1},
        {"max_attempts": 0},
        {"give_up_after": -1},
        {"backoff_base": "-1s"},
        {"max_speed": 0.5},
        {"stall_timeout": float("nan")},
        {"replay": float("inf")},
    ],
    ids=str,
)
def test_numbers_with_which_no_stream_could_live_are_refused_by_name(table: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"stream\.{next(iter(table))}: must be"):
        load_settings({"stream": table})


@pytest.mark.parametrize("table", [{"give_up_after": 0}, {"backoff_base": 0}, {"flush_timeout": 0}, {"max_speed": 1}])
def test_never_to_wait_or_try_again_is_a_choice(table: dict[str, Any]) -> None:
    (name,) = table
    assert getattr(load_settings({"stream": table}).stream, name) == table[name]
