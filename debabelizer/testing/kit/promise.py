"""`PromiseBrokenError`: a failure that reads like advice."""

from __future__ import annotations

from typing import Final

__all__ = ["PAGE", "PromiseBrokenError"]

PAGE: Final = "docs/conformance.md"
"""Where every check is explained."""


class PromiseBrokenError(AssertionError):
    """A provider does not keep a promise.

    Args:
        promised: What the contract or the spec says.
        happened: What was seen instead.
        where: The connection and the frame at which it was seen.
        look: Heading of ``docs/conformance.md`` that says more.
        hint: What is usually the cause.
    """

    def __init__(self, promised: str, happened: str, *, look: str, where: str = "", hint: str = "") -> None:
        self.promised, self.happened, self.where, self.look, self.hint = promised, happened, where, look, hint
        rows = {"promised": promised, "happened": happened, "where": where, "hint": hint, "look": f"{PAGE}#{look}"}
        super().__init__("\n" + "\n".join(f"  {name:<9} {text}" for name, text in rows.items() if text))
