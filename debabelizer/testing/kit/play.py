"""`play`: one stream of coded speech through the provider, from first to last, with everything that came of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import DebabelizerError, SessionExpiredError, StreamError
from debabelizer.plugins import PluginRegistry
from debabelizer.processor import VoiceProcessor
from debabelizer.provider import Provider
from debabelizer.results import FlushResult, Reconnecting, StreamEvent, StreamingResult, StreamStats, Transcript
from debabelizer.spec import ProviderSpec
from debabelizer.streaming.setup import stream_capabilities, wire_format
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.coded import CodedWord, Report, compare, encode_words, plan_words
from debabelizer.testing.kit.doubles import Simulator, doors
from debabelizer.testing.kit.speech import Recording, prompt
from debabelizer.testing.kit.tape import Moment, Tap, Tape
from debabelizer.testing.kit.traces import Traces
from debabelizer.testing.proxy import FaultProxy

__all__ = ["KEY", "PLAN", "Performance", "Scene", "Stage", "opened", "play"]

KEY: Final = "test-key"
PLAN: Final = plan_words(18, phrase=6, pause=1.5)
"""What is said if nothing else is: three phrases, with pauses in which any service notices that one is over."""

Watch = Callable[["Stage", Moment, Tape], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is to be played.

    Attributes:
        words: What is said.
        audio_format: In which format.
        wishes: Options of `VoiceProcessor.transcribe_stream`.
        key: The key that the provider is given; `right_key` is the one that the service accepts.
        policy: The ``[stream]`` table.
        spec: Instead of the suite's.
        proxied: Whether the fault proxy stands before the service: before what streams talk to, or what takes files.
        watch: Called at each moment of a connection; what it raises, its connection gets.
        pause: After how many seconds of speech to be silent for how long, if at all.
        flush_at: After how many seconds of speech to flush, if at all.
        at_once: Whether all of it is there at once, as in a recording, instead of being spoken.
        mute: Whether keepalives are held back.
        max_session: Seconds after which the service ends a session by its own rule.
        close_at: Number of the moment at which to close the stream, if at all.
        live: Real speech to be played to the live service instead.
        unread: Seconds for which the user does not read, after the first result.
        thorough: Whether to look for what was left behind, which takes its time.
    """

    words: Sequence[CodedWord] = PLAN
    audio_format: AudioFormat = field(default_factory=AudioFormat)
    wishes: Mapping[str, Any] = field(default_factory=dict)
    key: str = KEY
    right_key: str = KEY
    policy: Mapping[str, Any] = field(default_factory=dict)
    spec: ProviderSpec | None = None
    proxied: Literal["streams", "files"] | None = None
    watch: Watch | None = None
    pause: tuple[float, float] | None = None
    flush_at: float | None = None
    at_once: bool = False
    mute: bool = False
    max_session: float | None = None
    close_at: int | None = None
    live: Recording | None = None
    unread: float = 0.0
    thorough: bool = False


@dataclass(slots=True, eq=False)
class Stage:
    """What a case has to do with: a processor for one provider, its tap, and what stands behind it."""

    processor: VoiceProcessor
    tap: Tap
    simulator: Simulator | None
    proxy: FaultProxy | None
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class Performance:
    """What came of a scene.

    Attributes:
        scene: What was played.
        tapes: Every connection.
        events: What the user received.
        error: How the stream ended for the user: None is complete.
        failure: How the simulator failed, if it did and says so.
        transcript, stats: Of the stream.
        flush: The answer to the flush, if there was one.
        seconds: How long it took, on the loop's clock; `closing`: how long of it the user waited in `aclose`.
        taken_unread: Seconds of audio that connections took before the user read on.
        outlived: Connections that ran on when all was closed.
        left: What was left behind, if the scene is thorough.
        complaints: What the event loop complained about.
        shown: All that a user might show or log.
    """

    scene: Scene
    tapes: Sequence[Tape] = ()
    events: list[StreamEvent] = field(default_factory=list)
    error: Exception | None = None
    failure: BaseException | None = None
    transcript: Transcript = field(default_factory=lambda: Transcript(text=""))
    stats: StreamStats = field(default_factory=StreamStats)
    flush: FlushResult | None = None
    seconds: float = 0.0
    closing: float = 0.0
    taken_unread: float = 0.0
    outlived: Sequence[Tape] = ()
    left: Sequence[str] = ()
    complaints: Sequence[str] = ()
    shown: list[object] = field(default_factory=list, repr=False)

    @property
    def results(self) -> list[StreamingResult]:
        """What the user received of text."""
        return [event for event in self.events if isinstance(event, StreamingResult)]

    @property
    def causes(self) -> list[Exception]:
        """Why connections were given up."""
        attempts = self.error.attempts if isinstance(self.error, StreamError) else ()
        return [event.cause for event in self.events if isinstance(event, Reconnecting)] + [
            attempt.cause for attempt in attempts
        ]

    @property
    def report(self) -> Report:
        """What became of the words."""
        return compare(self.scene.words, self.transcript)


@asynccontextmanager
async def opened(
    spec: ProviderSpec,
    simulate: Callable[[str], Simulator] | None,
    settings: Mapping[str, Any],
    scene: Scene,
) -> AsyncIterator[Stage]:
    """A processor for one provider, which is led to its simulator; without one, to the live service."""
    tap, proxy, simulator = Tap(), None, None
    prompt(scene.words)
    async with AsyncExitStack() as stack:
        table = dict(settings)
        if simulate is not None:
            simulator = await stack.enter_async_context(simulate(scene.right_key))
            if scene.max_session is not None and hasattr(simulator, "max_session"):
                simulator.max_session = scene.max_session
            for door in doors(simulator):
                host, port = door.address
                if scene.proxied in door.serves:
                    proxy = await stack.enter_async_context(FaultProxy(host, port))
                    host, port = proxy.host, proxy.port
                table |= door.settings(host, port)
            table |= {secret.key: scene.key for secret in spec.secrets}
        config = {"stt": {"provider": spec.name}, "providers": {spec.name: table}, "stream": dict(scene.policy)}
        registry = cast("_TappedRegistry", _TappedRegistry.of(spec))
        registry.tap = tap
        processor = await stack.enter_async_context(VoiceProcessor(config, registry=registry))
        stage = Stage(processor, tap, simulator, proxy)
        try:
            yield stage
        finally:
            for task in stage.tasks:
                task.cancel()
            await asyncio.gather(*stage.tasks, return_exceptions=True)


async def play(
    spec: ProviderSpec,
    simulate: Callable[[str], Simulator] | None,
    settings: Mapping[str, Any],
    scene: Scene,
) -> Performance:
    """Play a scene, in a format that the provider takes as it is: coded words do not outlive a resampling."""
    wire = wire_format(stream_capabilities((scene.spec or spec).capabilities), scene.audio_format)
    scene = replace(scene, audio_format=wire)
    loop = asyncio.get_running_loop()
    traces, begun = Traces(), loop.time()
    performance = Performance(scene=scene)
    try:
        async with opened(scene.spec or spec, simulate, settings, scene) as stage:
            tap, performance.tapes = stage.tap, stage.tap.tapes
            close = asyncio.Event()

            def watch(moment: Moment, tape: Tape) -> None:
                if tap.steps == scene.close_at:
                    close.set()
                if scene.watch is not None:
                    scene.watch(stage, moment, tape)
                over = loop.time() - (tape.begun or 0.0) >= (scene.max_session or math.inf)
                if over and not hasattr(stage.simulator, "max_session"):
                    raise SessionExpiredError("A session that is over, on purpose.")

            tap.watch, tap.mute = watch, scene.mute
            source = None if scene.live is None else scene.live.path
            given = scene.audio_format if scene.live is None else None
            async with stage.processor.transcribe_stream(source, audio_format=given, **scene.wishes) as stream:
                if scene.live is None:
                    stage.tasks.append(asyncio.create_task(_speak(stream, performance), name="kit: speaker"))
                closer = asyncio.create_task(_close(stream, close, performance), name="kit: closer")
                stage.tasks.append(closer)
                performance.shown += [stage.processor, stage.processor.settings, stream]
                try:
                    async for event in stream.events():
                        performance.events.append(event)
                        if scene.unread and len(performance.events) == 1:
                            await asyncio.sleep(scene.unread)
                            performance.taken_unread = sum(tape.sent for tape in tap.tapes)
                            break
                finally:
                    performance.transcript, performance.stats = stream.transcript, stream.stats
                    performance.failure = getattr(stage.simulator, "failure", None)
                if close.is_set():
                    await closer
    except DebabelizerError as error:
        performance.error = error
    performance.seconds = loop.time() - begun
    performance.outlived = [tape for tape in performance.tapes if tape.outcome is None]
    performance.left = await traces.left() if scene.thorough else ()
    performance.complaints = traces.complaints
    performance.shown += [*performance.events, performance.transcript, performance.stats]
    return performance


async def _speak(stream: TranscriptionStream, performance: Performance) -> None:
    """Say the words, a tenth of a second at a time, as fast as they may be sent."""
    scene = performance.scene
    pace = 0.0 if scene.at_once else 0.1 / (scene.policy.get("max_speed") or 1.0)
    audio = encode_words(scene.words, scene.audio_format, tail=1.0)
    frame = scene.audio_format.frame_bytes
    size = max(scene.audio_format.bytes_per_second // 10 // frame, 1) * frame
    for at in range(0, len(audio), size):
        now, soon = scene.audio_format.seconds(at), scene.audio_format.seconds(at + size)
        if scene.pause is not None and now <= scene.pause[0] < soon:
            await asyncio.sleep(scene.pause[1])
        if scene.flush_at is not None and now <= scene.flush_at < soon:
            performance.flush = await stream.flush()
        await asyncio.sleep(pace)
        await stream.send_audio(audio[at : at + size])
    await stream.end_audio()


async def _close(stream: TranscriptionStream, when: asyncio.Event, performance: Performance) -> None:
    loop = asyncio.get_running_loop()
    await when.wait()
    begun = loop.time()
    await stream.aclose()
    performance.closing = loop.time() - begun


class _TappedRegistry(PluginRegistry):
    """A registry whose providers are listened in on."""

    tap: Tap

    def factory(self, spec: ProviderSpec) -> Callable[[ProviderSpec], Provider[Any]]:
        make = super().factory(spec)

        def tapped(spec: ProviderSpec) -> Provider[Any]:
            provider = make(spec)
            self.tap.listen_in(provider)
            return provider

        return tapped
