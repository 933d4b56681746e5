"""`WyomingServer`: what a server is, and what it hears. One connection for each answer.

The servers for Whisper and Vosk end the connection after one transcript (source of both), so none is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProtocolError, ServiceUnavailableError
from debabelizer_wyoming import NAME
from debabelizer_wyoming.address import Address
from debabelizer_wyoming.framing import Event
from debabelizer_wyoming.wire import Wire, connected

__all__ = ["FORMAT", "Model", "Program", "Transcript", "Wishes", "WyomingServer"]

FORMAT: Final = AudioFormat()
"""16 kHz mono 16-bit: what speech servers work on. Others they would convert, and not well."""

_CHUNK: Final = FORMAT.bytes_per_second // 10
_LONGEST_TEXT: Final = 1_000_000  # characters; a server that repeats itself for ever must not fill the memory

KindT = TypeVar("KindT")


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a server, with the codes of its languages."""

    name: str
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A speech recogniser of a server, as it describes itself.

    Attributes:
        name: What it is called.
        models: Its models.
        ends_utterances: Whether it decides by itself when an utterance is over.
    """

    name: str
    models: tuple[Model, ...] = ()
    ends_utterances: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Members of the request, by their names in the protocol; what is None or empty is not sent."""

    name: str = ""
    language: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    vad_sensitivity: str | None = None
    transcript_names: Sequence[str] = ()
    transcript_terms: Sequence[str] = ()

    def event(self) -> Event:
        """The request."""
        members = ((name, getattr(self, name)) for name in self.__slots__)
        return Event("transcribe", {name: value for name, value in members if value})


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a server heard; its language if it says so."""

    text: str
    language: str | None = None


class WyomingServer:
    """A server.

    Args:
        address: Where it is.
        connect_timeout: Seconds until it must take a connection, or describe itself.
        timeout: Seconds until it must have heard an utterance.
    """

    def __init__(self, address: Address, *, connect_timeout: float, timeout: float) -> None:
        self._address = address
        self._connect_timeout = connect_timeout
        self._timeout = timeout

    def __str__(self) -> str:
        return str(self._address)

    async def describe(self) -> tuple[Program, ...]:
        """Its speech recognisers.

        Raises:
            ProviderError: If it does not say.
        """
        patience = self._connect_timeout
        async with connected(self._address, wanted="description", connect_timeout=patience, timeout=patience) as wire:
            await wire.send(Event("describe"))
            while True:
                event = await wire.receive("description")
                _check(event)
                if event.type == "info":
                    return tuple(_programs(event.data))

    async def transcribe(self, audio: bytes, wishes: Wishes, heard: Callable[[str], None] | None = None) -> Transcript:
        """What is said in one utterance of audio in `FORMAT`.

        `heard` is called with all of the text so far, if the server says it while it listens.

        Raises:
            ProviderError: If there is no transcript.
        """
        async with connected(
            self._address, wanted="transcript", connect_timeout=self._connect_timeout, timeout=self._timeout
        ) as wire:
            for event in _request(audio, wishes):
                await wire.send(event)
            return await _transcript(wire, heard)


def _request(audio: bytes, wishes: Wishes) -> Iterator[Event]:
    """The events of one utterance."""
    layout = {"rate": FORMAT.sample_rate, "width": FORMAT.frame_bytes, "channels": FORMAT.channels}
    yield wishes.event()
    yield Event("audio-start", {**layout, "timestamp": 0})
    for at in range(0, len(audio), _CHUNK):
        milliseconds = round(1000 * FORMAT.seconds(at))
        yield Event("audio-chunk", {**layout, "timestamp": milliseconds}, audio[at : at + _CHUNK])
    yield Event("audio-stop", {"timestamp": round(1000 * FORMAT.seconds(len(audio)))})


async def _transcript(wire: Wire, heard: Callable[[str], None] | None) -> Transcript:
    """Read up to the transcript, which is the one final; chunks before it append to each other (documentation)."""
    so_far, language = "", None
    while True:
        event = await wire.receive("transcript")
        _check(event)
        language = _optional(event, "language", str) or language
        match event.type:
            case "transcript":
                return Transcript(" ".join(_member(event, "text", str).split()), language)
            case "transcript-chunk":
                so_far += _member(event, "text", str)
                if len(so_far) > _LONGEST_TEXT:
                    raise ProtocolError("The Wyoming server writes without an end.", provider=NAME)
                if heard is not None:
                    heard(" ".join(so_far.split()))


def _check(event: Event) -> None:
    """Raise what an event of type ``error`` reports."""
    if event.type == "error":
        text, code = _optional(event, "text", str) or "no reason given", _optional(event, "code", str)
        raise ServiceUnavailableError(f"The Wyoming server reports an error: {text}", provider=NAME, code=code)


def _programs(info: Mapping[str, Any]) -> Iterator[Program]:
    for program in _tables(info, "asr"):
        models = tuple(
            Model(str(model.get("name", "")), tuple(map(str, _list(model, "languages"))))
            for model in _tables(program, "models")
        )
        # Servers older than this member all need somebody else to end utterances (official library: the default).
        yield Program(str(program.get("name", "")), models, program.get("requires_external_vad") is False)


def _tables(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    tables = _list(data, name)
    if not all(isinstance(table, dict) for table in tables):
        raise _undescribed(name)
    return tables


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    if value is not None and not isinstance(value, list):
        raise _undescribed(name)
    return value or []


def _undescribed(name: str) -> ProtocolError:
    return ProtocolError(
        f"The description of the Wyoming server has {name!r} that is no list of what belongs there.", provider=NAME
    )


def _member(event: Event, name: str, kind: type[KindT]) -> KindT:
    value = _optional(event, name, kind)
    if value is None:
        raise ProtocolError(f"Event {event.type!r} of the Wyoming server has no {name!r}.", provider=NAME)
    return value


def _optional(event: Event, name: str, kind: type[KindT]) -> KindT | None:
    value = event.data.get(name)
    if value is not None and not isinstance(value, kind):
        raise ProtocolError(
            f"Member {name!r} of event {event.type!r} of the Wyoming server has a wrong type.", provider=NAME
        )
    return value
