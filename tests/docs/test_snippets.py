"""Every Python snippet of the README and of the pages in docs runs.

One that says ``no-run`` behind ``python`` is only compiled. One that awaits something is run on a virtual clock with
`processor`, a processor that is connected to a simulated service, and the other names of `AWAITED`; all others are
run as they are, with the embedded engine. The folder has the recordings that the snippets name.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, Final

import pytest

import debabelizer
from debabelizer import AudioFormat, VoiceProcessor
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import encode_words, plan_words
from debabelizer.testing.soniox import Script, SonioxSimulator

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPET: Final = re.compile(r"^```python( no-run)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SNIPPETS: Final = [
    pytest.param(match[2], bool(match[1]), id=f"{page.name}:{text[: match.start()].count(chr(10)) + 1}")
    for page in PAGES
    for text in [page.read_text(encoding="utf-8")]
    for match in SNIPPET.finditer(text)
]
CALL: Final = AudioFormat("mulaw", 8000)


async def heard(audio_format: AudioFormat) -> AsyncIterator[bytes]:
    """Live audio, a tenth of a second at a time."""
    audio = encode_words(plan_words(9), audio_format, tail=2.0)
    size = audio_format.bytes_per_second // 10
    for start in range(0, len(audio), size):
        yield audio[start : start + size]
        await asyncio.sleep(0.1)


async def read(stream: Any) -> None:
    async for _ in stream:
        pass


AWAITED: Final = {"AudioFormat": AudioFormat, "asyncio": asyncio, "call": partial(heard, CALL), "read": read}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    recordings = tmp_path / "tests" / "audio"
    recordings.mkdir(parents=True)
    for name in ("jfk.wav", "jfk.m4a"):
        shutil.copy(ROOT / "tests" / "audio" / name, recordings)
    shutil.copy(recordings / "jfk.m4a", tmp_path / "meeting.m4a")
    (tmp_path / "call.raw").write_bytes(encode_words(plan_words(9), CALL))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DEBABELIZER_PLUGINS", "moonshine,soniox")
    monkeypatch.setattr(debabelizer, "microphone", partial(heard, AudioFormat()), raising=False)
    return tmp_path


async def awaited(code: CodeType, names: dict[str, Any]) -> None:
    async with SonioxSimulator(Script.of("one two three and then goodbye for today")) as service:
        providers = {"soniox": {"api_key": "test-key", "websocket_url": service.url}}
        async with VoiceProcessor({"stt": {"provider": "soniox"}, "providers": providers}) as processor:
            await eval(code, {**AWAITED, "processor": processor, **names})


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) > 15


@pytest.mark.parametrize(("snippet", "only_compiled"), SNIPPETS)
def test_snippet(snippet: str, only_compiled: bool, folder: Path) -> None:
    code = compile(snippet, "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    names = {"__name__": "snippet"}
    if only_compiled:
        return
    if code.co_flags & inspect.CO_COROUTINE:
        virtual_time.run(awaited(code, names))
    else:
        exec(code, names)
