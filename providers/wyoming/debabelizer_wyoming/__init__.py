"""Wyoming for Debabelizer: the speech servers of Home Assistant and Rhasspy, on your own network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec

__all__ = ["NAME", "SPEC", "debabelizer_register_providers"]

NAME: Final = "wyoming"

SPEC: Final = ProviderSpec(
    name=NAME,
    summary="Speech servers of Home Assistant, on your own network.",
    api_version=1,
    capabilities=Capabilities(
        batch=True,
        # The server may be this machine, and by default is; but it may be any other, so nothing is promised.
        local=False,
        words="segment",
        max_speed=None,
        languages=("*",),
    ),
    settings="debabelizer_wyoming.settings:WyomingSettings",
    factory="debabelizer_wyoming.provider:WyomingProvider",
    homepage="https://github.com/OHF-Voice/wyoming",
)


@hookimpl
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """Register the provider."""
    register(SPEC)
