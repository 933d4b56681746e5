"""What a loopback server is too quick for; the rest is tested with whole transcriptions in `test_files`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from debabelizer_soniox.leftovers import Leftovers

from debabelizer import ConnectionLostError, ServiceUnavailableError
from debabelizer.testing import virtual_time


class Api:
    """Holds files, and creates one when `answer` is set: that takes it a while."""

    def __init__(self, *, broken: bool = False) -> None:
        self.files: list[str] = []
        self.answer = asyncio.Event()
        self.asked = asyncio.Event()
        self.broken = broken

    async def create(self) -> Mapping[str, Any]:
        self.asked.set()
        await self.answer.wait()
        self.files.append("f")
        return {"id": "f"}

    async def call(self, method: str, path: str, **_: Any) -> Mapping[str, Any]:
        if self.broken:
            raise ServiceUnavailableError("Down.")
        if method == "DELETE":
            self.files.remove(path.removeprefix("/files/"))
            return {}
        return {"files": [], "next_page_cursor": None}


async def creating(api: Api, *, may_abandon: bool) -> None:
    async with Leftovers(api) as leftovers:  # type: ignore[arg-type]
        await leftovers.create("files", api.create(), lambda: may_abandon)


def test_cancelled_it_waits_for_the_answer_that_says_what_to_delete() -> None:
    async def main() -> None:
        api = Api()
        task = asyncio.ensure_future(creating(api, may_abandon=False))
        await api.asked.wait()
        task.cancel()
        await asyncio.sleep(5)
        assert not task.done()
        task.cancel()
        api.answer.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert api.files == []

    virtual_time.run(main())


def test_it_does_not_wait_when_nothing_can_have_been_created() -> None:
    async def main() -> float:
        api = Api()
        task = asyncio.ensure_future(creating(api, may_abandon=True))
        await api.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    assert virtual_time.run(main()) < 1.0


def test_it_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> float:
        api = Api(broken=True)
        task = asyncio.ensure_future(creating(api, may_abandon=False))
        await api.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    assert virtual_time.run(main()) <= 40.0
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("debabelizer.soniox", logging.WARNING)
    assert "perhaps one of the files (file reference debabelizer-" in record.getMessage()


def test_a_failure_of_the_clean_up_does_not_hide_the_first_one(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with Leftovers(Api(broken=True)) as leftovers:  # type: ignore[arg-type]
            await leftovers.create("files", lost())

    async def lost() -> Mapping[str, Any]:
        raise ConnectionLostError("Lost.")

    with pytest.raises(ConnectionLostError):
        virtual_time.run(main())
    assert len(caplog.records) == 1
