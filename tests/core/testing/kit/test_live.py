"""The same cases against the live service: here one in another thread, which knows nothing of the kit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import acme
from support.verdicts import NoOptions

from debabelizer.testing.coded import encode_words, plan_words, wav
from debabelizer.testing.kit import PromiseBrokenError, ProviderSuite, Recording
from debabelizer.testing.kit.live import likeness

PLAN = plan_words(6, phrase=3)
TEXT = "Word0, word1 word2. Word3 word4 word5!"


class Live(NoOptions):
    def getoption(self, name: str, default: Any = None) -> Any:
        return {"--live": True, "--record": "played"}.get(name, default)


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a service that accepts the key `test-key`."""
    ready, over, urls = threading.Event(), asyncio.Event(), []
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with acme.AcmeService("test-key") as service:
            urls.append(service.settings(*service.address)["url"])
            loops.append(asyncio.get_running_loop())
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield urls[0]
    loops[0].call_soon_threadsafe(over.set)
    thread.join(10)


def suite(url: str, folder: Path, text: str = TEXT) -> ProviderSuite:
    (folder / "speech.wav").write_bytes(wav(encode_words(PLAN)))
    named = acme.suite(
        acme.spec(max_speed=20.0),
        simulator=None,
        settings={"url": url},
        live=Recording(folder / "speech.wav", text),
        golden=folder / "golden",
    )
    one = named()
    one._config = Live()  # type: ignore[assignment]
    return one


def test_the_live_service_is_held_to_the_same_promises(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "test-key")
    one = suite(url, tmp_path)
    one.test_a_connection_runs_until_it_has_proven_the_end()
    one.test_the_end_is_proven()
    one.test_every_word_is_written_once()
    one.test_finals_are_said_once_and_in_order()
    one.test_claim("words")
    one.test_record()
    assert (tmp_path / "golden" / f"{one.spec.name}-live.jsonl").exists()


def test_what_is_not_said_is_not_accepted(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "test-key")
    with pytest.raises(PromiseBrokenError, match="one word in five"):
        suite(url, tmp_path, "something else entirely, for once").test_every_word_is_written_once()


def test_without_a_key_it_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_API_KEY", raising=False)
    with pytest.raises(pytest.skip.Exception, match="ACME_API_KEY"):
        suite("ws://127.0.0.1:1", tmp_path).test_the_end_is_proven()


def test_likeness_is_blind_to_case_and_punctuation_and_nothing_else() -> None:
    assert likeness("Don't stop, now.", "don't stop now") == 1.0
    assert likeness("one two three four", "one two three five") == 0.75
    assert likeness("", "one") == 0.0
