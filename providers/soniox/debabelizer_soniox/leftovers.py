"""`Leftovers`: what was created at Soniox for one recording, and is deleted again whatever happens.

Soniox keeps files and transcripts until somebody deletes them. So nothing is created without being noted here, and
leaving deletes it: after success, after a failure, and after a cancellation, which waits until that is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

from debabelizer.errors import ProviderError
from debabelizer.rest import RestClient, Sleep
from debabelizer_soniox.messages import list_member, text_member

__all__ = ["Leftovers", "item_path"]

ResultT = TypeVar("ResultT")

_log = logging.getLogger("debabelizer.soniox")

_GRACE: Final = 10.0  # seconds that a cancelled creation has for its answer: only that tells what is to be deleted
_LONGEST: Final = 30.0  # seconds for deleting
_PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between attempts: a transcription in work cannot be deleted

_PAGE: Final = 1000  # the most that Soniox lists at once


def item_path(kind: str, identifier: str) -> str:
    """The path of one file or transcription."""
    return f"/{kind}/{quote(identifier, safe='')}"


class Leftovers:
    """Creates and deletes. An asynchronous context manager.

    Args:
        api: For the calls.
        sleep: For the pauses between attempts.

    Attributes:
        mark: The reference to give a file, by which it is found if the answer to its creation was lost.
    """

    def __init__(self, api: RestClient, sleep: Sleep = asyncio.sleep) -> None:
        self.mark = f"debabelizer-{uuid4().hex}"
        self._api = api
        self._sleep = sleep
        self._created: list[tuple[str, str]] = []
        self._unsure: set[str] = set()  # kinds of which one may exist without our knowing its id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._created or self._unsure:
            await _to_the_end(self._delete_all(), lambda: False, _LONGEST)

    async def create(
        self, kind: str, making: Coroutine[Any, Any, Mapping[str, Any]], may_abandon: Callable[[], bool] = lambda: False
    ) -> str:
        """Create a file or a transcription.

        Args:
            kind: ``files`` or ``transcriptions``.
            making: The call that creates it.
            may_abandon: Whether the call can be cancelled now without anything having been created.

        Returns:
            Its id.
        """
        return await _to_the_end(self._create(kind, making, may_abandon), may_abandon, _GRACE)

    async def _create(
        self, kind: str, making: Coroutine[Any, Any, Mapping[str, Any]], may_abandon: Callable[[], bool]
    ) -> str:
        try:
            identifier = text_member(await making, "id")
        except ProviderError as error:
            if error.retryable and not may_abandon():  # a refusal is clear, a failure is not
                self._unsure.add(kind)
            raise
        except asyncio.CancelledError:
            if not may_abandon():
                self._unsure.add(kind)
            raise
        self._created.append((kind, identifier))
        return identifier

    async def _delete_all(self) -> None:
        try:
            async with asyncio.timeout(_LONGEST):
                for pause in _PAUSES:
                    await self._search()
                    await self._delete_created()
                    if not self._created and not self._unsure:
                        return
                    await self._sleep(pause)
                reason = "Soniox did not delete it in time"
        except (ProviderError, TimeoutError) as error:
            reason = str(error) or "there was no time left"
        left = [f"{kind} {identifier}" for kind, identifier in self._created]
        left += [f"perhaps one of the {kind} (file reference {self.mark})" for kind in sorted(self._unsure)]
        _log.warning("This is left at Soniox: %s. Why: %s", ", ".join(left), reason)

    async def _delete_created(self) -> None:
        for kind, identifier in reversed(list(self._created)):  # a transcription before its file
            try:
                await self._api.call("DELETE", item_path(kind, identifier))
            except ProviderError as error:
                if error.code == "404":
                    pass  # gone already
                elif error.retryable or error.code == "409":
                    continue  # 409: still in work
                else:
                    raise
            self._created.remove((kind, identifier))

    async def _search(self) -> None:
        """Find what was created without our being told: the file by its mark, the transcription by its file."""
        for kind in sorted(self._unsure):
            try:
                items = await self._stored(kind)
            except ProviderError as error:
                if error.retryable:
                    continue
                raise
            files = {identifier for known, identifier in self._created if known == "files"}
            for item in items:
                ours = item.get("client_reference_id") == self.mark if kind == "files" else item.get("file_id") in files
                if ours and (kind, text_member(item, "id")) not in self._created:
                    self._created.append((kind, text_member(item, "id")))
            self._unsure.discard(kind)

    async def _stored(self, kind: str) -> list[Mapping[str, Any]]:
        """Everything of a kind that Soniox holds for this project; it comes in pages."""
        items: list[Mapping[str, Any]] = []
        query: list[tuple[str, str | int]] = [("limit", _PAGE)]
        while True:
            answer = await self._api.call("GET", f"/{kind}", query=query)
            items += [item for item in list_member(answer, kind) if isinstance(item, dict)]
            if not answer.get("next_page_cursor"):
                return items
            query = [("limit", _PAGE), ("cursor", text_member(answer, "next_page_cursor"))]


async def _to_the_end(work: Coroutine[Any, Any, ResultT], may_abandon: Callable[[], bool], grace: float) -> ResultT:
    """Run `work` to its end although the caller is cancelled, but not longer than `grace` seconds from then on."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work, name="debabelizer soniox clean-up")
    cancelled: asyncio.CancelledError | None = None
    timer: asyncio.TimerHandle | None = None
    try:
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancelled = cancelled or error
                timer = timer or loop.call_later(0.0 if may_abandon() else grace, task.cancel)
    finally:
        if timer is not None:
            timer.cancel()
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at: the cancellation is what the caller gets
        raise cancelled
    return task.result()
