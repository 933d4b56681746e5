from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from debabelizer.config import ApiUrl, ProviderSettings, WebSocketUrl, check_url


class Settings(ProviderSettings):
    """A vendor's."""

    insecure: bool = False
    """Allow plain addresses."""

    websocket_url: WebSocketUrl | None = None
    """For streams."""

    api_url: ApiUrl | None = None
    """For files."""


class Strict(ProviderSettings):
    """Without a way to be insecure."""

    api_url: ApiUrl = "https://example.com/v1/"
    """For files."""


def refused(model: type[ProviderSettings] = Settings, **table: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        model(**table)
    return str(caught.value)


def test_whole_addresses_are_accepted() -> None:
    settings = Settings(websocket_url="wss://a.example/x?y=1", api_url="https://b.example:8443/v1/")
    assert (settings.websocket_url, settings.api_url) == ("wss://a.example/x?y=1", "https://b.example:8443/v1")
    assert Strict().api_url == "https://example.com/v1"


@pytest.mark.parametrize("host", ["localhost", "localhost:81", "127.0.0.1:81", "127.1.2.3", "[::1]:81", "a.localhost"])
def test_plain_addresses_are_for_this_machine(host: str) -> None:
    Settings(websocket_url=f"ws://{host}/x", api_url=f"http://{host}/v1")
    Strict(api_url=f"http://{host}/v1")


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "localhost.example.com", "[::2]", "127.0.0.1.example.com"])
def test_plain_addresses_of_other_machines_must_be_asked_for(host: str) -> None:
    assert "insecure = true" in refused(websocket_url=f"ws://{host}/x")
    assert "insecure = true" in refused(api_url=f"http://{host}/x")
    assert "insecure = true" in refused(Strict, api_url=f"http://{host}/x")
    Settings(insecure=True, websocket_url=f"ws://{host}/x", api_url=f"http://{host}/v1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "https://example.com",
        "ftp://example.com",
        "wss://",
        "wss://user:canary@example.com/",
        "wss://example.com/#canary",
        "wss://example.com:port/",
        "wss://[canary/",
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    assert "canary" not in refused(websocket_url=url)
    with pytest.raises(ValueError, match="must be"):
        check_url(url, scheme="ws", insecure=True)


def test_a_base_address_has_no_query() -> None:
    assert "nothing more" in refused(api_url="https://example.com/v1?key=x")


def test_the_schema_has_texts() -> None:
    assert Settings.model_json_schema()["properties"]["api_url"]["anyOf"][0] == {"type": "string"}
