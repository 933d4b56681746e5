"""`VoiceProcessor`: the front door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from debabelizer.audio.format import AudioFormat
from debabelizer.candidates import Candidate, candidates, for_recordings
from debabelizer.errors import DebabelizerError
from debabelizer.options import Options
from debabelizer.results import Progress, Transcript
from debabelizer.streaming.health import Health

if TYPE_CHECKING:
    from debabelizer.config import Settings
    from debabelizer.plugins import PluginRegistry
    from debabelizer.provider import Provider
    from debabelizer.spec import Capabilities, ProviderSpec
    from debabelizer.streaming.connection import Connection
    from debabelizer.streaming.leg import Leg
    from debabelizer.streaming.stream import TranscriptionStream
    from debabelizer.streaming.supervisor import Supervisor

__all__ = ["VoiceProcessor"]


class VoiceProcessor:
    """Transcribes files and streams through whatever provider the configuration names.

    Use it as an async context manager: leaving it leaves no task, thread, socket or file behind.

    Args:
        config: A path, a mapping, or `Settings`; by default `debabelizer.toml` is looked for.
        profile: Name of the profile to lay over the configuration.
        provider: One provider, or several in order of preference; stronger than the configuration.
        sets: ``key=value`` lines as on the command line.
        registry: The plugins to use; by default those that are installed.

    Raises:
        ConfigError: If the configuration cannot be used; it names every problem.
    """

    def __init__(
        self,
        config: str | PathLike[str] | Mapping[str, Any] | Settings | None = None,
        *,
        profile: str | None = None,
        provider: str | Sequence[str] | None = None,
        sets: Sequence[str] = (),
        registry: PluginRegistry | None = None,
    ) -> None:
        from debabelizer.config import install_log_redaction, load_settings

        install_log_redaction()
        overrides = {"stt": {"provider": provider}} if provider is not None else None
        self.settings = load_settings(config, profile=profile, sets=sets, overrides=overrides)
        self._registry = registry
        self._providers: dict[str, Provider[Any]] = {}
        self._health = Health(self.settings.stream.cool_down, self.settings.stream.cool_down_max)
        self._places = asyncio.Semaphore(self.settings.stt.concurrency)
        self._work: set[asyncio.Timeout] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._streams: set[Supervisor] = set()
        self._closed = False

    @property
    def registry(self) -> PluginRegistry:
        """The plugins found; discovered on first use."""
        if self._registry is None:
            from debabelizer.plugins import PluginRegistry

            self._registry = PluginRegistry.discover(disable=self.settings.plugins.disable)
        return self._registry

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End what is running, then release every provider. Idempotent.

        Transcriptions raise in their callers; streams are closed as by their own `aclose`.
        """
        self._closed = True
        now = asyncio.get_running_loop().time()
        for work in self._work:
            if not work.expired():  # by another call
                work.reschedule(now)
        streams = tuple(self._streams)
        for stream in streams:
            stream.cancel()
        await self._idle.wait()
        for stream in streams:
            await stream.join()
        async with AsyncExitStack() as stack:
            while self._providers:
                _, provider = self._providers.popitem()
                stack.push_async_callback(provider.aclose)

    async def transcribe(
        self,
        source: Any,
        *,
        provider: str | Sequence[str] | None = None,
        audio_format: AudioFormat | str | None = None,
        language_hints: Collection[str] | None = None,
        diarization: bool | None = None,
        vocabulary: Collection[str] | None = None,
        translate_to: str | None = None,
        require: Mapping[str, Any] | None = None,
        optional: Collection[str] = (),
        options: Mapping[str, Any] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Transcript:
        """Transcribe a whole recording. Of several providers, the next one is asked when one fails.

        Args:
            source: A path, bytes, a binary file object (a pipe will do), or an async iterable of bytes, in any
                container or codec; or an `AudioSource`.
            provider: Instead of the configured one.
            audio_format: Only for headerless audio: how to read it; an `AudioFormat`, or text such as ``mulaw/8000``.
            language_hints, diarization, vocabulary, translate_to: See `Options`.
            require: Capabilities that the provider must have, e.g. ``{"words": "word"}``; added to the configured.
            optional: Names of wishes that a provider without the capability may ignore.
            options: What only one vendor has; for the first provider that can do what is asked.
            on_progress: Called on the event loop with how much is done.

        Raises:
            AudioError: If the input is not usable audio.
            CapabilityError: If no chosen provider can do what was asked.
            ConfigError: If the provider's settings are wrong or a secret is missing.
            ProviderError: If the provider failed, and all others.
            ProviderLookupError: If the provider is unknown, not installed or broken.
        """
        from debabelizer.audio.source import AudioSource
        from debabelizer.config import reveal_all
        from debabelizer.recordings import transcribe

        wishes = Options(
            language_hints=language_hints,
            diarization=diarization,
            vocabulary=vocabulary,
            translate_to=translate_to,
            optional=optional,
            options=options or {},
        )
        async with self._working():
            chosen = self._candidates(provider, require, wishes, for_recordings)
            declared = None if audio_format is None else AudioFormat.of(audio_format)
            audio = AudioSource.of(source, audio_format=declared)

            async def ask(candidate: Candidate) -> Transcript:
                await reveal_all(candidate.request.settings)
                return await self._open(candidate.spec).transcribe(audio, candidate.request, on_progress or _ignore)

            try:
                await audio.check()
                async with self._places:
                    return await transcribe(chosen, audio, ask, self._health)
            finally:
                if audio is not source:
                    await audio.aclose()

    def transcribe_stream(
        self,
        source: Any = None,
        *,
        provider: str | Sequence[str] | None = None,
        audio_format: AudioFormat | str | None = None,
        language_hints: Collection[str] | None = None,
        interim: bool | None = None,
        diarization: bool | None = None,
        endpointing: bool | None = None,
        vocabulary: Collection[str] | None = None,
        translate_to: str | None = None,
        require: Mapping[str, Any] | None = None,
        optional: Collection[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> TranscriptionStream:
        """Open a stream; see `TranscriptionStream` for what to do with it.

        Of several providers, the first carries it; when it fails, the next one goes on where the words were final.

        Args:
            source: Where to pull audio from: an async iterable of raw bytes (live), or whatever `transcribe`
                takes. None to push audio with `send_audio`.
            provider: Instead of the configured one.
            audio_format: How to read raw audio, pushed or pulled; by default 16 kHz mono ``pcm_s16le``.
            language_hints, interim, diarization, endpointing, vocabulary, translate_to: See `Options`.
            require: Capabilities that the provider must have; added to the configured ones.
            optional: Names of wishes that a provider without the capability may ignore.
            options: What only one vendor has; for the first provider that can do what is asked.

        Raises:
            AudioSourceError: If the source is nothing that audio can be read from.
            CapabilityError, ConfigError, ProviderLookupError: As `transcribe`, before any audio is sent.
        """
        from debabelizer.streaming.setup import source_of, stream_capabilities
        from debabelizer.streaming.stream import TranscriptionStream
        from debabelizer.streaming.supervisor import Supervisor

        self._check_open()
        wishes = Options(
            language_hints=language_hints,
            interim=interim,
            diarization=diarization,
            endpointing=endpointing,
            vocabulary=vocabulary,
            translate_to=translate_to,
            optional=optional,
            options=options or {},
        )
        chosen = self._candidates(provider, require, wishes, lambda spec: stream_capabilities(spec.capabilities))
        declared = None if audio_format is None else AudioFormat.of(audio_format)
        pulled, given = (None, declared or AudioFormat()) if source is None else source_of(source, declared)
        self._open(chosen[0].spec)  # the others when they are needed
        legs = [self._leg(candidate, given) for candidate in chosen]

        def supervise() -> Supervisor:
            self._check_open()
            supervisor = Supervisor(
                *legs,
                audio_format=given,
                policy=self.settings.stream,
                health=self._health,
                source=pulled,
                interim=chosen[0].request.interim,
            )
            self._streams.add(supervisor)
            supervisor.on_end = lambda: self._streams.discard(supervisor)
            return supervisor

        return TranscriptionStream(
            supervise, name=chosen[0].spec.name, observe=lambda stream: self.registry.observe(stream) or None
        )

    def _candidates(
        self,
        names: str | Sequence[str] | None,
        require: Mapping[str, Any] | None,
        wishes: Options,
        able: Callable[[ProviderSpec], Capabilities],
    ) -> tuple[Candidate, ...]:
        return candidates(self.settings, self.registry, names, require or {}, wishes, able)

    def _leg(self, candidate: Candidate, given: AudioFormat) -> Leg:
        """How a provider carries a stream of audio in this format."""
        from debabelizer.audio.convert import Converter
        from debabelizer.config import reveal_all
        from debabelizer.streaming.leg import Leg
        from debabelizer.streaming.setup import wire_format

        spec, capabilities, request = candidate.spec, candidate.capabilities, candidate.request
        wire = wire_format(capabilities, given)
        Converter(given, wire)  # whether that can be done is told now

        async def connect() -> Connection:
            await reveal_all(request.settings)
            return self._open(spec).connection(request, wire)

        return Leg(
            provider=spec.name,
            connect=connect,
            wire=wire,
            speed=capabilities.max_speed,
            max_session=capabilities.max_session,
            flushes=capabilities.flush != "none",
        )

    def _open(self, spec: ProviderSpec) -> Provider[Any]:
        """The provider itself, made on first use."""
        if spec.name not in self._providers:
            self._providers[spec.name] = self.registry.factory(spec)(spec)
        return self._providers[spec.name]

    def _working(self) -> _Working:
        self._check_open()
        return _Working(self._work, self._idle)

    def _check_open(self) -> None:
        if self._closed:
            raise DebabelizerError("This VoiceProcessor is closed.", hint="Open a new one.")


class _Working:
    """Marks a stretch of work that `VoiceProcessor.aclose` can end: it then raises in its own task.

    A timeout without a deadline serves as the handle: rescheduling it to now cancels just the body, in the task
    that runs it, and tells that cancellation from one by the caller.
    """

    def __init__(self, work: set[asyncio.Timeout], idle: asyncio.Event) -> None:
        self._work = work
        self._idle = idle
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._work.add(self._timeout)
        self._idle.clear()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._work.discard(self._timeout)
        if not self._work:
            self._idle.set()
        try:
            await self._timeout.__aexit__(exc_type, exc, traceback)
        except TimeoutError:
            if not self._timeout.expired():
                raise
            raise DebabelizerError("The VoiceProcessor was closed while this transcription was running.") from None


def _ignore(progress: Progress) -> None:
    """Take no notice of progress."""
