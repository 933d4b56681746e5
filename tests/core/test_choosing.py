from __future__ import annotations

import logging
from typing import Any

import pytest

from debabelizer.choosing import Facts, Preference, choose
from debabelizer.errors import DebabelizerError
from debabelizer.results import Choice
from debabelizer.spec import Capabilities


def facts(provider: str, *, price: float | None = None, **known: Any) -> Facts:
    return Facts(provider=provider, capabilities=Capabilities(streaming=True, price_per_hour=price), **known)


THREE = (
    facts("cloud", price=0.12, latency=0.4, word_error_rate=0.05),
    facts("other", price=0.36, latency=0.3),
    facts("home", price=0.0, word_error_rate=0.08),
)


def order(choices: tuple[Choice, ...]) -> list[str]:
    return [choice.provider for choice in choices if choice.place is not None]


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("order", ["cloud", "other", "home"]),
        ("latency", ["home", "other", "cloud"]),
        ("cost", ["home", "cloud", "other"]),
        ("accuracy", ["cloud", "home", "other"]),
    ],
)
def test_the_order_follows_the_preference(prefer: Preference, expected: list[str]) -> None:
    choices = choose(THREE, prefer)
    assert order(choices) == expected
    assert [choice.place for choice in choices] == [1, 2, 3]


def test_each_has_its_reason() -> None:
    def reasons(prefer: Preference) -> list[str]:
        return [choice.reason for choice in choose(THREE, prefer)]

    assert reasons("order") == ["in the configured order"] * 3
    assert reasons("latency") == ["not measured yet, and so asked first", "0.30 s, as measured", "0.40 s, as measured"]
    assert reasons("cost") == ["US$ 0 an hour", "US$ 0.12 an hour", "US$ 0.36 an hour"]
    assert reasons("accuracy") == [
        "5.0% of the words wrong, by [stt.accuracy]",
        "8.0% of the words wrong, by [stt.accuracy]",
        "not in [stt.accuracy]",
    ]


@pytest.mark.parametrize("prefer", ["order", "latency", "cost", "accuracy"])
def test_among_equals_the_configured_order_counts(prefer: Preference) -> None:
    assert order(choose((facts("b"), facts("a"), facts("c")), prefer)) == ["b", "a", "c"]


def test_an_unknown_price_comes_last() -> None:
    (last,) = [choice for choice in choose((facts("secret"), facts("dear", price=9.0)), "cost") if choice.place == 2]
    assert (last.provider, last.reason) == ("secret", "of unknown price")


def test_who_cannot_is_told_last() -> None:
    choices = choose(THREE[:1], "order", refused={"mute": "It does not stream."})
    assert choices[-1] == Choice(provider="mute", place=None, reason="It does not stream.")


def test_there_is_no_other_preference() -> None:
    with pytest.raises(DebabelizerError, match="no preference 'fast'") as caught:
        choose(THREE, "fast")  # type: ignore[arg-type]
    assert caught.value.hint == "There are order, latency, cost, accuracy."


def test_a_plugin_decides_and_may_leave_out() -> None:
    choices = choose(THREE, "cost", answers=[("boss", ["other", "cloud", "other"]), ("late", ["home"])])
    assert order(choices) == ["other", "cloud"]
    assert {choice.reason for choice in choices[:2]} == {"as plugin 'boss' decided"}
    assert choices[2] == Choice(provider="home", place=None, reason="left out by plugin 'boss'")


@pytest.mark.parametrize("answer", [[], ["nobody"], ["cloud", "nobody"], "cloud", 3, [["cloud"]], [None]])
def test_an_answer_that_is_no_choice_is_logged_and_passed_over(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "debabelizer.plugins"):
        assert order(choose(THREE, "order", answers=[("odd", answer), ("good", ("home",))])) == ["home"]
    assert "Plugin 'odd' chose" in caplog.text
