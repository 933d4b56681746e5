from __future__ import annotations

import pytest

from debabelizer.errors import PluginLoadError
from debabelizer.plugins.isolation import describe, isolate


def fail(error: BaseException) -> None:
    raise error


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_returns_what_the_call_returns() -> None:
    assert isolate("parrot", "fails", divmod, 7, 2) == (3, 1)


def test_arguments_may_have_any_name() -> None:
    assert isolate("parrot", "fails", dict, plugin=1, call=2) == {"plugin": 1, "call": 2}


@pytest.mark.parametrize(
    "error", [ValueError("boom"), ImportError("boom"), SystemExit(3), RecursionError(), Unspeakable()]
)
def test_whatever_is_raised_becomes_one_typed_error_with_its_cause(error: BaseException) -> None:
    with pytest.raises(PluginLoadError, match=r"^Plugin 'parrot' cannot be imported: ") as caught:
        isolate("parrot", "cannot be imported", fail, error)
    assert caught.value.name == "parrot"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_an_interrupt_passes(error: type[BaseException]) -> None:
    with pytest.raises(error):
        isolate("parrot", "cannot be imported", fail, error())


def test_describes_on_one_line() -> None:
    assert describe(ValueError("first\nsecond")) == "ValueError: first"


def test_a_note_does_not_hide_the_message() -> None:
    error = ValueError("boom")
    error.add_note("by the way")
    assert describe(error) == "ValueError: boom"


def test_a_syntax_error_is_described_by_its_message() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("def (", "parrot.py", "exec")
    assert describe(caught.value).startswith("SyntaxError: ")


def test_a_description_is_bounded() -> None:
    assert len(describe(ValueError("x" * 10_000))) == 300
