from __future__ import annotations

import pytest

from debabelizer.testing.soniox import Fault
from debabelizer.testing.soniox.faults import FaultPlan


class TestFault:
    @pytest.mark.parametrize(
        ("fault", "text"),
        [
            (Fault.reset(at=12.0), "reset at 12 s (once)"),
            (Fault.close(1011, at=3.5, connections=[0, 2]), "close 1011 at 3.5 s (on [0, 2])"),
            (Fault.error(503, total=20.0, connections="always"), "error 503 at 20 s in all (always)"),
            (Fault.refuse(5.0, at="end"), "refuse at end for 5 s (once)"),
            (Fault.handshake(), "handshake at accept (once)"),
        ],
    )
    def test_it_can_be_read(self, fault: Fault, text: str) -> None:
        assert str(fault) == text

    def test_what_cannot_happen_before_the_handshake(self) -> None:
        with pytest.raises(ValueError, match="before the handshake"):
            Fault.mute(at="accept")
        Fault.reset(at="accept")

    def test_an_unknown_error(self) -> None:
        with pytest.raises(ValueError, match="no error 599"):
            Fault.error(599)


class TestPlan:
    def test_once_is_the_first_connection_that_gets_there(self) -> None:
        fault = Fault.reset(at=3.0)
        plan = FaultPlan([fault])
        assert plan.next_position(0, 0.0) == 3.0
        assert plan.reach(0, 2.9, 0.0) == []
        assert plan.reach(1, 3.0, 0.0) == [fault]
        assert plan.next_position(0, 0.0) is None
        assert plan.reach(0, 9.0, 0.0) == []

    def test_always_is_once_on_every_connection(self) -> None:
        fault = Fault.reset(at=3.0, connections="always")
        plan = FaultPlan([fault])
        for number in range(3):
            assert plan.reach(number, 3.0, 0.0) == [fault]
            assert plan.reach(number, 4.0, 0.0) == []

    def test_chosen_connections(self) -> None:
        plan = FaultPlan([Fault.reset(connections=range(1, 3))])
        assert [len(plan.reach(number, 0.0, 0.0)) for number in range(4)] == [0, 1, 1, 0]

    def test_total_counts_all_connections(self) -> None:
        fault = Fault.reset(total=10.0)
        plan = FaultPlan([fault])
        assert plan.next_position(1, 7.0) == 3.0
        assert plan.reach(1, 2.9, 7.0) == []
        assert plan.reach(1, 3.0, 7.0) == [fault]

    def test_moments(self) -> None:
        first, last = Fault.close(at="open"), Fault.mute(at="end")
        plan = FaultPlan([first, last])
        assert plan.next_position(0, 0.0) is None
        assert plan.take(0, "accept") == []
        assert plan.take(0, "open") == [first]
        assert plan.take(0, "open") == []
        assert plan.take(0, "end") == [last]

    def test_more_can_be_planned(self) -> None:
        plan = FaultPlan()
        plan.add(Fault.reset(at=1.0), Fault.mute(at=0.5))
        assert plan.next_position(0, 0.0) == 0.5
        assert len(plan.reach(0, 1.0, 0.0)) == 2
