"""Where Soniox lives, and which addresses may stand in for it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

__all__ = ["Region", "api_url", "check_url", "websocket_url"]

Region: TypeAlias = Literal["us", "eu", "jp"]

# All hosts derive from one base domain. There is no `us.` host: the base itself is the US region.
_DOMAINS: Final[dict[Region, str]] = {"us": "soniox.com", "eu": "eu.soniox.com", "jp": "jp.soniox.com"}


def websocket_url(region: Region) -> str:
    """Address of the real-time service."""
    return f"wss://stt-rt.{_DOMAINS[region]}/transcribe-websocket"


def api_url(region: Region) -> str:
    """Base address of the REST API, without a slash at its end."""
    return f"https://api.{_DOMAINS[region]}/v1"


def check_url(url: str, *, scheme: Literal["ws", "http"], insecure: bool) -> None:
    """Check an address that overrides the region's.

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
