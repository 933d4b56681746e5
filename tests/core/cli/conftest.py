"""The command line in a folder of its own, with one provider: a parrot that does what its recordings say."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from support.threaded import serving

from debabelizer.cli import main
from debabelizer.testing.soniox import SonioxSimulator

PLUGIN = """
    from debabelizer.plugins import hookimpl
    from debabelizer.spec import Capabilities, ProviderSpec, Secret

    def spec(name, **fields):
        capabilities = Capabilities(batch=True, local=True, words=fields.pop("words", "word"), languages=("en", "es"))
        return ProviderSpec(
            name=name, summary="Repeats.", api_version=1, capabilities=capabilities,
            settings="parrot_engine:Settings", factory="parrot_engine:Parrot", **fields,
        )

    @hookimpl
    def debabelizer_register_providers(register):
        register(spec("parrot"))
        register(spec("mute", words="none"))
        register(spec("caged", secrets=(Secret(key="api_key", env="CAGED_API_KEY"),)))
        register(spec("extinct", needs={"dodo": "Type: pip install dodo"}))

    @hookimpl
    def debabelizer_register_exporters(register):
        register("shout", lambda transcript: transcript.text.upper())
        register("broken", lambda transcript: 1 / 0)

    @hookimpl
    def debabelizer_register_commands(cli):
        @cli.command()
        def squawk(word: str) -> None:
            "Say it louder."
            print(word.upper())

        @cli.command()
        def doctor() -> None:
            "Take the place of a verb."
            print("stolen")

        @cli.command()
        def crooked(word: "Nowhere") -> None:
            "Cannot be built."
"""

ENGINE = """
    import asyncio, logging, os
    from debabelizer.config import ProviderSettings, Secret
    from debabelizer.errors import ServiceUnavailableError, StreamError
    from debabelizer.provider import Provider
    from debabelizer.results import Progress, Segment, Transcript, Word

    logger = logging.getLogger("debabelizer.parrot")

    class Settings(ProviderSettings):
        api_key: Secret | None = None
        pitch: int = 1

    class Parrot(Provider):
        running, most, said = 0, 0, {}

        async def transcribe(self, audio, request, report):
            if os.environ.get("PARROT_SAYS_WHEN_IT_LISTENS"):
                print("listening", flush=True)
            if request.settings.api_key:
                request.settings.api_key.reveal()
            async with audio.original() as chunks:
                script = b"".join([chunk async for chunk in chunks])
            script = f"say {audio.audio_format}" if audio.audio_format else script.decode()
            verb, _, text = script.partition(" ")
            await self.perform(verb, text, report)
            said = verb == "say" and text or ""
            words = tuple(Word(word, i * 0.5, i * 0.5 + 0.4) for i, word in enumerate(said.split()))
            segment = Segment(said, 0.0, len(words) * 0.5, words=words)
            return Transcript(
                text=said, segments=(segment,) if said else (), language=(request.language_hints or ("en",))[0],
                duration=len(words) * 0.5, warnings=(text,) if verb == "warn" else (),
            )

        async def perform(self, verb, text, report):
            report(Progress(done=1.0, total=4.0))
            self.said.setdefault("all", asyncio.Event())
            if verb == "fail":
                raise ServiceUnavailableError(text, hint="Try later.")
            if verb == "break":
                raise StreamError("Broke off.", provider="parrot", attempts=(), accepted=2, sent=2, confirmed=1)
            if verb == "crash":
                raise RuntimeError(text)
            if verb == "log":
                logger.warning("It rains.")
                logger.info("It shines.")
                logger.debug("It is dark.")
            if verb == "wait":
                await self.said["all"].wait()
            if verb == "release":
                self.said["all"].set()
            if verb == "hang":
                print("hanging", flush=True)
                await asyncio.Event().wait()
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of the command line left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]
Record = Callable[[str, str], str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, empty, with the parrot installed elsewhere and nothing configured but its use."""
    site, here = tmp_path / "site", tmp_path / "here"
    metadata = site / "debabelizer_parrot-1.5.dist-info"
    metadata.mkdir(parents=True)
    here.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: debabelizer-parrot\nVersion: 1.5\n")
    (metadata / "entry_points.txt").write_text("[debabelizer]\nparrot = parrot_plugin\n")
    (site / "parrot_plugin.py").write_text(dedent(PLUGIN))
    (site / "parrot_engine.py").write_text(dedent(ENGINE))
    for name in [name for name in os.environ if name.startswith(("DEBABELIZER_", "XDG_", "CAGED_", "SONIOX_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DEBABELIZER_PLUGINS", "parrot")
    monkeypatch.setenv("DEBABELIZER_STT__PROVIDER", "parrot")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # restored afterwards
    monkeypatch.chdir(here)
    yield here
    for module in ("parrot_plugin", "parrot_engine"):
        sys.modules.pop(module, None)


@pytest.fixture
def record(home: Path) -> Record:
    """Write a recording: `record("a.wav", "say Hello.")`."""

    def record(name: str, script: str) -> str:
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        return name

    return record


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def run(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the command line as a process of its own; it does not outlive the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "debabelizer", *map(str, arguments)]
        defaults = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, **(defaults | options)))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        with process:  # closes its pipes, and waits
            pass


class Terminal:
    """A terminal to run a process in; `read_until` gives all it has shown so far."""

    def __init__(self) -> None:
        self._screen, self.descriptor = pty.openpty()
        self._shown = b""

    def read_until(self, text: str) -> str:
        while text.encode() not in self._shown:
            self._shown += os.read(self._screen, 65536)
        return self._shown.decode()

    def read_all(self) -> str:
        """All that was shown when every process has left."""
        os.close(self.descriptor)
        self.descriptor = -1
        with suppress(OSError):  # how Linux says that the other side is gone
            while data := os.read(self._screen, 65536):
                self._shown += data
        return self._shown.decode()

    def close(self) -> None:
        os.close(self._screen)
        if self.descriptor >= 0:
            os.close(self.descriptor)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm-256color")
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def soniox(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SonioxSimulator]]:
    """Run a simulated service and configure it: `soniox(faults=[...], stream={"replay": 1.0})`."""
    with ExitStack() as stack:

        def soniox(*arguments: Any, stream: dict[str, float] | None = None, **options: Any) -> SonioxSimulator:
            simulator = stack.enter_context(serving(*arguments, **options))
            policy = {"max_speed": 40.0, "backoff_base": 0.01, "close_timeout": 0.5, **(stream or {})}
            lines = [
                "[stt]",
                'provider = "soniox"',
                "[providers.soniox]",
                'api_key = "test-key"',
                f'websocket_url = "{simulator.url}"',
                "[stream]",
                *(f"{name} = {value}" for name, value in policy.items()),
            ]
            (home / "debabelizer.toml").write_text("\n".join(lines))
            return simulator

        monkeypatch.setenv("DEBABELIZER_PLUGINS", "soniox")
        monkeypatch.delenv("DEBABELIZER_STT__PROVIDER")
        yield soniox
