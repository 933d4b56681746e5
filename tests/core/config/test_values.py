from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from debabelizer.config import SttSettings
from debabelizer.config.provider import Table
from debabelizer.config.sections import RequireTable, StreamTable
from debabelizer.config.values import ByteSize, Duration, LanguageCode, ProviderName
from debabelizer.options import Options
from debabelizer.provider import Request
from debabelizer.spec import CAPABILITY_NAMES, Capabilities
from debabelizer.streaming.policy import StreamPolicy


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        *(("60s", 60.0), ("500ms", 0.5), ("2m", 120.0), ("2min", 120.0), ("1h", 3600.0), ("1.5 h", 5400.0)),
        *((" 7 ", 7.0), (3, 3.0), (0.25, 0.25), (0, 0.0), ("100ms", 0.1)),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert read(Duration, written) == seconds


@pytest.mark.parametrize("written", ["", "s", "1 parsec", "-1s", -1, "1s2", "inf", float("nan"), 1e999, True, [1]])
def test_no_durations(written: object) -> None:
    with pytest.raises(ValidationError, match="must be a number of seconds"):
        read(Duration, written)


@pytest.mark.parametrize(
    ("written", "size"),
    [("32MiB", 32 * 1024**2), ("1 kB", 1000), ("0.5KiB", 512), ("7", 7), (12, 12), ("2GB", 2e9)],
)
def test_sizes(written: object, size: int) -> None:
    assert read(ByteSize, written) == size


@pytest.mark.parametrize("written", ["32 mib", "many", -1, False, None])
def test_no_sizes(written: object) -> None:
    with pytest.raises(ValidationError, match="must be a number of bytes"):
        read(ByteSize, written)


@pytest.mark.parametrize("code", ["en", "pt-BR", "yue", "zh-Hans-CN"])
def test_language_codes(code: str) -> None:
    assert read(LanguageCode, code) == code


@pytest.mark.parametrize("code", ["", "english", "EN", "e", "en_US", "en-"])
def test_no_language_codes(code: str) -> None:
    with pytest.raises(ValidationError, match="must be a language code"):
        read(LanguageCode, code)


@pytest.mark.parametrize("name", ["", "Soniox", "a-b", "1a"])
def test_no_provider_names(name: str) -> None:
    with pytest.raises(ValidationError, match="must be the name of a provider"):
        read(ProviderName, name)


class Lists(Table):
    texts: tuple[str, ...] = ()
    numbers: list[int] | None = None
    either: str | list[str] = ""
    text: str = ""


@pytest.mark.parametrize(
    ("text", "texts"),
    [("a, b,", ("a", "b")), ('["a, b", "c"]', ("a, b", "c")), ("", ()), ("a", ("a",))],
)
def test_lists_may_be_text(text: str, texts: tuple[str, ...]) -> None:
    assert Lists(texts=text).texts == texts  # type: ignore[arg-type]


def test_only_where_text_is_not_meant() -> None:
    lists = Lists.model_validate({"numbers": "1,2", "either": "a,b", "text": "a,b"})
    assert (lists.numbers, lists.either, lists.text) == ([1, 2], "a,b", "a,b")


def test_broken_json_is_no_list() -> None:
    with pytest.raises(ValidationError, match="valid tuple"):
        Lists.model_validate({"texts": '["a'})


def test_stream_table_has_every_number_of_the_policy() -> None:
    assert tuple(StreamTable.model_fields) == tuple(field.name for field in fields(StreamPolicy))
    assert dict(StreamTable()) == {field.name: field.default for field in fields(StreamPolicy)}
    assert all(field.description for field in StreamTable.model_fields.values())


def test_everything_that_a_provider_can_may_be_required() -> None:
    assert tuple(RequireTable.model_fields) == CAPABILITY_NAMES
    assert all(field.description for field in RequireTable.model_fields.values())


@pytest.mark.parametrize("name", CAPABILITY_NAMES)
def test_what_a_provider_says_of_itself_can_be_required(name: str) -> None:
    claim = getattr(Capabilities(max_session=1.0, keepalive=1.0, price_per_hour=1.0), name)
    assert SttSettings.model_validate({"require": {name: claim}}).require == {name: claim}


def test_wishes_are_those_of_every_call() -> None:
    wishes = {field.name for field in fields(Options)} - {"options"}
    assert wishes <= SttSettings.model_fields.keys()
    optional = SttSettings.model_fields["optional"].annotation
    assert set(get_args(get_args(optional)[0])) == wishes - {"optional"}


def test_defaults_are_those_of_a_request() -> None:
    request = Request(settings=None)
    for name in {field.name for field in fields(Request)} - {"settings"}:
        assert getattr(SttSettings(), name) == getattr(request, name)


def test_a_policy_survives_a_round_trip() -> None:
    class Model(BaseModel):
        stt: SttSettings = SttSettings()

    stt = SttSettings(require={"local": True})
    assert Model.model_validate(Model(stt=stt).model_dump()).stt == stt
