"""API keys, permanent and temporary."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass

from debabelizer.testing.soniox.errors import ErrorReply, error_reply

__all__ = ["Grant", "KeyRing"]

STREAMING = "transcribe_websocket"


@dataclass(slots=True)
class Grant:
    """What a temporary key may do.

    Attributes:
        usage: The one service it is for.
        expires: Until when it may open streams, on the key ring's clock.
        single_use: Whether it opens one stream only.
        max_session: Longest stream in seconds, or None.
        used: How many streams it opened.
    """

    usage: str
    expires: float
    single_use: bool = False
    max_session: float | None = None
    used: int = 0


class KeyRing:
    """The keys that the service knows.

    Args:
        keys: Permanent keys; None accepts every key.
        clock: For the expiry of temporary keys.
    """

    def __init__(self, keys: Collection[str] | None, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock
        self._grants: dict[str, Grant] = {}

    def issue(self, grant: Grant) -> str:
        """Make a temporary key."""
        key = f"snx_temp_{secrets.token_hex(8)}"
        self._grants[key] = grant
        return key

    def accepts(self, key: str) -> bool:
        """Whether it is a permanent key that the service knows."""
        return key not in self._grants and bool(key) and (self._keys is None or key in self._keys)

    def open_stream(self, key: str) -> ErrorReply | None:
        """Use a key to open a stream; why not, if it may not."""
        grant = self._grants.get(key)
        if grant is None:
            return None if self.accepts(key) else error_reply(401)
        if grant.usage != STREAMING:
            return error_reply("temp_api_key_usage_type_mismatch")
        if grant.expires <= self._clock():
            return error_reply("temp_api_key_expired")
        if grant.single_use and grant.used:
            return error_reply("temp_api_key_invalid")
        grant.used += 1
        return None

    def max_session(self, key: str) -> float | None:
        """Longest stream that the key may hold, in seconds."""
        grant = self._grants.get(key)
        return grant.max_session if grant else None
