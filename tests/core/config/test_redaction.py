from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from debabelizer.config import (
    Secret,
    install_log_redaction,
    redact,
    redact_exception,
    redact_record,
    redaction,
    remember,
)

KEY = 'canary/"text"\\to hide'


@pytest.fixture(autouse=True)
def own_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(redaction, "_known", {})
    monkeypatch.setattr(redaction, "_pattern", None)
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger somewhere below ``debabelizer`` with the application's handler on the root."""
    logger, output = logging.getLogger("debabelizer.streaming.test"), io.StringIO()
    handler = logging.StreamHandler(output)
    logging.getLogger().addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger, output
    logging.getLogger().removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_nothing_is_known_at_first() -> None:
    assert redact(KEY) == KEY
    record = logging.LogRecord("any", logging.INFO, "", 1, "key %s", (KEY,), None)
    assert redact_record(record)
    assert record.args == (KEY,)


@pytest.mark.parametrize("spelling", [str, repr, json.dumps, lambda text: quote(text, safe="")])
def test_every_spelling_of_a_secret_is_masked(spelling: object) -> None:
    Secret(KEY)
    shown = redact(f"Authorization: {spelling(KEY)}!")  # type: ignore[operator]
    assert "canary" not in shown
    assert shown.startswith("Authorization: ")
    assert shown.endswith("!")


def test_revealing_a_reference_remembers_it() -> None:
    secret = Secret.parse({"env": "DEMO"}, environ={"DEMO": "canary-text"})
    assert redact("canary-text") == "canary-text"
    secret.reveal()
    assert redact("a canary-text b") == "a ********** b"


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    remember("canary")
    remember("canary-text")
    assert redact("canary-text canary") == "********** **********"


def test_short_texts_are_left_alone() -> None:
    remember("short")
    assert redact("short") == "short"


def test_memory_is_bounded() -> None:
    for number in range(110):
        remember(f"secret-{number:04}")
    assert redact("secret-0009 secret-0010 secret-0109") == "secret-0009 ********** **********"


def test_exceptions_are_masked_with_all_that_hangs_on_them() -> None:
    Secret(KEY)

    class CustomError(Exception):
        def __init__(self, message: str) -> None:
            super().__init__(message)
            self.message = message
            self.lines = [message]

    try:
        try:
            raise KeyError(KEY)
        except KeyError:
            raise CustomError(f"no {KEY} here") from ExceptionGroup("two", [OSError(5, KEY), ValueError(1)])
    except CustomError as caught:
        error = caught
    error.add_note(f"about {KEY}")
    assert redact_exception(error) is error
    assert "canary" not in "".join(traceback.format_exception(error)) + error.lines[0]
    assert error.message == "no ********** here"


def test_exceptions_that_refer_to_themselves() -> None:
    Secret(KEY)
    first, second = ValueError(KEY), ValueError(KEY)
    first.__context__, second.__context__ = second, first
    assert redact_exception(first).args == second.args == ("**********",)


def test_records_of_every_logger_are_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, output = log
    install_log_redaction()
    Secret(KEY)
    logger.warning("header %s and %r", f"Bearer {KEY}", {"key": KEY}, extra={"harmless": 1})
    logger.warning(f"header {KEY}")
    logging.getLogger("websockets.client").warning("> Authorization: Bearer %s", KEY)
    assert output.getvalue().count("**********") == 4
    assert "canary" not in output.getvalue()


def test_arguments_that_hold_more_than_they_show_are_masked_too(caplog: pytest.LogCaptureFixture) -> None:
    install_log_redaction()
    Secret(KEY)
    logging.getLogger("websockets.client").warning("< %.8s", ["a frame", KEY])
    assert [(record.getMessage(), record.args) for record in caplog.records] == [("< ['a fram", None)]


def test_records_without_a_secret_keep_their_arguments(caplog: pytest.LogCaptureFixture) -> None:
    install_log_redaction()
    Secret(KEY)
    logging.getLogger("debabelizer.test").warning("took %d ms", 12)
    assert [(record.msg, record.args) for record in caplog.records] == [("took %d ms", (12,))]


def test_tracebacks_in_records_are_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, output = log
    install_log_redaction()
    secret = KEY
    Secret(secret)
    try:
        raise ValueError(f"bad {secret}")
    except ValueError:
        logger.exception("it failed")
    assert "ValueError: bad **********" in output.getvalue()
    assert "canary" not in output.getvalue()


def test_tracebacks_of_exceptions_that_cannot_be_cleaned(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, output = log
    install_log_redaction()
    Secret(KEY)

    class OpaqueError(Exception):
        def __str__(self) -> str:
            return f"opaque {KEY}"

    logger.error("it failed", exc_info=OpaqueError())
    assert "opaque **********" in output.getvalue()
    assert "canary" not in output.getvalue()


def test_installing_twice_changes_nothing() -> None:
    install_log_redaction()
    factory = logging.getLogRecordFactory()
    install_log_redaction()
    assert logging.getLogRecordFactory() is factory


def test_usable_as_a_filter_of_a_handler() -> None:
    Secret(KEY)
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.addFilter(redact_record)
    handler.handle(logging.LogRecord("any", logging.INFO, "", 1, "key %s", (KEY,), None))
    assert output.getvalue() == "key **********\n"


def test_broken_log_calls_stay_visible() -> None:
    Secret(KEY)
    record = logging.LogRecord("any", logging.INFO, "", 1, "%d", ("text",), None)
    assert redact_record(record)
    assert record.args == ("text",)
