"""`SonioxDialect`: Soniox's real-time protocol, without I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProviderError
from debabelizer.provider import Request
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Finished, Frame, Opening
from debabelizer_soniox.faults import Fault, http_error, provider_error
from debabelizer_soniox.interpreter import Interpreter
from debabelizer_soniox.messages import Message, parse_message
from debabelizer_soniox.requests import authorization, start_request
from debabelizer_soniox.settings import SonioxSettings

__all__ = ["SonioxDialect"]

_UNCOUNTED: Final = 0.5  # seconds that the counters may leave out at the end, as the core lets them


class SonioxDialect(Dialect):
    """One connection to Soniox.

    Args:
        request: What is asked for.
        audio_format: What will be sent.

    Raises:
        AuthenticationError: If there is no usable key.
        InvalidRequestError: If Soniox is known to refuse what is asked for.
    """

    # The session ends after 20 s without audio or keepalive; half of it leaves room for a slow network.
    keepalive_after: ClassVar[float | None] = 10.0

    def __init__(self, request: Request[SonioxSettings], audio_format: AudioFormat) -> None:
        self._opening = Opening(
            url=request.settings.stream_endpoint,
            headers=authorization(request.settings),
            frames=(json.dumps(start_request(request, audio_format), ensure_ascii=False),),
        )
        self._interpreter = Interpreter()
        self._format = audio_format
        self._sent = 0  # bytes of audio
        self._has_ended = False

    def open(self) -> Opening:
        """See `Dialect`. Soniox's first frame is a sign of life, but it is not documented: nothing waits for it."""
        return self._opening

    def audio(self, chunk: bytes) -> Frame:
        """See `Dialect`."""
        self._sent += len(chunk)
        return chunk

    def flush(self, trailing_silence: float) -> Sequence[Frame]:
        """See `Dialect`. Knowing how much silence was sent already, Soniox adds the less of its own."""
        body: dict[str, object] = {"type": "finalize"}
        if milliseconds := round(trailing_silence * 1000):
            body["trailing_silence_ms"] = milliseconds
        return (json.dumps(body),)

    def keepalive(self) -> Sequence[Frame]:
        """See `Dialect`."""
        return ('{"type": "keepalive"}',)

    def end(self) -> Sequence[Frame]:
        """See `Dialect`. The empty frame must be a text frame: an empty binary one is audio of no length."""
        self._has_ended = True
        return ("",)

    def refused(self, status: int, body: bytes, retry_after: float | None) -> ProviderError:
        """See `Dialect`."""
        return http_error(status, body, retry_after=retry_after)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent]:
        """See `Dialect`. Tokens that come with an error count: iterating gives their events, then raises it."""
        message = parse_message(frame)
        cut_short = message.finished and not self._is_due(message)
        events = self._interpreter.cut_short(message) if cut_short else self._interpreter.events(message)
        if (fault := message.fault) is not None:
            if self._is_empty_session(fault):
                return [*events, Finished(0.0)]
            error = provider_error(fault)
            if not events:
                raise error
            return _then_raise(events, error)
        if message.finished:
            events.append(Finished(message.reached))
        return events

    def _is_due(self, message: Message) -> bool:
        """Whether `finished` was asked for, and all audio was heard by then. What it means otherwise, the core says."""
        if message.reached is None and not self._interpreter.heard:
            return self._has_ended  # Soniox never said how far it is
        reached = max(message.reached or 0.0, self._interpreter.heard)
        return self._has_ended and self._format.seconds(self._sent) - reached <= _UNCOUNTED

    def _is_empty_session(self, fault: Fault) -> bool:
        """Whether this is the 400 `No audio received.` that answers the end of a session without audio."""
        silent = self._has_ended and not self._sent
        return silent and fault.code == 400 and "no audio" in (fault.message or "").lower()


def _then_raise(events: list[ConnectionEvent], error: ProviderError) -> Iterator[ConnectionEvent]:
    yield from events
    raise error
