from __future__ import annotations

import pytest

from debabelizer import AuthenticationError, ConfigError, Secret
from debabelizer.config import usable_key


def test_a_key_is_handed_out_as_it_is() -> None:
    assert usable_key(Secret("test-key"), provider="acme", env="ACME_API_KEY") == "test-key"


@pytest.mark.parametrize("secret", [None, Secret("")])
def test_without_a_key_the_hint_says_where_to_put_it(secret: Secret | None) -> None:
    with pytest.raises(AuthenticationError, match="no API key") as caught:
        usable_key(secret, provider="acme", env="ACME_API_KEY")
    assert (caught.value.provider, caught.value.hint) == ("acme", "Set api_key, or ACME_API_KEY.")


@pytest.mark.parametrize("key", ["canary key", "canary\nkey", "canary\r\nX: y", "canary\x00", "canäry", "canary\x7f"])
def test_what_no_header_can_hold_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(AuthenticationError, match="characters") as caught:
        usable_key(Secret(key), provider="acme", env="ACME_API_KEY")
    assert "can" not in str(caught.value)


def test_a_key_that_is_not_where_it_should_be_is_a_fault_of_the_configuration() -> None:
    secret = Secret.parse({"env": "ACME_API_KEY"}, environ={})
    with pytest.raises(ConfigError, match="ACME_API_KEY"):
        usable_key(secret, provider="acme", env="ACME_API_KEY")
