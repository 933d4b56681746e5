"""What supervision costs: this project beside raw WebSocket clients and other clients of the same service.

    python tests/benchmarks/run.py                  # everything, about an hour and a half; rewrites the page
    python tests/benchmarks/run.py --quick          # the main setting alone, two minutes; prints
    python tests/benchmarks/run.py --rows websockets debabelizer --modes paced --streams 200

The first call makes an environment with all rows in `build/benchmarks` (uv, about 650 MB); a row whose package is
not there is left out and said to be. Client and server are processes of their own. Rows take turns within a round,
and every ratio is of two runs of one round, so that a machine that slows down slows down both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENT = ROOT / "build" / "benchmarks"
RESULTS = ROOT / "docs" / "measured" / "streaming.json"

ROWS = ("harness", "websockets", "aiohttp", "picows", "debabelizer", "soniox", "livekit", "pipecat")
RAW = ("harness", "websockets", "aiohttp", "picows", "debabelizer")
PACED = [(streams, chunk) for chunk in (0.02, 0.1) for streams in (1, 50, 200, 500)]
MANY = (1000, 0.1)  # raw clients and this project only: the others are saturated long before
_TIMEOUT = 120.0  # seconds for one run
_SATURATED = 0.5  # share of late chunks from which on a row is spared larger settings


def interpreter(*, peers: bool) -> str:
    """The Python of the benchmark's environment, which is made, or brought up to date, if need be."""
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = [sys.executable, "-m", "uv"]
    if not python.exists():
        subprocess.run([*uv, "venv", "--python", sys.executable, str(ENVIRONMENT)], check=True)
    wanted = (HERE / "requirements.txt").read_text(encoding="utf-8").split("\n\n")
    requirements = ENVIRONMENT / "requirements.txt"
    requirements.write_text("\n".join(wanted if peers else wanted[:1]), encoding="utf-8")
    packages = ["-r", str(requirements), "-e", str(ROOT), "-e", str(ROOT / "providers/soniox")]
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *packages], check=True, cwd=ROOT)
    return str(python)


@contextmanager
def server(python: str, speed: float | None) -> Iterator[tuple[int, Any]]:
    """A server process: its port, and a function that asks it for its figures."""
    command = [python, str(HERE / "server.py"), "--seconds", "600"]
    if speed is not None:
        command += ["--speed", str(speed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, told = process.stdin, process.stdout

        def figures() -> dict[str, float]:
            given.write("\n")
            given.flush()
            return dict(json.loads(told.readline()))

        yield json.loads(told.readline())["port"], figures
        given.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()


def run(python: str, row: str, mode: str, streams: int, chunk: float, seconds: float) -> dict[str, Any]:
    """One run of one row."""
    said = {"row": row, "mode": mode, "streams": streams, "chunk": chunk}
    with server(python, 1.0 if mode == "server" else None) as (port, figures):
        command = [python, "-W", "ignore", str(HERE / "client.py"), row, "--port", str(port), "--mode", mode]
        command += ["--streams", str(streams), "--chunk", str(chunk), "--seconds", str(seconds)]
        before = figures()
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return {**said, "error": f"took longer than {_TIMEOUT:.0f} s"}
        after = figures()
    if done.returncode:
        return {**said, "error": (done.stderr.strip().splitlines() or ["?"])[-1]}
    load = (after["processor"] - before["processor"]) / (after["wall"] - before["wall"])
    return {**said, "server": round(load, 3), **json.loads(done.stdout.splitlines()[-1])}


def installed(python: str, rows: Sequence[str]) -> list[str]:
    """The rows that can run; tells of the others."""
    found = []
    for row in rows:
        result = run(python, row, "unpaced", 1, 0.1, 3.0)
        if "error" in result:
            print(f"{row}: left out, {result['error']}", file=sys.stderr)
        else:
            found.append(row)
    return found


def plan(options: argparse.Namespace) -> Iterator[tuple[str, int, float, float]]:
    """Mode, streams, chunk and seconds of the settings of a round."""
    paced = [(200, 0.02)] if options.quick else [*PACED, MANY]
    for streams, chunk in paced:
        if "paced" in options.modes and (not options.streams or streams in options.streams):
            yield "paced", streams, chunk, options.seconds
    for chunk in (0.1,) if options.quick else (0.02, 0.1):
        if "unpaced" in options.modes:
            yield "unpaced", 8, chunk, 120.0
    if not options.quick:
        yield from (("reader", 20, 0.1, 6.0) for _ in ["reader"] if "reader" in options.modes)
        yield from (("server", 20, 0.1, 4.0) for _ in ["server"] if "server" in options.modes)


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="default 3, 1 when quick")
    parser.add_argument("--seconds", type=float, default=6.0, help="measured of each paced run")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--modes", nargs="+", default=["paced", "unpaced", "reader", "server"])
    parser.add_argument("--streams", nargs="+", type=int, default=[], help="only these paced settings")
    parser.add_argument("--quick", action="store_true", help="only the main setting")
    parser.add_argument("--no-peers", action="store_true", help="set up without the large packages")
    parser.add_argument("--python", help="an interpreter that has everything, instead of an environment of our own")
    parser.add_argument("--output", type=Path, help="where results are kept; without it a whole run rewrites the page")
    options = parser.parse_args()
    python = options.python or interpreter(peers=not options.no_peers)
    rows = installed(python, options.rows)
    output = options.output or RESULTS
    results: list[dict[str, Any]] = []
    spared: set[tuple[str, float]] = set()
    for number in range(options.rounds or (1 if options.quick else 3)):
        for mode, streams, chunk, seconds in plan(options):
            for row in rows:
                if (streams, chunk) == MANY and mode == "paced" and row not in RAW:
                    continue
                if mode == "paced" and (row, chunk) in spared and streams > 1:
                    continue
                result = {"round": number, **run(python, row, mode, streams, chunk, seconds)}
                print(json.dumps(result), file=sys.stderr, flush=True)
                results.append(result)
                if mode == "paced" and result.get("late", 1.0) > _SATURATED:
                    spared.add((row, chunk))
        spared.clear()
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(results, indent=None).replace("}, {", "},\n {"), encoding="utf-8")
    write = [] if options.quick or options.output else ["--write"]
    subprocess.run([sys.executable, str(HERE / "tables.py"), str(output), *write], check=True)


if __name__ == "__main__":
    main()
