"""Runs a conformance suite without pytest around it, and says what became of each test."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from debabelizer.testing.kit import PromiseBrokenError, ProviderSuite


class NoOptions:
    """A pytest configuration in which nothing was said."""

    def getoption(self, name: str, default: Any = None) -> Any:
        return default


def verdicts(
    suite: type[ProviderSuite],
    *,
    only: str = "test_",
    but: tuple[str, ...] = (),
    cases: Mapping[str, Sequence[Any]] | None = None,
) -> dict[str, Any]:
    """For each test, by name and case: None if it passed, "waits" if it was passed over, or the promise broken."""
    found: dict[str, Any] = {}
    values_of = {**suite.cases(), **(cases or {})}
    for name in dir(suite):
        test = getattr(suite, name)
        if not f"{name}[".startswith(only) or not callable(test) or name in but:
            continue
        parameters = [each for each in inspect.signature(test).parameters if each != "self"]
        for values in product(*(values_of[each] for each in parameters)):
            one = suite()
            one._config = NoOptions()  # type: ignore[assignment]
            key = name + "".join(f"[{value}]" for value in values)
            try:
                getattr(one, name)(*values)
            except PromiseBrokenError as broken:
                found[key] = broken
            except pytest.skip.Exception:
                found[key] = "waits"
            else:
                found[key] = None
    return found


def broken(found: dict[str, Any]) -> set[str]:
    """The tests that failed, without their cases."""
    return {name for name, verdict in found.items() if isinstance(verdict, PromiseBrokenError)}
