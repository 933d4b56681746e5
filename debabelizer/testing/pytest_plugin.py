"""The options of the conformance kit, for pytest: ``--live`` and ``--record``. See ``docs/conformance.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add them; a suite does without when this plugin is not loaded."""
    group = parser.getgroup("debabelizer", "conformance of speech providers")
    group.addoption(
        "--live",
        action="store_true",
        help="play what can be with the live service, when the environment has its key (this may cost money)",
    )
    group.addoption(
        "--record",
        nargs="?",
        const="played",
        choices=("played", "simulator"),
        help="write golden recordings of the frames that came: with --live those of the service, otherwise, or with "
        "--record=simulator, those of the simulator",
    )
