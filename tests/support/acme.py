"""A WebSocket vendor, its dialect, and ways in which both can be wrong. For tests of the conformance kit.

The protocol: a JSON start request; binary audio; ``flush``, ``keepalive`` and ``end`` as text. Answers are JSON:
``{"words": [["word0", 0.2, 0.45]], "partial": "word1", "heard": 1.2}``, with ``flushed`` or ``done`` where due.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import quote

from pydantic import Field, field_validator
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request as Handshake

from debabelizer.audio.format import AudioFormat
from debabelizer.config import ProviderSettings, Secret
from debabelizer.errors import InvalidRequestError, ProtocolError, ProviderError, ServiceUnavailableError
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Transcript, Word
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.spec import Secret as SecretOf
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Dialect,
    Finished,
    Flushed,
    Frame,
    Hypothesis,
    Opening,
    Processed,
)
from debabelizer.testing.kit import CodedWords, ProviderSuite, WebSocketService

IDLE: Final = 5.0  # seconds of silence after which the service hangs up


class Settings(ProviderSettings):
    """The table of the vendor."""

    api_key: Secret | None = None
    """The key."""

    url: str = "wss://acme.example/v1"
    """Address."""

    model: str = Field(default="general", min_length=1)
    """Model."""

    @field_validator("url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        if not value.startswith(("wss://", "ws://127.0.0.1:")):
            raise ValueError("must be wss://")
        return value


class LaxSettings(ProviderSettings):
    """Takes anything."""

    api_key: Secret | None = None
    url: str = "wss://acme.example/v1"
    model: str = "general"


class OpenSettings(Settings):
    """Shows its key."""

    api_key: str | None = None  # type: ignore[assignment]


class AcmeDialect(Dialect):
    """As it should be."""

    keepalive_after = IDLE / 2

    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        key = request.settings.api_key
        self.key = key if isinstance(key, str) else key.reveal() if key is not None else ""
        self.url = request.settings.url
        self.start = {"format": str(audio_format), "vocabulary": list(request.vocabulary)}

    def open(self) -> Opening:
        headers = {"Authorization": f"Bearer {self.key}"}
        return Opening(url=self.url, headers=headers, frames=(json.dumps(self.start),))

    def flush(self, trailing_silence: float) -> Sequence[Frame]:
        return ("flush",)

    def keepalive(self) -> Sequence[Frame]:
        return ("keepalive",)

    def end(self) -> Sequence[Frame]:
        return ("end",)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent]:
        try:
            answer = json.loads(frame)
            words = [Word(text, start, end) for text, start, end in answer["words"]]
            partial, heard = str(answer["partial"]), float(answer["heard"])
        except (ValueError, KeyError, TypeError) as error:
            raise ProtocolError("Acme sent what cannot be understood.") from error
        yield from self.events(words, partial, heard, answer)

    def events(self, words: list[Word], partial: str, heard: float, answer: Any) -> Iterator[ConnectionEvent]:
        if words:
            yield Hypothesis(text=" ".join(word.text for word in words), final=True, words=tuple(words))
        yield Hypothesis(text=partial, final=False)
        yield Processed(heard)
        if answer.get("flushed"):
            yield Flushed()
        if answer.get("done"):
            yield Finished(heard)


class KeyInUrl(AcmeDialect):
    def open(self) -> Opening:
        return replace(super().open(), url=f"{self.url}?token={quote(self.key)}")


class NoKeepalive(AcmeDialect):
    keepalive_after: ClassVar[float | None] = None


class LateKeepalive(AcmeDialect):
    keepalive_after = IDLE * 2


class ForgetsVocabulary(AcmeDialect):
    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(replace(request, vocabulary=()), audio_format)


class TriesTheWrongKeyAgain(AcmeDialect):
    def refused(self, status: int, body: bytes, retry_after: float | None) -> ProviderError:
        return ServiceUnavailableError("no")


class SettlesTooMuch(AcmeDialect):
    """Takes what was heard for final: a word that is being spoken then is never heard again as a whole."""

    def events(self, words: list[Word], partial: str, heard: float, answer: Any) -> Iterator[ConnectionEvent]:
        yield from super().events(words, partial, heard, {})
        yield Processed(heard, final=True)
        if answer.get("flushed"):
            yield Flushed()
        if answer.get("done"):
            yield Finished(heard)


class FinishesByItself(AcmeDialect):
    """Takes whatever comes after the end for the answer to it."""

    ended = False

    def end(self) -> Sequence[Frame]:
        self.ended = True
        return super().end()

    def events(self, words: list[Word], partial: str, heard: float, answer: Any) -> Iterator[ConnectionEvent]:
        yield from super().events(words, partial, heard, {**answer, "done": answer.get("done") or self.ended})


class TakesTheEndForARefusal(AcmeDialect):
    """Does not know the way in which the vendor ends a session."""

    def closed(self, code: int | None, reason: str) -> ProviderError | None:
        return InvalidRequestError("closed") if code == 1008 else None


class Hoards(AcmeDialect):
    """Holds audio back, and sends a lot at once."""

    def __init__(self, request: Request[Any], audio_format: AudioFormat) -> None:
        super().__init__(request, audio_format)
        self.most = round(3.5 * audio_format.bytes_per_second)
        self.held = b""

    def audio(self, chunk: bytes) -> Sequence[Frame]:
        self.held += chunk
        return self.let_go() if len(self.held) >= self.most else ()

    def flush(self, trailing_silence: float) -> Sequence[Frame]:
        return (*self.let_go(), "flush")

    def end(self) -> Sequence[Frame]:
        return (*self.let_go(), "end")

    def let_go(self) -> Sequence[Frame]:
        held, self.held = self.held, b""
        return (held,) if held else ()


class AcmeProvider(Provider[Any]):
    """Whichever of the dialects its spec is named after."""

    def dialect(self, request: Request[Any], audio_format: AudioFormat) -> Dialect:
        return DIALECTS[self.spec.name](request, audio_format)


class Eager(AcmeProvider):
    """Can do more than it claims."""

    async def transcribe(self, audio: Any, request: Request[Any], report: Callable[[Progress], None]) -> Transcript:
        return Transcript(text="")


class AcmeService(WebSocketService):
    """The vendor on loopback."""

    idle: ClassVar[float | None] = IDLE
    fastest: ClassVar[float] = 2.5

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"url": f"ws://{host}:{port}"}

    def refuse(self, request: Handshake) -> int | None:
        return None if f"?token={self.key}" in request.path else super().refuse(request)

    async def serve(self, socket: ServerConnection) -> None:
        start = json.loads(await socket.recv())
        ear = CodedWords(AudioFormat.parse(start["format"]))
        begun = asyncio.get_running_loop().time()
        while True:
            try:
                async with asyncio.timeout(self.idle):
                    message = await socket.recv()
            except TimeoutError:
                return
            if ear.seconds > 5.0 + self.fastest * (asyncio.get_running_loop().time() - begun):
                return  # too fast
            words = ear.hear(message) if isinstance(message, bytes) else ear.finish() if message == "end" else []
            answer = {
                "words": [[word.text, word.start, word.end] for word in words],
                "partial": ear.partial.text if ear.partial else "",
                "heard": ear.seconds,
                "flushed": message == "flush",
                "done": message == "end",
            }
            await socket.send(json.dumps(answer))
            if message == "end":
                return


class Patient(AcmeService):
    """Never hangs up on silence."""

    idle = None


class Impatient(AcmeService):
    """Hangs up on silence sooner than it says."""

    idle = IDLE * 0.7


DIALECTS: dict[str, type[AcmeDialect]] = {}

CLAIMS: Final = Capabilities(
    streaming=True,
    interims=True,
    words="word",
    vocabulary=True,
    flush="confirmed",
    resume="exact",
    max_speed=2.0,
    keepalive=IDLE,
    languages=("en",),
)


def spec(
    dialect: type[AcmeDialect] = AcmeDialect, settings: str = "Settings", factory: str = "AcmeProvider", **claims: Any
) -> ProviderSpec:
    """The spec of a vendor that claims what `AcmeDialect` does, unless said otherwise."""
    name = f"acme_{len(DIALECTS)}"
    DIALECTS[name] = dialect
    return ProviderSpec(
        name=name,
        summary="For tests.",
        api_version=1,
        capabilities=replace(CLAIMS, **claims),
        settings=f"support.acme:{settings}",
        factory=f"support.acme:{factory}",
        secrets=(SecretOf(key="api_key", env="ACME_API_KEY"),),
    )


def suite(named: ProviderSpec, **attributes: Any) -> type[ProviderSuite]:
    """The suite of a vendor."""
    members = {"spec": named, "simulator": AcmeService, "bad_settings": ({"model": ""},), **attributes}
    return type("TestAcme", (ProviderSuite,), members)
