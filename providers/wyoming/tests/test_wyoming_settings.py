from __future__ import annotations

import pytest
from debabelizer_wyoming.address import Address
from debabelizer_wyoming.settings import WyomingSettings
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("uri", "address", "here"),
    [
        ("tcp://127.0.0.1:10300", Address("127.0.0.1", 10300), True),
        ("tcp://localhost:1/", Address("localhost", 1), True),
        ("tcp://[::1]:10300", Address("::1", 10300), True),
        ("unix:///run/whisper.sock", Address(path="/run/whisper.sock"), True),
        ("tcp://homeassistant.local:10300", Address("homeassistant.local", 10300), False),
        ("tcp://192.168.1.7:10300", Address("192.168.1.7", 10300), False),
    ],
)
def test_addresses(uri: str, address: Address, here: bool) -> None:
    assert Address.parse(uri) == address
    assert address.is_here == here
    assert str(address) == uri.rstrip("/")


@pytest.mark.parametrize(
    "uri", ["tcp://", "tcp://:1", "tcp://h:99999", "tcp://h:1/path", "unix://host/path", "tcp://["]
)
def test_what_is_no_address(uri: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        Address.parse(uri)


def test_another_machine_must_be_allowed() -> None:
    uri = "tcp://homeassistant.local:10300"
    with pytest.raises(ValidationError, match="in the clear"):
        WyomingSettings(uri=uri)
    assert WyomingSettings(uri=uri, insecure=True).uri == uri
