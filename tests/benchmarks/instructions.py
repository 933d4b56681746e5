"""What the streaming path executes for a chunk of audio and for a message, counted, so that no quiet machine is needed.

    python tests/benchmarks/instructions.py              # bytecodes: the same on every machine, whatever else it does
    python tests/benchmarks/instructions.py --record     # keeps them in instructions.json; a test holds CI to them
    python tests/benchmarks/instructions.py --callgrind  # machine instructions too, where valgrind is installed

One stream of five seconds, in chunks of 20 ms with ten messages a second, on virtual time and on a wire without a
network; nothing but the client runs. A message's cost is what the run costs more than one without messages.
Bytecodes differ between versions of Python, so each has its own record; they see no work done in C. Machine
instructions see all, and differ with how Python was built: compare them on one machine only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import rows  # noqa: E402
from row import Stream  # noqa: E402
from speech import BYTES_PER_SECOND, MESSAGES, messages  # noqa: E402
from wire import Wire, WireLoop  # noqa: E402

RECORD = HERE / "instructions.json"
SECONDS = 5.0
CHUNK = 0.02
_WARM = 1.0  # seconds before the count begins, so that every path was taken once

Count: TypeAlias = dict[str, float]
Window: TypeAlias = Callable[[], Any]


def area(path: str) -> str:
    """Whose code a file is."""
    parts = Path(path).parts
    if "benchmarks" in parts or "testing" in parts or path.endswith("selectors.py"):
        return "harness"
    for name in ("asyncio", "websockets", "aiohttp", "picows"):
        if name in parts:
            return name
    if any(part.startswith("debabelizer") for part in parts):
        return "debabelizer"
    return "python"


@contextmanager
def bytecodes(counted: Counter[str]) -> Any:
    """Count the bytecodes executed, by area."""
    by_file: Counter[str] = Counter()
    with monitored(by_file) if hasattr(sys, "monitoring") else traced(by_file):
        yield
    for path, count in by_file.items():
        counted[area(path)] += count


@contextmanager
def monitored(by_file: Counter[str]) -> Any:
    """Count with what Python has for it from 3.12 on."""
    monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - unknown to the types of 3.11
    tool, event = monitoring.PROFILER_ID, monitoring.events.INSTRUCTION

    def executed(code: CodeType, _: int) -> None:
        by_file[code.co_filename] += 1

    monitoring.use_tool_id(tool, "bytecodes")
    monitoring.register_callback(tool, event, executed)
    monitoring.set_events(tool, event)
    try:
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)


@contextmanager
def traced(by_file: Counter[str]) -> Any:
    """Count by tracing, as Python 3.11 needs it."""

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if event == "call":
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            by_file[frame.f_code.co_filename] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def callgrind() -> Any:
    """Let valgrind, under which this process must run, count."""
    control = ["callgrind_control", "-i"]
    subprocess.run([*control, "on", str(os.getpid())], check=True, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        subprocess.run([*control, "off", str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


@asynccontextmanager
async def streaming(name: str, loop: WireLoop) -> AsyncIterator[tuple[Stream, Wire | None]]:
    """A stream of a row, open, and its wire."""
    row = rows.ROWS[name]("ws://127.0.0.1:1/transcribe-websocket")
    await row.start()
    stream = row.stream()
    await stream.open()
    reader = asyncio.create_task(stream.read(lambda _text, _final: 0.0))
    await asyncio.sleep(0.1)
    yield stream, loop.wires[-1] if loop.wires else None
    reader.cancel()
    await asyncio.wait([reader])
    await stream.close()
    await row.stop()


async def speak(name: str, window: Window, *, answers: bool) -> None:
    """One stream; `window` is around what counts."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WireLoop)
    said = [message.encode() for message in messages(_WARM + SECONDS)]
    chunk = bytes(round(CHUNK * BYTES_PER_SECOND))
    per_message = round(1 / CHUNK / MESSAGES)

    async def seconds(stream: Stream, wire: Wire | None, begin: float, length: float) -> None:
        first = round(begin * MESSAGES)
        for number in range(round(length / CHUNK)):
            await stream.send(chunk)
            await asyncio.sleep(CHUNK)
            if answers and wire is not None and number % per_message == per_message - 1:
                wire.say(said[first + number // per_message])

    async with streaming(name, loop) as (stream, wire):
        await seconds(stream, wire, 0.0, _WARM)
        with window():
            await seconds(stream, wire, _WARM, SECONDS)
            await asyncio.sleep(CHUNK)


def per_unit(counts: dict[tuple[str, bool], Count], name: str) -> dict[str, Count]:
    """The cost of a chunk and of a message, by area; what the harness takes by itself is in neither."""
    chunks, count = SECONDS / CHUNK, SECONDS * MESSAGES
    areas = sorted({area for counted in counts.values() for area in counted} - {"harness"})

    def net(area: str, *, answers: bool) -> float:
        return counts[name, answers].get(area, 0) - counts["harness", answers].get(area, 0)

    quiet = {area: net(area, answers=False) for area in areas}
    return {
        "chunk": {area: round(quiet[area] / chunks, 1) for area in areas},
        "message": {area: round((net(area, answers=True) - quiet[area]) / count, 1) for area in areas},
    }


def count(name: str, counting: Callable[[str, bool], Count]) -> dict[str, Count]:
    """Count a row and the harness, with messages and without."""
    runs = [(row, answers) for row in (name, "harness") for answers in (False, True)]
    return per_unit({run: counting(*run) for run in runs}, name)


def count_bytecodes(name: str, answers: bool) -> Count:
    """All bytecodes of a run, by area."""
    counted: Counter[str] = Counter()
    with asyncio.Runner(loop_factory=WireLoop) as runner:
        runner.run(speak(name, lambda: bytecodes(counted), answers=answers))
    return dict(counted)


def count_machine_instructions(name: str, answers: bool) -> Count:
    """All machine instructions of a run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
        command += [sys.executable, __file__, "--counted", name, *(["--answers"] if answers else [])]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        totals = next(line for line in out.read_text().splitlines() if line.startswith("totals:"))
    return {"all": float(totals.split()[1])}


def python_version() -> str:
    """Of which a record is good for."""
    return ".".join(map(str, sys.version_info[:2]))


def main() -> None:
    """Count, and print or keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", default="debabelizer", help="a row of the streaming benchmark")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--callgrind", action="store_true")
    parser.add_argument("--counted", help=argparse.SUPPRESS)
    parser.add_argument("--answers", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.counted:
        with asyncio.Runner(loop_factory=WireLoop) as runner:
            runner.run(speak(options.counted, callgrind, answers=options.answers))
        return
    counted = count(options.row, count_machine_instructions if options.callgrind else count_bytecodes)
    print(json.dumps(counted, indent=2))
    if options.record:
        records = json.loads(RECORD.read_text()) if RECORD.exists() else {}
        records[python_version()] = {"versions": {"websockets": version("websockets")}, **counted}
        RECORD.write_text(json.dumps(records, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
