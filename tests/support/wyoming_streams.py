"""The Wyoming provider with its streams as its own, so that the kit breaks its connections in every phase."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from debabelizer_wyoming import SPEC
from debabelizer_wyoming.provider import WyomingProvider

from debabelizer.audio.format import AudioFormat
from debabelizer.provider import Request
from debabelizer.streaming.connection import Connection
from debabelizer.streaming.segmenter import SegmenterConnection, lent_capabilities

__all__ = ["STREAMING", "StreamingWyoming"]


class StreamingWyoming(WyomingProvider):
    """As it is, but that it asks for the segmenter itself."""

    def connection(self, request: Request[Any], audio_format: AudioFormat) -> Connection:
        return SegmenterConnection(self.decoder(request), request)


STREAMING: Final = replace(
    SPEC,
    factory="support.wyoming_streams:StreamingWyoming",
    capabilities=lent_capabilities(SPEC.capabilities),
)
