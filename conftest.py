"""For all tests, those of the providers too: what they open, they close."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from support.tidiness import Loops, Things


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "untidy: leaves tasks behind or makes the event loop complain, on purpose")


@pytest.fixture(autouse=True, scope="module")
def what_is_there_is_not_searched_for_garbage() -> None:
    """Keep what a collection costs, in tests that ask for one, from growing with every module that was imported."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def loops() -> Iterator[Loops]:
    """Looks at every event loop."""
    with pytest.MonkeyPatch.context() as patch:
        yield Loops(patch)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(loops: Loops, request: pytest.FixtureRequest) -> Iterator[None]:
    """No task, thread or socket outlives a test, and no event loop has anything to complain about."""
    loops.test = request.node.nodeid
    before = Things()
    yield
    found = loops.take() if request.node.get_closest_marker("untidy") is None else []
    loops.take()
    if found := [*before.left(), *found]:
        pytest.fail(f"Left behind: {'; '.join(found)}.")
