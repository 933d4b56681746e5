"""Measures `support.faults` and writes ``docs/reliability.md``: ``PYTHONPATH=tests python -m support.reliability``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from support.faults import CASES, PHASES, WORDS, Case, Run, run_case

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
AMIDST: Final = "in mid-speech"  # or, if it cannot happen then, when it can
SPARE: Final = "with a second provider"
BEGIN: Final = "<!-- generated: the faults -->"
END: Final = "<!-- end -->"
WHY_NOT: Final = (
    "n/a: there is no such moment. Messages come only after the handshake, a handshake is answered only in it, "
    "and the end of audio only after it."
)

# Words that never came of 270, and what the caller was told; measured on loopback on 2026-11-22, at real time, with a
# fault at 12 s of 30 s: raw websockets 17.4, raw aiohttp 3.14.5, soniox 2.10.0, livekit-plugins-soniox 1.8.9,
# pipecat-ai 1.14.0. Raw clients did not reconnect.
PEERS: Final = {
    "none": ("all", "all", "all", "all (-30 when it ends in mid-sentence, not told)", "the same"),
    "reset": (
        "-164, exception",
        "-164, silent end",
        "-164, silent end",
        "-20, not told, times off 12 s",
        "-20, not told",
    ),
    "eof": (
        "-164, exception",
        "-164, silent end",
        "-164, silent end",
        "-20, not told, times off 12 s",
        "-20, not told",
    ),
    "close 1011": ("-164, exception", "-164, silent end", "-164, silent end", "-20, not told", "-20, not told"),
    "close 1000": ("-164, silent end", "silent end", "silent end", "-20, not told", "-20, not told"),
    "503": ("-164", "-164", "-164, a field in an event", "-4, error event", "-20, not told"),
    "408 once": ("-164", "-164", "-164, a field in an event", "-4, error event", "-20, not told"),
    "401": ("exception", "exception", "a field in an event", "exception", "error frame"),
    "400": ("exception", "exception", "a field in an event", "exception", "error frame"),
    "after handshake": ("exception", "silent end", "exception", "all", "all"),
    "after handshake always": (
        "exception",
        "silent end",
        "exception",
        "4 connections (thousands when closed politely)",
        "4 connections",
    ),
    "late handshake": ("-164", "-164", "-164", "-20", "-30"),
    "refused": ("-164", "-164", "-164", "-180, gives up", "-90"),
    "freeze": ("error after 37 s", "hangs", "silent end after 37 s", "-436, not told", "-286, back after 30 s"),
    "mute": ("hangs", "hangs", "hangs", "-180, not told", "-180, not told"),
    "no handshake": ("time-out", "hangs", "error", "all, times off 10 s", "-26"),
    "malformed": ("bare JSON error", "bare JSON error", "bare JSON error", "all", "all"),
    "ignored end": ("hangs", "hangs", "hangs", "all", "all"),
}


async def measure() -> list[str]:
    """The rows of the three tables."""
    moments = [*_head("fault", *PHASES, f"{AMIDST}, {SPARE}")]
    whole = [*_head("what is wrong all along", "outcome", SPARE)]
    beside = [*_head("fault", "raw websockets", "raw aiohttp", "official SDK", "livekit", "pipecat", "Debabelizer")]
    title = ""
    for name, case in CASES.items():
        told = {phase: outcome(case, await run_case(case, PHASES[phase])) for phase in case.phases}
        amidst = PHASES[AMIDST if AMIDST in told else case.phases[0]] if told else 0.0
        spared = outcome(case, await run_case(case, amidst, spare=True))
        if told:
            moments.append(_row(case.title, *(told.get(phase, "n/a") for phase in PHASES), spared))
        else:
            told = {"": outcome(case, await run_case(case))}
            whole.append(_row(case.title, *told.values(), spared))
        # A title that stands alone says what "…" continues.
        title = title + "," + case.title.removeprefix("…") if case.title.startswith("…") else case.title
        if name in PEERS:
            ours = told.get(AMIDST, next(iter(told.values())))
            beside.append(_row(title, *PEERS[name], f"**{ours}**"))
    return ["", *moments, "", WHY_NOT, "", *whole, "", "## Beside existing clients", "", *beside, ""]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|---" * len(cells) + "|"]


def outcome(case: Case, run: Run) -> str:
    """What came of a run, in a few words."""
    if run.error is not None:
        tried = "at once" if run.connections == 1 else f"after {run.connections} connections"
        cause = type(run.error.__cause__).__name__
        return f"`{cause}` {tried}, {run.report.written} words kept"
    report = run.report
    words = "all words" if report.perfect else f"-{len(report.lost)} +{len(report.repeated)} words"
    off = f", times off {report.time_error:.3f} s" if report.time_error is None or report.time_error > 0.001 else ""
    return words + off


def main() -> None:
    """Rewrite the generated part of the page."""
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    rows = "\n".join(asyncio.run(measure()))
    PAGE.write_text(f"{head}{BEGIN}\n{rows}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    assert len(WORDS) == 270
    main()
