"""What kind of provider a spec is of, and which tests concern it."""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from debabelizer.provider import Provider
from debabelizer.spec import ProviderSpec

if TYPE_CHECKING:
    from debabelizer.testing.kit.base import SuiteBase

__all__ = ["Kind", "concerns", "drop_what_does_not_concern", "kind_of"]

Kind: TypeAlias = Literal["websocket", "connection", "batch"]
"""A `Dialect`; a `Connection` of its own; whole recordings only."""

TestT = TypeVar("TestT", bound=Callable[..., object])


def kind_of(spec: ProviderSpec) -> Kind:
    """Which contract a provider implements for streams."""
    if not spec.capabilities.streaming:
        return "batch"
    try:
        factory = resolve_name(spec.factory)
    except (ImportError, AttributeError, ValueError):  # a test of the spec says so
        return "connection"
    own = isinstance(factory, type) and getattr(factory, "dialect", None) is not Provider.dialect
    return "websocket" if own else "connection"


def concerns(whom: Callable[[type[SuiteBase]], Any]) -> Callable[[TestT], TestT]:
    """Mark a test as one of only those suites for which `whom` says yes."""

    def mark(test: TestT) -> TestT:
        test.concerns = whom  # type: ignore[attr-defined]
        return test

    return mark


def drop_what_does_not_concern(suite: type[SuiteBase]) -> None:
    """Hide the tests of what a provider does not have: pytest passes over what cannot be called."""
    for name in dir(suite):
        whom = getattr(getattr(suite, name), "concerns", None) if name.startswith("test_") else None
        if whom is not None and not whom(suite):
            setattr(suite, name, None)
