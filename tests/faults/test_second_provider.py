"""Every fault again, with a second provider in which nothing goes wrong: nothing is lost, whatever it is."""

from __future__ import annotations

import asyncio

import pytest
from support.faults import CASES, PHASES, WORDS, run_case

from debabelizer import ProviderChanged

FEW = WORDS[:150]  # 17 s of speech: enough for what happens after 12


@pytest.mark.parametrize("name", CASES)
def test_every_word_comes_once(name: str) -> None:
    case = CASES[name]
    phase = "in mid-speech" if "in mid-speech" in case.phases else next(iter(case.phases), "")
    run = asyncio.run(run_case(case, PHASES.get(phase, 0.0), words=FEW, spare=True))
    assert run.error is None
    assert run.report.perfect, run.report
    assert run.report.time_error is not None
    assert run.report.time_error < 0.001
    assert run.stats.gaps == ()
    changes = [event for event in run.events if isinstance(event, ProviderChanged)]
    assert run.stats.provider_changes == len(changes)
    assert bool(changes) or not case.error
    assert run.seconds < 10
