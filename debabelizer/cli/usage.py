"""Who was asked, and what that cost: for those who want to be told what happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from debabelizer.cli.report import note
from debabelizer.results import Choice, Usage

__all__ = ["choice_line", "tell_choice", "tell_usage"]


def choice_line(choice: Choice) -> str:
    """Which place a provider has, and why."""
    place = "not asked" if choice.place is None else f"number {choice.place}"
    return f"{choice.provider} is {place}: {choice.reason.rstrip('.')}."


def tell_choice(choices: Sequence[Choice]) -> None:
    """Tell it on standard error, if there was something to choose."""
    for choice in choices if len(choices) > 1 else ():
        note(choice_line(choice))


def tell_usage(usages: Iterable[Usage]) -> None:
    """Tell it on standard error, a line for each provider."""
    for usage in usages:
        parts = [(usage.replayed, "sent again"), (usage.raced, "sent beside another one")]
        told = "".join(f", {seconds:.1f} s of it {how}" for seconds, how in parts if seconds)
        note(f"{usage.provider} was given {usage.seconds:.1f} s of audio{told}; {_cost(usage)}.")


def _cost(usage: Usage) -> str:
    if usage.price_per_hour is None:
        return "its price is not known"
    return f"US$ {usage.cost:.4f} by its price" if usage.price_per_hour else "it costs nothing"
