"""A Soniox on loopback, and a provider that talks to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from debabelizer_soniox.settings import SonioxSettings

from debabelizer.provider import Request
from debabelizer.testing.soniox import SonioxSimulator


class Clock:
    """Takes the place of `asyncio.sleep`: returns at once, and remembers for how long one would have slept."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings_for() -> Callable[..., SonioxSettings]:
    def make(server: SonioxSimulator, **table: Any) -> SonioxSettings:
        table = {"api_key": "test-key", "websocket_url": server.url, "api_url": server.api_url, **table}
        return SonioxSettings.model_validate(table)

    return make


@pytest.fixture
def request_for(settings_for: Callable[..., SonioxSettings]) -> Callable[..., Request[SonioxSettings]]:
    def make(server: SonioxSimulator, table: dict[str, Any] | None = None, **wishes: Any) -> Request[SonioxSettings]:
        return Request(settings=settings_for(server, **(table or {})), **wishes)

    return make
