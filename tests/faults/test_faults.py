"""Every fault, every phase: all words once, in order, in time; or a typed error within the budget."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.faults import CASES, PHASES, POLICY, WORDS, run_case

from debabelizer import Reconnecting, StreamError
from debabelizer.testing.coded import compare

PAIRS = [(name, phase) for name, case in CASES.items() for phase in case.phases or ("",)]
EARLY = ("accept", "open", 0.05)
FEW = WORDS[:63]  # what goes wrong early shows in seven seconds of speech


@pytest.mark.parametrize(("name", "phase"), PAIRS, ids=[f"{name}-{phase}".strip("-") for name, phase in PAIRS])
def test_fault(name: str, phase: str) -> None:
    case, at = CASES[name], PHASES.get(phase, 0.0)
    words = FEW if at in EARLY else WORDS
    run = asyncio.run(checked(run_case(case, at, words=words)))
    causes = [event.cause for event in run.events if isinstance(event, Reconnecting)]
    if case.error:
        assert run.error is not None
        assert isinstance(run.error.__cause__, case.cause or Exception)
        assert [attempt.number for attempt in run.error.attempts] == list(range(1, run.connections + 1))
        assert run.error.confirmed <= run.error.sent <= run.error.accepted
        said = [word for word in words if word.end <= run.error.confirmed + 1e-6]
        assert len(said) == run.report.written  # everything confirmed is readable
        assert not (run.report.repeated)
        assert not (run.report.damaged)
        assert not (run.report.out_of_order)
    else:
        assert run.error is None
        assert run.report.perfect, run.report
        assert run.report.time_error is not None
        assert run.report.time_error < 0.001
        assert run.stats.gaps == ()
        assert bool(causes) == (case.cause is not None)
        if case.cause is not None:
            assert all(isinstance(cause, case.cause) for cause in causes)
    assert 1 <= run.connections <= case.connections
    assert run.seconds < 10


async def checked(running: Any) -> Any:
    """Run, and see that nothing is left behind and nothing was reported to the loop."""
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    result = await running
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert faults == []
    return result


def test_an_outage_longer_than_the_budget_is_an_error_with_the_unconfirmed_seconds_counted() -> None:
    case = CASES["refused"]
    outage = type(case)(case.title, lambda at: [case.faults(at)[0].refuse(at=at)], case.cause, error=True)
    run = asyncio.run(checked(run_case(outage, 12.03, policy={"give_up_after": 0.5})))
    assert isinstance(run.error, StreamError)
    assert 9.0 < run.error.confirmed < 12.1
    assert run.error.accepted > run.error.confirmed
    text = str(run.error)
    assert f"{run.error.confirmed:.2f} s confirmed" in text
    assert "ConnectError" in text
    assert run.report.written == len([word for word in WORDS if word.end <= run.error.confirmed + 1e-6])


def test_a_replay_window_that_is_too_short_makes_the_user_wait_and_loses_nothing() -> None:
    run = asyncio.run(checked(run_case(CASES["stall"], 12.03, policy={"replay": 5.0})))
    assert run.report.perfect, run.report
    assert run.stats.gaps == ()


def test_the_report_can_fail() -> None:
    assert not compare(WORDS, "word0 word2 word2").perfect
    assert POLICY["give_up_after"] == 2.0
