from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC
from itertools import count
from typing import Any

import pytest
from debabelizer_soniox.temporary_keys import TemporaryKey, create_temporary_key

from debabelizer import AuthenticationError, InvalidRequestError, ProtocolError, ProviderError
from debabelizer.testing.kit.traces import open_sockets
from debabelizer.testing.soniox import RestFault, SonioxSimulator


def create(settings_for: Callable[..., Any], *faults: RestFault, key: str = "test-key", **options: Any) -> TemporaryKey:
    async def main() -> TemporaryKey:
        async with SonioxSimulator(rest_faults=faults) as server:
            return await create_temporary_key(settings_for(server, api_key=key), **options)

    return asyncio.run(main())


def test_a_key_that_is_not_shown_and_the_time_it_expires(settings_for: Callable[..., Any]) -> None:
    key = create(settings_for, expires_in_seconds=60, single_use=True, max_session_duration_seconds=600)
    assert key.api_key.reveal()
    assert key.api_key.reveal() not in repr(key)
    assert key.expires_at.tzinfo is not None
    assert key.expires_at.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize(
    "options",
    [
        {"expires_in_seconds": 0},
        {"expires_in_seconds": 3601},
        {"max_session_duration_seconds": 0},
        {"max_session_duration_seconds": 18_001},
        {"client_reference_id": ""},
        {"client_reference_id": "x" * 257},
    ],
)
def test_limits_are_kept_before_anything_is_sent(settings_for: Callable[..., Any], options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="must be 1 to"):
        create(settings_for, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"expires_in_seconds": 1},
        {"expires_in_seconds": 3600, "max_session_duration_seconds": 18_000, "client_reference_id": "x" * 256},
        {"usage_type": "tts_rt", "max_session_duration_seconds": 1},
    ],
)
def test_limits_are_inclusive(settings_for: Callable[..., Any], options: dict[str, Any]) -> None:
    assert create(settings_for, **options).api_key.reveal()


def test_what_soniox_refuses_is_a_typed_error(settings_for: Callable[..., Any]) -> None:
    with pytest.raises(AuthenticationError):
        create(settings_for, key="wrong")
    with pytest.raises(AuthenticationError, match="permission"):
        create(settings_for, RestFault(call="POST /auth/temporary-api-key", status=403, error_type="permission_denied"))
    with pytest.raises(ProviderError):
        create(settings_for, RestFault(call="POST /auth/temporary-api-key", status=0))


@pytest.mark.parametrize("answer", [{}, {"api_key": "k"}, {"api_key": "k", "expires_at": "soon"}, {"api_key": 7}])
def test_a_strange_answer_is_a_broken_protocol(
    settings_for: Callable[..., Any], answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call(*_: Any, **__: Any) -> dict[str, Any]:
        return answer

    monkeypatch.setattr("debabelizer_soniox.rest.RestClient.call", call)
    with pytest.raises(ProtocolError):
        create(settings_for)


def test_cancelled_at_any_step_it_leaves_nothing(settings_for: Callable[..., Any]) -> None:
    """Cancelled k steps of the event loop after its start, for all k: no task and no socket stays open."""

    async def main() -> int:
        async with SonioxSimulator() as server:
            settings = settings_for(server)
            before = asyncio.all_tasks(), open_sockets()
            for steps in count():
                task = asyncio.ensure_future(create_temporary_key(settings))
                for _ in range(steps):
                    await asyncio.sleep(0)
                if not (is_over := task.done()):
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                del task
                async with asyncio.timeout(5):  # the simulator has to notice that the other side hung up
                    while (asyncio.all_tasks(), open_sockets()) != before:
                        await asyncio.sleep(0)
                if is_over:
                    break
        return steps

    assert asyncio.run(main()) > 10
