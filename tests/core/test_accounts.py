from __future__ import annotations

import pytest

from debabelizer.accounts import Accounts
from debabelizer.results import Usage


def test_usage_adds_up_by_provider_in_the_order_of_their_first_work() -> None:
    accounts = Accounts()
    accounts.add([Usage(provider="b", attempts=1, sent=2.0, price_per_hour=3.6), Usage(provider="a", raced=1.0)])
    accounts.add([Usage(provider="a", attempts=2, replayed=0.5), Usage(provider="b", sent=1.0, price_per_hour=3.6)])
    expected = (
        Usage(provider="b", attempts=1, sent=3.0, price_per_hour=3.6),
        Usage(provider="a", attempts=2, replayed=0.5, raced=1.0),
    )
    assert accounts.usage() == expected
    running = accounts.usage([Usage(provider="c", sent=1.0)])
    assert running == (*expected, Usage(provider="c", sent=1.0))
    assert accounts.usage() == expected
    assert [usage.cost for usage in expected] == [pytest.approx(0.003), None]
    assert [usage.seconds for usage in expected] == [3.0, 1.5]


def test_what_is_long_past_counts_ever_less() -> None:
    accounts = Accounts()
    assert accounts.latency("a", of_recording=False) is None
    accounts.measured("a", 10.0, of_recording=False)
    assert accounts.latency("a", of_recording=False) == 10.0
    for _ in range(20):
        accounts.measured("a", 1.0, of_recording=False)
    assert accounts.latency("a", of_recording=False) == pytest.approx(1.0, abs=0.01)
    assert accounts.latency("a", of_recording=True) is None
