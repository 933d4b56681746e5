"""What the end of a connection's task means, when the provider has proven nothing."""

from __future__ import annotations

import asyncio

from debabelizer.errors import ConnectionLostError, ProviderError

__all__ = ["cause_of"]


def cause_of(task: asyncio.Task[None], provider: str) -> Exception:
    """Why an attempt failed whose `task` has ended: raised, returned early or cancelled are failures alike."""
    if task.cancelled():
        return ConnectionLostError("The connection was cancelled from outside.", provider=provider)
    error = task.exception()
    if error is None:
        return ConnectionLostError("The connection ended before the end of audio.", provider=provider)
    if isinstance(error, ProviderError):
        error.provider = error.provider or provider
    return error if isinstance(error, Exception) else ConnectionLostError(repr(error), provider=provider)
