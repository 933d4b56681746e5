"""The page about Soniox says what the code does. Set UPDATE_DOCS=1 to write what is generated."""

from __future__ import annotations

import asyncio
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from debabelizer_soniox import SPEC
from debabelizer_soniox.faults import Fault, provider_error
from debabelizer_soniox.settings import Context, OneWayTranslation, SonioxSettings, TwoWayTranslation

from debabelizer.config import load_settings, validate_provider
from debabelizer.config.reference import reference
from debabelizer.config.schema import json_schema
from debabelizer.testing.soniox import SonioxSimulator

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "providers" / "soniox.md"
PAGES = [PAGE, ROOT / "providers" / "soniox" / "README.md"]


def settings_table() -> str:
    """The rows of the configuration reference, and those of the tables within."""
    section = reference([(SPEC, SonioxSettings)]).split("### `[providers.soniox]`")[1]
    rows = [line.split(" | ")[:4] for line in section.splitlines() if line.startswith("| ")]
    return "\n".join([*(f"{' | '.join(row)} |" for row in rows), *inner_rows()])


def inner_rows() -> Iterator[str]:
    definitions = json_schema([(SPEC, SonioxSettings)])["$defs"]
    kinds = {"array": "list of texts", "object": "table", "string": "text"}
    for prefix, model in (
        ("context", Context),
        ("translation", OneWayTranslation),
        ("translation", TwoWayTranslation),
    ):
        for key, node in definitions[model.__name__]["properties"].items():
            yield f"| `{prefix}.{key}` | {kinds[node['type']]} |  | {node['description']} |"


def generated(page: str) -> str:
    table = settings_table()
    head, *rows = table.splitlines()
    languages = ", ".join(f"`{code}`" for code in SPEC.capabilities.languages)
    for name, text in (
        ("settings", f"\n\n{head}\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n"),
        ("languages", languages),
    ):
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}{text}{end}{rest.partition(end)[2]}"
    return page


def snippets(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_settings_on_the_page_are_those_of_the_model() -> None:
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_DOCS"):
        page = generated(page)
        PAGE.write_text(page, encoding="utf-8")
    assert page == generated(page), "Type: UPDATE_DOCS=1 pytest providers/soniox/tests/test_docs.py"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_configurations_are_valid(path: Path) -> None:
    (snippet,) = snippets(path, "toml")
    settings = load_settings(tomllib.loads(snippet), environ={})
    assert validate_provider(settings, SPEC, SonioxSettings).max_endpoint_delay_ms == 1000
    assert settings.stt.provider == ("soniox",)


def test_the_temporary_key_is_created(settings_for: Callable[..., Any]) -> None:
    (snippet,) = snippets(PAGE, "python")
    namespace: dict[str, Any] = {}
    exec(snippet, namespace)

    async def main() -> str:
        async with SonioxSimulator() as server:
            key = await namespace["key_for_a_client"](settings_for(server))
            return str(key.api_key.reveal())

    assert asyncio.run(main()).startswith("snx_temp_")


def test_the_errors_on_the_page_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d{3}) (.*?) \| `(\w+)` \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 10
    for code, kinds, name, again in rows:
        for kind in [None, *(kind for kind in re.findall(r"`(\w+)`", kinds))]:
            error = provider_error(Fault(int(code), kind))
            if kind is None and len([row for row in rows if row[0] == code]) > 1:
                continue  # the number alone does not tell these apart
            how = "at once" if error.retry_after == 0.0 else "with backoff" if error.retryable else "no"
            assert (type(error).__name__, how) == (name, again), (code, kind)


def test_the_numbers_on_the_page_are_those_of_the_spec() -> None:
    text = PAGE.read_text(encoding="utf-8")
    capabilities = SPEC.capabilities
    assert f"${capabilities.price_per_hour} an hour" in text
    assert capabilities.max_session == 300 * 60
    assert f"up to {capabilities.max_speed:g} times" in text
    assert f"in {len(capabilities.languages)} languages" in text
    assert all(f"`{encoding}`" in text for encoding in capabilities.audio_formats)
