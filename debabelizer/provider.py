"""The contract between the core and a provider: `Provider`, and the `Request` it is given.

A provider author writes a `ProviderSpec`, a settings model and one subclass of `Provider` that overrides what
its engine can do: `transcribe` for whole files, `dialect` for a WebSocket vendor, `connection` for a stream of
any other kind. The core supplies the rest: decoding, supervision, replay, and streams for batch-only engines.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from debabelizer.errors import CapabilityError
from debabelizer.spec import ProviderSpec

if TYPE_CHECKING:
    from debabelizer.audio.format import AudioFormat
    from debabelizer.audio.source import AudioSource
    from debabelizer.audio.utterances import UtteranceDecoder
    from debabelizer.results import Progress, Transcript
    from debabelizer.streaming.connection import Connection
    from debabelizer.streaming.dialect import Dialect

__all__ = ["Provider", "Request"]

SettingsT = TypeVar("SettingsT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[SettingsT]):
    """What the user asks for, in the same words for every provider.

    The core has checked each wish against the provider's capabilities; a wish that the provider may ignore
    arrives as its default.

    Attributes:
        settings: The provider's own table, validated by its model, with this call's ``options`` applied.
        language_hints: Two-letter codes, most likely first; empty means "find out".
        interim: Whether results that may still change are wanted.
        diarization: Whether speakers are to be told apart.
        endpointing: Whether the provider is to say where utterances end.
        vocabulary: Words to expect.
        translate_to: Two-letter code to translate to, or None.
    """

    settings: SettingsT
    language_hints: tuple[str, ...] = ()
    interim: bool = True
    diarization: bool = False
    endpointing: bool = True
    vocabulary: tuple[str, ...] = ()
    translate_to: str | None = None


class Provider(ABC, Generic[SettingsT]):
    """One provider, opened once for each `VoiceProcessor` and shared by all of its work.

    The factory named in the spec is called on the event loop as ``factory(spec)``. It must be cheap: models are
    loaded and connections made on first use. All methods are called on the event loop and must not block it.
    """

    def __init__(self, spec: ProviderSpec) -> None:
        self.spec = spec

    async def transcribe(
        self, audio: AudioSource, request: Request[SettingsT], report: Callable[[Progress], None]
    ) -> Transcript:
        """Transcribe a whole recording.

        Args:
            audio: The recording; `AudioSource.blocks` gives decoded audio in bounded memory.
            request: What is asked for.
            report: To be called now and then with how much audio is done; cheap.

        Returns:
            The transcript. Its `provider` and `warnings` about the audio are filled in by the core.

        Raises:
            ProviderError: If the provider fails.
            AudioError: As raised by `audio`; let it pass.
        """
        raise CapabilityError(
            f"Provider {self.spec.name!r} does not transcribe files.", provider=self.spec.name, capability="batch"
        )

    def dialect(self, request: Request[SettingsT], audio_format: AudioFormat) -> Dialect:
        """Make a fresh dialect for one connection of a WebSocket vendor; `audio_format` is what will be sent."""
        raise CapabilityError(
            f"Provider {self.spec.name!r} does not stream.", provider=self.spec.name, capability="streaming"
        )

    def decoder(self, request: Request[SettingsT]) -> UtteranceDecoder:
        """Make what turns one utterance into text, for engines that the core's segmenter makes a stream of.

        The default hands each utterance to `transcribe`.
        """
        from debabelizer.streaming.segmenter import BatchDecoder

        return BatchDecoder(self, request)

    def connection(self, request: Request[SettingsT], audio_format: AudioFormat) -> Connection:
        """Make a fresh connection, one attempt.

        The default drives `dialect` over a WebSocket, or for a provider without a stream of its own the
        segmenter over `decoder`.
        """
        if self.spec.capabilities.streaming:
            from debabelizer.streaming.websocket import WebSocketConnection

            return WebSocketConnection(self.dialect(request, audio_format))
        from debabelizer.streaming.segmenter import SegmenterConnection

        return SegmenterConnection(self.decoder(request), request)

    async def aclose(self) -> None:
        """Release everything the provider opened. Called once, after the last use."""
