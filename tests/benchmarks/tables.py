"""The tables and the plot of the streaming benchmark.

    python tests/benchmarks/tables.py RESULTS [--write]

Prints them, or with `--write` puts them into docs/benchmarks.md. Of several rounds the median is shown; ratios are
made within a round first. What the harness itself costs for as many chunks is taken off every row's processor time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from plot import bars

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "measured" / "streaming.svg"
END = "<!-- end -->"

Run: TypeAlias = dict[str, Any]
Setting: TypeAlias = tuple[str, int, float]

BASE = "websockets"
NAMES = {
    "picows": "raw picows",
    "aiohttp": "raw aiohttp",
    "websockets": "raw websockets",
    "debabelizer": "**debabelizer**",
    "soniox": "official SDK",
    "livekit": "livekit",
    "pipecat": "pipecat",
}
_SATURATED = 0.9  # of a core
_BEHIND = 0.1  # share of late chunks from which on a client has fallen behind
_NONE = "\N{EN DASH}"
_TIMES = "\N{MULTIPLICATION SIGN}"
_PARTS = [(kind, at) for kind in ("interim", "final") for at in (0, 1)]


class Results:
    """All runs, by setting, row and round."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs: dict[tuple[Setting, str, int], Run] = {}
        for run in runs:
            setting = (run["mode"], run["streams"], run["chunk"])
            self._runs[setting, run["row"], run["round"]] = run

    def settings(self, mode: str) -> list[Setting]:
        """The settings of a mode, chunk by chunk."""
        return sorted({setting for setting, _, _ in self._runs if setting[0] == mode}, key=lambda s: (s[2], s[1]))

    def rows(self, settings: Sequence[Setting]) -> list[str]:
        """The rows that were measured in any of them."""
        return [row for row in NAMES if any(s in settings and r == row for s, r, _ in self._runs)]

    def rounds(self, setting: Setting, row: str) -> list[tuple[Run, Run | None, Run | None]]:
        """The good runs of a row, with the base's and the harness's run of the same round."""
        found = []
        for (where, what, number), run in self._runs.items():
            if where == setting and what == row and "error" not in run:
                base, harness = (self._runs.get((setting, name, number)) for name in (BASE, "harness"))
                found.append((run, base if base and "error" not in base else None, harness))
        return found

    def middle(self, setting: Setting, row: str, of: Callable[[Run], float | None]) -> float | None:
        """The median of a figure."""
        values = [value for run, _, _ in self.rounds(setting, row) if (value := of(run)) is not None]
        return median(values) if values else None

    def cost(self, setting: Setting, row: str) -> float | None:
        """Processor milliseconds for each second of audio, net of the harness."""
        values = [net(run, harness) for run, _, harness in self.rounds(setting, row)]
        return median(values) if values else None

    def cost_ratio(self, setting: Setting, row: str) -> float | None:
        """That, as a ratio to the base."""
        values = [net(run, harness) / net(base, harness) for run, base, harness in self.rounds(setting, row) if base]
        return median(values) if values else None

    def ratio(self, setting: Setting, row: str, of: Callable[[Run], float | None]) -> float | None:
        """The median ratio of a figure to the base's."""
        pairs = [(of(run), of(base)) for run, base, _ in self.rounds(setting, row) if base]
        values = [mine / its for mine, its in pairs if mine is not None and its]
        return median(values) if values else None

    def saturated(self, setting: Setting, row: str) -> bool:
        """Whether the row got too little processor time, so that its figures are of a client that falls behind."""
        late = self.middle(setting, row, lambda run: float(run["late"]))
        return late is not None and late > _BEHIND


def net(run: Run, harness: Run | None) -> float:
    """Processor milliseconds for each second of audio, without the harness's own."""
    own = harness["processor"] / harness["audio"] if harness and "error" not in harness else 0.0
    return 1000 * (float(run["processor"]) / float(run["audio"]) - float(own))


def part(name: str, index: int) -> Callable[[Run], float | None]:
    """A figure of a distribution."""
    return lambda run: run[name][index] if len(run[name]) > index else None


def text(value: float | None, places: int = 2, mark: str = "") -> str:
    """A cell."""
    return _NONE if value is None else f"{value:.{places}f}{mark}"


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    rows = [list(heads), ["---", *["---:"] * (len(heads) - 1)], *map(list, lines)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def label(setting: Setting) -> str:
    """Of a setting."""
    return f"{setting[1]} {_TIMES} {setting[2] * 1000:.0f} ms"


def costs(results: Results) -> str:
    """Processor time, as ratios."""
    settings = results.settings("paced")
    lines = []
    for row in results.rows(settings):
        marks = ["*" if results.saturated(setting, row) else "" for setting in settings]
        cells = (text(results.cost_ratio(s, row), 2, mark) for s, mark in zip(settings, marks, strict=True))
        lines.append([NAMES[row], *cells])
    lines.append(["raw websockets, ms", *(text(results.cost(setting, BASE)) for setting in settings)])
    return table(["CPU per audio second", *map(label, settings)], lines)


def latencies(results: Results) -> str:
    """Latency, lateness and memory at two settings."""
    parts = []
    for setting in (("paced", 50, 0.02), ("paced", 200, 0.02)):
        lines = []
        for row in results.rows([setting]):
            cells = [
                text(results.ratio(setting, row, part(kind, at)), 1) for kind in ("interim", "final") for at in (0, 1)
            ]
            late = results.middle(setting, row, lambda run: 100 * float(run["late"]))
            lines.append([NAMES[row], *cells, text(late, 1), text(results.middle(setting, row, kilobytes), 0)])
        base = [
            text(results.middle(setting, BASE, part(kind, at)), 1) for kind in ("interim", "final") for at in (0, 1)
        ]
        lines.append(["raw websockets, ms", *base, "", ""])
        heads = ["interim p50", "p99", "final p50", "p99", "late chunks %", "kB per stream"]
        parts.append(table([label(setting), *heads], lines))
    return "\n\n".join(parts)


def kilobytes(run: Run) -> float:
    """Memory of a stream."""
    return float(run["kilobytes"])


def throughput(results: Results) -> str:
    """As fast as it goes."""
    settings = results.settings("unpaced")
    lines = []
    for row in results.rows(settings):
        cells = []
        for setting in settings:
            cost, ratio = results.cost(setting, row), results.cost_ratio(setting, row)
            cells += [text(1000 / cost if cost else None, 0), text(1 / ratio if ratio else None)]
            cells.append(text(results.middle(setting, row, kilobytes), 0))
        lines.append([NAMES[row], *cells])
    heads = [
        head
        for setting in settings
        for head in (f"audio s per CPU s, {setting[2] * 1000:.0f} ms", "ratio", "peak kB per stream")
    ]
    return table(["unpaced", *heads], lines)


def slowness(results: Results) -> str:
    """A slow reader, a slow server, and words lost anywhere."""
    reader, server = results.settings("reader"), results.settings("server")
    everywhere = [*results.settings("paced"), *results.settings("unpaced"), *reader]
    lines = []
    for row in results.rows(everywhere):
        lost = [int(run["lost"]) for setting in everywhere for run, _, _ in results.rounds(setting, row)]
        words = [f"{sum(lost)} in {sum(count > 0 for count in lost)} of {len(lost)} runs" if any(lost) else "0"]
        delay = [text(results.middle(setting, row, part("final", 1)), 0) for setting in reader] or [_NONE]
        held = [
            text(results.middle(setting, row, of), 0)
            for setting in server
            for of in (lambda run: float(run["accepted"]), kilobytes)
        ] or [_NONE, _NONE]
        lines.append([NAMES[row], *delay, *held, *words])
    heads = ["slow reader: final p99 ms", "slow server: s accepted", "kB per stream", "words lost in all runs"]
    return table(["", *heads], lines)


def replace(page: str, name: str, content: str) -> str:
    """The page with other content between the marks of `name`."""
    begin = f"<!-- measured: {name} -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n{content}\n{END}{rest.split(END, 1)[1]}"


def plot(results: Results) -> str:
    """The main figure."""
    groups = []
    for setting in (("paced", 50, 0.02), ("paced", 200, 0.02), ("paced", 50, 0.1)):
        values = [(NAMES[row].strip("*"), results.cost_ratio(setting, row)) for row in results.rows([setting])]
        groups.append((f"{label(setting)} chunks", [(name, value) for name, value in values if value is not None]))
    return bars("Processor time for each second of audio, raw websockets = 1", groups, highlight="debabelizer")


def main() -> None:
    """Print, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    runs = json.loads(options.results.read_text(encoding="utf-8"))
    results = Results(runs)
    for run in runs:
        if run.get("server", 0.0) > _SATURATED:
            print(f"server at its limit, figure worthless: {run['row']}, {run['mode']}, {run['streams']}")
    parts = {"costs": costs, "latencies": latencies, "throughput": throughput, "slowness": slowness}
    page = PAGE.read_text(encoding="utf-8")
    for name, make in parts.items():
        content = make(results)
        print(content, end="\n\n")
        if options.write:
            page = replace(page, name, content)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
        PLOT.parent.mkdir(exist_ok=True)
        PLOT.write_text(plot(results), encoding="utf-8")


if __name__ == "__main__":
    main()
