"""What docs/failover.md shows, with a provider that really fails, and the numbers that it names."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from support.scripted import Scripted, spec
from support.service import Plan, Service

from debabelizer import ServiceUnavailableError, VoiceProcessor
from debabelizer.plugins import PluginRegistry
from debabelizer.streaming.policy import StreamPolicy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failover.md").read_text(encoding="utf-8")


def test_the_snippet_shows_who_went_on_for_whom(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(ROOT)
    (snippet,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    code = compile(snippet, "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    Scripted.reset()
    Scripted.services = {"first": Service([Plan(at=3.0, error=ServiceUnavailableError("overloaded"))])}
    registry = PluginRegistry.of(spec("first"), spec("second"))

    async def case() -> None:
        config = {"stt": {"provider": ["first", "second"]}}
        async with VoiceProcessor(config, registry=registry) as processor:
            await eval(code, {"processor": processor})

    asyncio.run(case())
    lines = capsys.readouterr().out.splitlines()
    (change,) = [line for line in lines if "goes on" in line]
    assert re.fullmatch(r"second goes on for first from [123]\.\d s: first: overloaded", change)
    at = lines.index(change)
    assert all(line.startswith("first: ") for line in lines[:at])
    assert lines[-2].startswith("first: 1 connections, ")
    assert lines[-1].startswith("second: 1 connections, ")


def test_the_defaults_are_those_of_the_policy() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    policy = StreamPolicy()
    assert told == {
        "cool_down": f"{policy.cool_down:g} s",
        "cool_down_max": f"{policy.cool_down_max:g} s",
        "return_to_preferred": str(policy.return_to_preferred).lower(),
    }
