"""Where Soniox lives."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["Region", "api_url", "websocket_url"]

Region: TypeAlias = Literal["us", "eu", "jp"]

# All hosts derive from one base domain. There is no `us.` host: the base itself is the US region.
_DOMAINS: Final[dict[Region, str]] = {"us": "soniox.com", "eu": "eu.soniox.com", "jp": "jp.soniox.com"}


def websocket_url(region: Region) -> str:
    """Address of the real-time service."""
    return f"wss://stt-rt.{_DOMAINS[region]}/transcribe-websocket"


def api_url(region: Region) -> str:
    """Base address of the REST API, without a slash at its end."""
    return f"https://api.{_DOMAINS[region]}/v1"
