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
from debabelizer.streaming.health import Health

if TYPE_CHECKING:
    from debabelizer.choosing import Preference
    from debabelizer.config import Settings
    from debabelizer.plugins import PluginRegistry
    from debabelizer.provider import Provider
    from debabelizer.results import Choice, Progress, Transcript, Usage
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
        from debabelizer.accounts import Accounts
        from debabelizer.config import install_log_redaction, load_settings

        install_log_redaction()
        overrides = {"stt": {"provider": provider}} if provider is not None else None
        self.settings = load_settings(config, profile=profile, sets=sets, overrides=overrides)
        self._registry = registry
        self._providers: dict[str, Provider[Any]] = {}
        self._health = Health(self.settings.stream.cool_down, self.settings.stream.cool_down_max)
        self._accounts = Accounts()
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

    @property
    def usage(self) -> tuple[Usage, ...]:
        """What each provider was given so far, by all streams and recordings together, also by those that failed."""
        return self._accounts.usage(usage for stream in self._streams for usage in stream.stats.usage)

    def choice(
        self,
        *,
        provider: str | Sequence[str] | None = None,
        prefer: Preference | None = None,
        require: Mapping[str, Any] | None = None,
    ) -> tuple[Choice, ...]:
        """Whom a stream would be given to now, in order, and why; nothing is opened. Arguments and errors as there."""
        return self._choose(provider, prefer, require, Options(), _for_streams)[1]

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
        prefer: Preference | None = None,
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
            prefer: What the order of several providers follows: ``order``, ``latency``, ``cost`` or ``accuracy``.
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
            chosen, _ = self._choose(provider, prefer, require, wishes, for_recordings)
            declared = None if audio_format is None else AudioFormat.of(audio_format)
            audio = AudioSource.of(source, audio_format=declared)

            async def ask(candidate: Candidate) -> Transcript:
                await reveal_all(candidate.request.settings)
                engine = self._open(candidate.spec)
                with self._accounts.recording(candidate.spec, audio) as done:
                    return done(await engine.transcribe(audio, candidate.request, on_progress or _ignore))

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
        prefer: Preference | None = None,
        race: int | None = None,
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
            prefer: What the order of several providers follows: ``order``, ``latency``, ``cost`` or ``accuracy``.
            race: How many of them hear the audio side by side, so that another one goes on at once.
            optional: Names of wishes that a provider without the capability may ignore.
            options: What only one vendor has; for the first provider that can do what is asked.

        Raises:
            AudioSourceError: If the source is nothing that audio can be read from.
            CapabilityError, ConfigError, ProviderLookupError: As `transcribe`, before any audio is sent.
        """
        from debabelizer.streaming.setup import source_of
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
        chosen, choice = self._choose(provider, prefer, require, wishes, _for_streams)
        running = self.settings.stt.race if race is None else race
        if running < 1:
            raise DebabelizerError(f"There cannot be {running} providers in a race.", hint="Give 1, or more.")
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
                race=running,
                choice=choice,
                source=pulled,
                interim=chosen[0].request.interim,
            )
            self._streams.add(supervisor)
            supervisor.on_end = lambda: self._ended(supervisor)
            return supervisor

        return TranscriptionStream(
            supervise, name=chosen[0].spec.name, observe=lambda stream: self.registry.observe(stream) or None
        )

    def _ended(self, stream: Supervisor) -> None:
        """Nothing is left of a stream but its figures."""
        if stream in self._streams:
            self._streams.discard(stream)
            self._accounts.add(stream.stats.usage)
            for name, seconds in stream.record.latencies().items():
                self._accounts.measured(name, seconds, of_recording=False)

    def _choose(
        self,
        names: str | Sequence[str] | None,
        prefer: Preference | None,
        require: Mapping[str, Any] | None,
        wishes: Options,
        able: Callable[[ProviderSpec], Capabilities],
    ) -> tuple[list[Candidate], tuple[Choice, ...]]:
        """Who can, in the order in which they are asked; and why."""
        from debabelizer.choosing import Facts, choose

        stt = self.settings.stt
        found, refused = candidates(self.settings, self.registry, names, require or {}, wishes, able)
        facts = tuple(
            Facts(
                provider=it.spec.name,
                capabilities=it.capabilities,
                latency=self._accounts.latency(it.spec.name, of_recording=able is for_recordings),
                word_error_rate=stt.accuracy.get(it.spec.name),
            )
            for it in found
        )
        prefer = prefer or stt.prefer
        hook = self.registry.hook.by_plugin("debabelizer_choose_providers", candidates=facts, prefer=prefer)
        reasons = {refusal.provider: refusal.message for refusal in refused}
        choice = choose(facts, prefer, refused=reasons, answers=hook if len(facts) > 1 else ())
        by_name = {it.spec.name: it for it in found}
        return [by_name[it.provider] for it in choice if it.place is not None], choice

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
            price_per_hour=capabilities.price_per_hour,
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


def _for_streams(spec: ProviderSpec) -> Capabilities:
    from debabelizer.streaming.setup import stream_capabilities

    return stream_capabilities(spec.capabilities)


def _ignore(progress: Progress) -> None:
    """Take no notice of progress."""
