"""Soniox's REST API: what the shared client has to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from debabelizer.rest import Container, RestClient
from debabelizer_soniox.faults import http_error
from debabelizer_soniox.requests import authorization
from debabelizer_soniox.settings import SonioxSettings

if TYPE_CHECKING:
    from aiohttp import ClientSession

__all__ = ["CONTAINERS", "LARGEST_FILE", "open_client"]

LARGEST_FILE: Final = 1024**3
"""Most bytes that Soniox takes in one file (documentation). Decoded, the 300 min that one may last are 576 MB."""

CONTAINERS: Final[frozenset[Container]] = frozenset(
    {"aac", "aiff", "amr", "asf", "flac", "mp3", "mp4", "ogg", "wav", "webm"}
)
"""Containers that Soniox reads (documentation)."""


def open_client(session: ClientSession, settings: SonioxSettings, *, patience: float = 60.0) -> RestClient:
    """A client with the key and for the region of `settings`.

    Raises:
        AuthenticationError: If there is no usable key.
    """
    return RestClient(
        session, settings.rest_endpoint, headers=authorization(settings), fault=http_error, patience=patience
    )
