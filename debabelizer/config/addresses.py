"""Addresses in a provider's settings: whole, without secrets, and encrypted unless they stay on this machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationInfo

__all__ = ["ApiUrl", "WebSocketUrl", "check_url"]


def check_url(url: str, *, scheme: Literal["ws", "http"], insecure: bool) -> None:
    """Check an address to which a key and audio will go.

    Args:
        url: The address; that of a REST API is a base address, and has no query.
        scheme: Its scheme, without the `s`.
        insecure: Whether it may be plain for other machines than this one.

    Raises:
        ValueError: If it cannot be used. The message does not show it: it might hold a secret.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an address") from None
    if parts.scheme not in {scheme, f"{scheme}s"} or not host:
        raise ValueError(f"must be a whole address that starts with {scheme}s://")
    if parts.username is not None or parts.fragment or (scheme == "http" and parts.query):
        raise ValueError("must be an address and nothing more: the key belongs in api_key")
    if parts.scheme == scheme and not insecure and not _is_loopback(host):
        raise ValueError(
            f"must start with {scheme}s://: the key and the audio would travel in the clear. Set insecure = true to "
            "allow that; on this machine it is allowed"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _websocket(url: str, info: ValidationInfo) -> str:
    check_url(url, scheme="ws", insecure=info.data.get("insecure", False))
    return url


def _api(url: str, info: ValidationInfo) -> str:
    check_url(url, scheme="http", insecure=info.data.get("insecure", False))
    return url.rstrip("/")


WebSocketUrl: TypeAlias = Annotated[str, AfterValidator(_websocket)]
"""A field for a WebSocket's address. `insecure: bool = False`, declared before it, can allow ``ws://`` anywhere."""

ApiUrl: TypeAlias = Annotated[str, AfterValidator(_api)]
"""A field for a REST API's base address, without a slash at its end. `insecure` as for `WebSocketUrl`."""
