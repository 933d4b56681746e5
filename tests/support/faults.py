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
from debabelizer.testing.coded import CodedWord, Report, compare, encode_words, plan_words
from debabelizer.testing.soniox import Behaviour, Fault, SonioxSimulator

__all__ = ["CASES", "CAUSES", "PHASES", "WORDS", "Case", "Run", "run_case"]

SPEED: Final = 40.0  # times real time
WORDS: Final = plan_words(270, length=0.09, gap=0.01, phrase=9, pause=0.1)  # 30 s of speech without much pause
_CHUNK = 0.1  # seconds
PHASES: Final = {"at the first audio": 0.05, "in mid-speech": 12.03, "within the last words": 29.5}

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
        faults: For a position in seconds, what goes wrong there.
        cause: Type of the cause that is reported, or None if there is nothing to report.
        error: Whether the stream must fail; otherwise every word must come.
        connections: Most connections it may take.
        phases: Names of `PHASES` in which it can happen; empty if it has no position.
        behaviour: How the service behaves otherwise.
        policy: Other numbers than `POLICY`.
    """

    title: str
    faults: Callable[[float], list[Fault]]
    cause: type[Exception] | tuple[type[Exception], ...] | None
    error: bool = False
    connections: int = 2
    phases: tuple[str, ...] = tuple(PHASES)
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


def once(make: Callable[..., Fault], *arguments: Any, **options: Any) -> Callable[[float], list[Fault]]:
    return lambda at: [make(*arguments, at=at, **options)]


def always(make: Callable[..., Fault], *arguments: Any, **options: Any) -> Callable[[float], list[Fault]]:
    return lambda at: [make(*arguments, at=at, connections="always", **options)]


def no_position(*faults: Fault) -> dict[str, Any]:
    return {"faults": lambda at: list(faults), "phases": ()}


LOST = ConnectionLostError

CASES: Final[dict[str, Case]] = {
    "none": Case("none", cause=None, connections=1, **no_position()),
    "reset": Case("TCP reset", once(Fault.reset), LOST),
    "eof": Case("FIN without a close frame", once(Fault.eof), LOST),
    "close 1000": Case("close 1000 before `finished`", once(Fault.close, 1000), LOST),
    "close 1001": Case("close 1001", once(Fault.close, 1001), LOST),
    "close 1011": Case("close 1011", once(Fault.close, 1011), LOST),
    "freeze": Case("half-open: reads nothing, answers no ping", once(Fault.freeze), (ProgressTimeout, DrainTimeout)),
    "mute": Case("mute: answers pings, says no words", once(Fault.mute), (ProgressTimeout, DrainTimeout)),
    "stall": Case("answers, but stands still", once(Fault.stall), (ProgressTimeout, DrainTimeout)),
    "malformed": Case("malformed JSON", once(Fault.malformed), ProtocolError),
    "binary": Case("binary message", once(Fault.binary), ProtocolError),
    "oversized": Case("message of 5 MB", once(Fault.oversized), LOST),
    "duplicate": Case("every message twice", once(Fault.duplicate), None, connections=1),
    "finish early": Case("`finished` without having processed", once(Fault.finish_early), ProtocolError),
    "finish early at the end": Case(
        "… after the end of audio", cause=ProtocolError, **no_position(Fault.finish_early(at="end"))
    ),
    "refused": Case(
        "reset, then refused for a while",
        lambda at: [Fault.refuse(0.5, at=at)],
        (LOST, ConnectError),
        policy={"max_attempts": 100},
    ),
    "drops": Case(
        "reset every few seconds",
        cause=LOST,
        connections=12,
        **no_position(*[Fault.reset(at=3.0, connections=[number]) for number in range(9)]),
    ),
    "after handshake": Case(
        "dropped right after the handshake, once", cause=LOST, **no_position(Fault.close(1000, at="open"))
    ),
    "after handshake always": Case(
        "… always",
        cause=LOST,
        error=True,
        connections=8,
        **no_position(Fault.close(1000, at="open", connections="always")),
    ),
    "late handshake": Case(
        "the next handshake takes long",
        lambda at: [Fault.reset(at=at, connections=[0]), Fault.handshake(0.2, connections=[1])],
        LOST,
    ),
    "no handshake": Case(
        "handshake never answered, once",
        cause=ConnectTimeout,
        **no_position(Fault.handshake(connections=[0])),
    ),
    "no handshake always": Case(
        "… always",
        cause=ConnectTimeout,
        error=True,
        connections=8,
        **no_position(Fault.handshake(connections="always")),
    ),
    "upgrade 503": Case("handshake answered with 503", cause=ServiceUnavailableError, **no_position(Fault.http(503))),
    "upgrade 401": Case(
        "handshake answered with 401",
        cause=AuthenticationError,
        error=True,
        connections=1,
        **no_position(Fault.http(401, connections="always")),
    ),
    "ignored end": Case("end of audio never answered, once", cause=DrainTimeout, **no_position(Fault.ignore_end())),
    "ignored end always": Case(
        "… always",
        cause=DrainTimeout,
        error=True,
        connections=8,
        **no_position(Fault.ignore_end(connections="always")),
    ),
    "linger": Case("`finished`, but the socket stays open", cause=None, connections=1, **no_position(Fault.linger())),
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
    "503 always": Case(
        "… always at the start",
        always(Fault.error, 503),
        ServiceUnavailableError,
        error=True,
        connections=8,
        phases=("at the first audio",),
    ),
    "400": Case("error frame 400", always(Fault.error, 400), InvalidRequestError, error=True, connections=1),
    "401": Case("error frame 401", always(Fault.error, 401), AuthenticationError, error=True, connections=1),
    "402": Case("error frame 402", always(Fault.error, 402), QuotaExceededError, error=True, connections=1),
    "403": Case("error frame 403", always(Fault.error, "permission_denied"), AuthenticationError, True, 1),
    "mute always": Case(
        "mute, always from the start",
        always(Fault.mute),
        (ProgressTimeout, DrainTimeout),
        error=True,
        connections=8,
        phases=("at the first audio",),
    ),
    "no ack": Case("no first answer", cause=None, connections=1, behaviour=Behaviour(ack="omitted"), **no_position()),
    "counters rest": Case(
        "counters rest in silence",
        once(Fault.reset),
        LOST,
        behaviour=Behaviour(silence_is_final=False, empty_responses=False),
    ),
}

CAUSES: Final = {name: case.cause for name, case in CASES.items()}


async def run_case(
    case: Case, at: float = 0.0, *, words: tuple[CodedWord, ...] = WORDS, policy: dict[str, Any] | None = None
) -> Run:
    """Speak `words` into a simulator in which `case` goes wrong at `at` seconds."""
    audio = encode_words(words, tail=0.2)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    events: list[StreamEvent] = []
    error = None
    async with SonioxSimulator(faults=case.faults(at), behaviour=replace(case.behaviour, record_audio=False)) as server:
        table = {"api_key": "test-key", "websocket_url": server.url}
        config = {
            "stt": {"provider": "soniox"},
            "providers": {"soniox": table},
            "stream": {**POLICY, **case.policy, **(policy or {})},
        }
        async with VoiceProcessor(config) as processor, processor.transcribe_stream() as stream:
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
