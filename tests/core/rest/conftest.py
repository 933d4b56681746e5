"""A server on loopback that answers with one handler, and a client for it. Waiting is hasty: see `haste`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from debabelizer.rest import RestClient, open_session
from debabelizer.testing.kit import haste

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Use: TypeAlias = Callable[[RestClient], Awaitable[Any]]


@pytest.fixture
def served() -> Callable[..., Any]:
    """Run `use` with a client of a server that answers with `handler`."""

    def served(handler: Handler, use: Use, **options: Any) -> Any:
        async def main() -> Any:
            runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            try:
                async with open_session() as session:
                    return await use(RestClient(session, base, **{"patience": 10.0, **options}))
            finally:
                await runner.cleanup()

        return haste.run(main())

    return served


@pytest.fixture
def answering() -> Callable[..., Handler]:
    """A handler that says always the same."""

    def answering(status: int = 200, body: bytes = b"{}", **headers: str) -> Handler:
        async def handler(request: web.BaseRequest) -> web.Response:
            return web.Response(status=status, body=body, headers=headers)

        return handler

    return answering
