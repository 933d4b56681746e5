"""Every fault in every phase, against the simulated service over real sockets, forty times as fast as life.

The cases are data: `tests/faults` asserts them, and `python -m support.reliability` (with ``tests`` on the path)
writes them into ``docs/reliability.md``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from debabelizer import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeout,
    DrainTimeout,
    InvalidRequestError,
    ProgressTimeout,
    ProtocolError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
    SessionExpiredError,
    StreamError,
    StreamEvent,
    StreamStats,
    VoiceProcessor,
)
from debabelizer.plugins import PluginRegistry
from debabelizer.testing.coded import CodedWord, Report, compare, encode_words, plan_words
from debabelizer.testing.soniox import Behaviour, Fault, SonioxSimulator
from debabelizer.testing.soniox.faults import Moment

__all__ = ["CASES", "PHASES", "POLICY", "WORDS", "Case", "Run", "run_case"]

SPEED: Final = 40.0  # times real time
WORDS: Final = plan_words(270, length=0.09, gap=0.01, phrase=9, pause=0.1)  # 30 s of speech without much pause
_CHUNK = 0.1  # seconds

HANDSHAKE: Final = "in the handshake"
END: Final = "after the end of audio"
PHASES: Final[dict[str, Moment]] = {
    HANDSHAKE: "accept",
    "right after the handshake": "open",
    "at the first audio": 0.05,
    "in mid-speech": 12.03,
    "within the last words": 29.5,
    END: "end",
}
SESSION: Final = tuple(phase for phase in PHASES if phase != HANDSHAKE)  # there are no messages before

# Deadlines as short as the speed allows; the defaults are ten seconds and the like.
POLICY: Final = {
    "max_speed": SPEED,
    "connect_timeout": 0.4,
    "send_timeout": 0.4,
    "stall_timeout": 0.4,
    "drain_timeout": 0.4,
    "close_timeout": 0.3,
    "backoff_base": 0.005,
    "backoff_max": 0.1,
    "give_up_after": 2.0,
    "max_attempts": 8,
}


@dataclass(frozen=True)
class Case:
    """A fault, and what must come of it.

    Attributes:
        title: As in the table.
        faults: For a moment of `PHASES`, what goes wrong then.
        cause: Type of the cause that is reported, or None if there is nothing to report.
        error: Whether the stream must fail; otherwise every word must come.
        connections: Most connections it may take.
        phases: Names of `PHASES` in which it can happen; empty if it is not one moment that it happens in.
        behaviour: How the service behaves otherwise.
        policy: Other numbers than `POLICY`.
    """

    title: str
    faults: Callable[[Moment], list[Fault]]
    cause: type[Exception] | tuple[type[Exception], ...] | None
    error: bool = False
    connections: int = 2
    phases: tuple[str, ...] = SESSION
    behaviour: Behaviour = field(default_factory=Behaviour)
    policy: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What came of a case."""

    report: Report
    stats: StreamStats
    events: tuple[StreamEvent, ...]
    error: StreamError | None
    connections: int
    seconds: float


def once(make: Callable[..., Fault], *arguments: Any, **options: Any) -> Callable[[Moment], list[Fault]]:
    return lambda at: [make(*arguments, at=at, **options)]


def always(make: Callable[..., Fault], *arguments: Any, **options: Any) -> Callable[[Moment], list[Fault]]:
    return lambda at: [make(*arguments, at=at, connections="always", **options)]


def only(phase: str, *faults: Fault) -> dict[str, Any]:
    """What can happen in one phase."""
    return {"faults": lambda at: list(faults), "phases": (phase,)}


def throughout(*faults: Fault) -> dict[str, Any]:
    """What is not a matter of one moment."""
    return {"faults": lambda at: list(faults), "phases": ()}


LOST = (ConnectionLostError, ConnectError)  # one that is reset at once may not even have seen the handshake
DEAF = (ConnectTimeout, ProgressTimeout, DrainTimeout)
EVER: Final[Any] = {"connections": "always"}

CASES: Final[dict[str, Case]] = {
    "none": Case("none", cause=None, connections=1, **throughout()),
    "reset": Case("TCP reset", once(Fault.reset), LOST, phases=tuple(PHASES)),
    "eof": Case("FIN without a close frame", once(Fault.eof), LOST, phases=tuple(PHASES)),
    "close 1000": Case("close 1000 before `finished`", once(Fault.close, 1000), LOST),
    "close 1001": Case("close 1001", once(Fault.close, 1001), LOST),
    "close 1011": Case("close 1011", once(Fault.close, 1011), LOST),
    "freeze": Case("half-open: reads nothing, answers no ping", once(Fault.freeze), DEAF, phases=tuple(PHASES)),
    "mute": Case("mute: answers pings, says no words", once(Fault.mute), DEAF),
    "stall": Case("answers, but stands still", once(Fault.stall), DEAF),
    "malformed": Case("malformed JSON", once(Fault.malformed), ProtocolError),
    "binary": Case("binary message", once(Fault.binary), ProtocolError),
    "oversized": Case("message of 5 MB", once(Fault.oversized), LOST),
    "duplicate": Case("every message twice", once(Fault.duplicate), None, connections=1),
    "finish early": Case("`finished` without having processed", once(Fault.finish_early), ProtocolError),
    "refused": Case(
        "reset, then refused for a while",
        lambda at: [Fault.refuse(0.5, at=at)],
        LOST,
        phases=tuple(PHASES),
        policy={"max_attempts": 100},
    ),
    "late handshake": Case(
        "reset, and the next handshake takes long",
        lambda at: [Fault.reset(at=at, connections=[0]), Fault.handshake(0.2, connections=[1])],
        LOST,
        phases=tuple(PHASES),
    ),
    "no handshake": Case(
        "handshake never answered, once", cause=ConnectTimeout, **only(HANDSHAKE, Fault.handshake(connections=[0]))
    ),
    "upgrade 503": Case(
        "handshake answered with 503", cause=ServiceUnavailableError, **only(HANDSHAKE, Fault.http(503))
    ),
    "upgrade 401": Case(
        "handshake answered with 401",
        cause=AuthenticationError,
        error=True,
        connections=1,
        **only(HANDSHAKE, Fault.http(401, **EVER)),
    ),
    "408 once": Case("error frame 408", once(Fault.error, 408), SessionExpiredError),
    "413": Case("error frame 413, session over", once(Fault.error, 413), SessionExpiredError),
    "429": Case("error frame 429", once(Fault.error, 429), RateLimitedError),
    "500": Case("error frame 500", once(Fault.error, 500), ServiceUnavailableError),
    "503": Case("error frame 503", once(Fault.error, 503), ServiceUnavailableError),
    "503 bare": Case(
        "… without `tokens`, without `error_type`",
        once(Fault.error, 503, tokens=False, modern=False),
        ServiceUnavailableError,
    ),
    "400": Case("error frame 400", always(Fault.error, 400), InvalidRequestError, error=True, connections=1),
    "401": Case("error frame 401", always(Fault.error, 401), AuthenticationError, error=True, connections=1),
    "402": Case("error frame 402", always(Fault.error, 402), QuotaExceededError, error=True, connections=1),
    "403": Case("error frame 403", always(Fault.error, "permission_denied"), AuthenticationError, True, 1),
    "counters rest": Case(
        "TCP reset, when counters rest in silence",
        once(Fault.reset),
        LOST,
        behaviour=Behaviour(silence_is_final=False, empty_responses=False),
    ),
    "ignored end": Case("end of audio never answered, once", cause=DrainTimeout, **only(END, Fault.ignore_end())),
    "linger": Case("`finished`, but the socket stays open", cause=None, connections=1, **only(END, Fault.linger())),
    "no ack": Case("no first answer", cause=None, connections=1, behaviour=Behaviour(ack="omitted"), **throughout()),
    "drops": Case(
        "reset every few seconds",
        cause=LOST,
        connections=12,
        **throughout(*[Fault.reset(at=3.0, connections=[number]) for number in range(9)]),
    ),
    "after handshake": Case(
        "dropped right after the handshake, once", cause=LOST, **throughout(Fault.close(1000, at="open"))
    ),
    "after handshake always": Case(
        "dropped right after the handshake, always",
        cause=LOST,
        error=True,
        connections=8,
        **throughout(Fault.close(1000, at="open", **EVER)),
    ),
    "no handshake always": Case(
        "handshake never answered, always",
        cause=ConnectTimeout,
        error=True,
        connections=8,
        **throughout(Fault.handshake(**EVER)),
    ),
    "503 always": Case(
        "error frame 503 at the start, always",
        cause=ServiceUnavailableError,
        error=True,
        connections=8,
        **throughout(Fault.error(503, **EVER)),
    ),
    "mute always": Case(
        "mute from the start, always", cause=DEAF, error=True, connections=8, **throughout(Fault.mute(at=0.05, **EVER))
    ),
    "ignored end always": Case(
        "end of audio never answered, always",
        cause=DrainTimeout,
        error=True,
        connections=8,
        **throughout(Fault.ignore_end(**EVER)),
    ),
}


async def run_case(
    case: Case,
    at: Moment = 0.0,
    *,
    words: tuple[CodedWord, ...] = WORDS,
    policy: dict[str, Any] | None = None,
    spare: bool = False,
) -> Run:
    """Speak `words` into a simulator in which `case` goes wrong at the moment `at`.

    With a `spare`, there is a second provider: another simulator, in which nothing goes wrong.
    """
    audio = encode_words(words, tail=0.2)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    events: list[StreamEvent] = []
    error = None
    soniox = PluginRegistry.discover().spec("soniox")
    registry = PluginRegistry.of(soniox, replace(soniox, name="spare"))
    behaviour = replace(case.behaviour, record_audio=False)
    async with (
        SonioxSimulator(faults=case.faults(at), behaviour=behaviour) as server,
        SonioxSimulator(behaviour=Behaviour(record_audio=False)) as other,
    ):
        config = {
            "stt": {"provider": ["soniox", "spare"] if spare else "soniox"},
            "providers": {
                name: {"api_key": "test-key", "websocket_url": each.url}
                for name, each in (("soniox", server), ("spare", other))
            },
            "stream": {**POLICY, **case.policy, **(policy or {})},
        }
        async with VoiceProcessor(config, registry=registry) as processor, processor.transcribe_stream() as stream:
            speaking = asyncio.ensure_future(_speak(stream, audio))
            try:
                async for event in stream.events():
                    events.append(event)
            except StreamError as failure:
                error = failure
            finally:
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)
            transcript, stats = stream.transcript, stream.stats
        connections = len(server.connections)
    return Run(
        report=compare(words, transcript),
        stats=stats,
        events=tuple(events),
        error=error,
        connections=connections,
        seconds=loop.time() - begun,
    )


async def _speak(stream: Any, audio: bytes) -> None:
    """Live audio: a chunk whenever its time has come, whatever the stream does."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    size = round(32000 * _CHUNK)
    for number, start in enumerate(range(0, len(audio), size)):
        due = begun + (number + 1) * _CHUNK / SPEED
        await asyncio.sleep(max(due - loop.time(), 0))
        await stream.send_audio(audio[start : start + size])
    await stream.end_audio()
