"""`SonioxSession`: one real-time session as the service sees it, without I/O.

::

    WAIT_START ── start request ──► RUN ── empty text frame ──► DRAIN ── finished ──► CLOSED
         └──────────────────────────┴── error frame ──────────────────────────────────►┘

Every method returns what to send, in order. The clock is read and never waited for: call `tick` when it has
passed `deadline`.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from debabelizer.testing.audio import AudioInput, NotAudioError
from debabelizer.testing.script import Line, Words
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.config import StartRequest, parse_start
from debabelizer.testing.soniox.errors import ErrorReply, Refused, error_reply, undecodable
from debabelizer.testing.soniox.keys import KeyRing
from debabelizer.testing.soniox.recognizer import Recognizer, Response
from debabelizer.testing.soniox.tokens import FIN

__all__ = ["EPSILON", "Close", "Credential", "Output", "Send", "SonioxSession", "State", "Way"]

Way: TypeAlias = Literal["header", "subprotocol", "message"]


EPSILON: Final = 1e-6
"""Seconds; less than any sample, more than any error of rounding."""


class State(enum.Enum):
    """Where the session is."""

    WAIT_START = "waiting for the start request"
    RUN = "taking audio"
    DRAIN = "working off what came"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key, and the way it came."""

    way: Way
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Send:
    """Send a JSON message as a text frame."""

    message: Response

    @property
    def text(self) -> str:
        """The frame."""
        return json.dumps(self.message, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""

    code: int


Output: TypeAlias = Send | Close


class SonioxSession:
    """One session. See the module for its states.

    Args:
        credentials: The keys that came with the handshake.
        behaviour: What is not documented, or may vary.
        keys: The keys that the service knows.
        words: Where words come from.
        clock: Monotonic seconds.
        connection: Number of the connection, for scripts that differ from one to the next.

    Attributes:
        state: Where the session is.
        request: The start request, once it was accepted.
        authenticated_by: How the accepted key came.
    """

    def __init__(
        self,
        *,
        credentials: Sequence[Credential] = (),
        behaviour: Behaviour | None = None,
        keys: KeyRing,
        words: Words,
        clock: Callable[[], float],
        connection: int = 0,
    ) -> None:
        self.state = State.WAIT_START
        self.request: StartRequest | None = None
        self.authenticated_by: Way | None = None
        self._credentials = tuple(credentials)
        self._behaviour = behaviour or Behaviour()
        self._keys = keys
        self._words = words
        self._clock = clock
        self._connection = connection
        self._last_input = clock()
        self._session_end: float | None = None
        self._drained: float | None = None
        self._input: AudioInput | None = None
        self._recognizer: Recognizer | None = None
        self._late_ack = self._behaviour.ack == "late"
        self._request_id = str(uuid.uuid4())

    @property
    def seconds(self) -> float:
        """Seconds of audio that were heard."""
        return self._recognizer.seconds if self._recognizer else 0.0

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, on the clock."""
        if self.state is State.CLOSED:
            return None
        if self.state is State.DRAIN:
            return self._drained
        waiting = self.state is State.WAIT_START
        idle = self._last_input + (self._behaviour.start_timeout if waiting else self._behaviour.idle_timeout)
        return idle if self._session_end is None else min(idle, self._session_end)

    def open(self) -> list[Output]:
        """The handshake is done."""
        if len(self._credentials) > 1:
            return self.fail(error_reply(400, "Only one API key may be sent."))
        if not self._credentials and not self._behaviour.legacy_auth:
            return self.fail(error_reply(401, "Missing API key."))
        if self._credentials and self._behaviour.early_auth and not self._keys.accepts(self._credentials[0].key):
            return self.fail(error_reply(401))
        return []

    def receive(self, message: str | bytes) -> list[Output]:
        """A message came."""
        if isinstance(message, str):
            return self.receive_text(message)
        outputs, audio = self.receive_audio(message)
        return outputs + self.hear(audio)

    def receive_text(self, text: str) -> list[Output]:
        """A text message came."""
        try:
            if self.state is State.WAIT_START:
                return self._start(text)
            if self.state is State.RUN:
                return self._end() if not text else self._control(text)
        except Refused as refusal:
            return self.fail(refusal.reply)
        return []

    def receive_audio(self, data: bytes) -> tuple[list[Output], bytes]:
        """A binary message came. Returns, besides what to send, the raw audio to `hear`."""
        if self.state is State.WAIT_START:
            return self.fail(error_reply(400, "Start request must be a text message.")), b""
        if self.state is not State.RUN or self._input is None or not data:
            return [], b""
        self._last_input = self._clock()
        try:
            return [], self._input.feed(data)
        except NotAudioError as error:
            return self.fail(undecodable(error)), b""

    def bytes_until(self, seconds: float) -> int:
        """Bytes of raw audio from now until that position; 0 if it is reached."""
        if self._input is None or self._input.raw is None:
            return 0
        raw = self._input.raw
        return max(math.ceil((seconds - self.seconds - EPSILON) * raw.sample_rate), 0) * raw.frame_bytes

    def hear(self, audio: bytes) -> list[Output]:
        """Recognize raw audio."""
        if self.state is not State.RUN or not audio:
            return []
        outputs: list[Output] = []
        if self._late_ack:
            self._late_ack = False
            outputs.append(self._ack())
        room = self.bytes_until(self._behaviour.max_duration)
        if self._recognizer is None:
            self._recognizer = self._listen()
        outputs += [Send(response) for response in self._recognizer.hear(audio[:room])]
        if len(audio) > room:
            outputs += self.fail(error_reply(413))
        return outputs

    def tick(self) -> list[Output]:
        """Time has passed."""
        now, deadline = self._clock(), self.deadline
        if deadline is None or now < deadline:
            return []
        if self.state is State.DRAIN:
            return self._finish()
        if self._session_end is not None and now >= self._session_end:
            return self.fail(error_reply("temp_api_key_session_expired"))
        return self.fail(error_reply(408, "Start request timeout" if self.state is State.WAIT_START else None))

    def fail(self, reply: ErrorReply, *, tokens: bool = True, modern: bool = True) -> list[Output]:
        """End the session with an error frame; see `ErrorReply.frame`."""
        self.state = State.CLOSED
        frame = reply.frame(self._request_id, tokens=tokens, modern=modern)
        return [Send(frame), Close(self._behaviour.close_code)]

    def finish_early(self) -> list[Output]:
        """Claim to have finished, whatever is still pending. The service does not do this unless it is broken."""
        self.state = State.CLOSED
        last = self._recognizer.finished() if self._recognizer else _nothing(finished=True)
        return [Send(last), Close(self._behaviour.close_code)]

    def _start(self, text: str) -> list[Output]:
        payload = _parse(text, "Start request is malformed.")
        if payload.get("type") == "keepalive":
            self._last_input = self._clock()
            return []
        credential = self._credential(payload)
        self.request = parse_start(payload)
        if reply := self._keys.open_stream(credential.key):
            raise Refused(reply)
        self.authenticated_by = credential.way
        self.state = State.RUN
        self._last_input = self._clock()
        longest = self._keys.max_session(credential.key)
        self._session_end = None if longest is None else self._last_input + longest
        self._input = AudioInput(self.request.audio_format, self.request.raw)
        return [self._ack()] if self._behaviour.ack == "sent" else []

    def _credential(self, payload: Mapping[str, Any]) -> Credential:
        key = payload.get("api_key")
        if self._credentials:
            if key is not None:
                raise Refused(error_reply(400, "Only one API key may be sent."))
            return self._credentials[0]
        if not isinstance(key, str) or not key:
            raise Refused(error_reply(401, "Missing API key."))
        return Credential("message", key)

    def _ack(self) -> Send:
        return Send(_nothing())

    def _control(self, text: str) -> list[Output]:
        if not text.startswith("{"):
            return self._base64(text)
        payload = _parse(text, "Control request is malformed.")
        kind = payload.get("type")
        if kind == "keepalive":
            self._last_input = self._clock()
            return []
        if kind != "finalize":
            raise Refused(error_reply(400, "Control request invalid type."))
        silence = payload.get("trailing_silence_ms", 0)
        if not isinstance(silence, int) or silence < 0:
            raise Refused(error_reply(400, "Control request is malformed."))
        return [Send(self._recognizer.finalize() if self._recognizer else _nothing(tokens=[FIN]))]

    def _base64(self, text: str) -> list[Output]:
        """Text that is no control request is taken for audio in base64."""
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise Refused(error_reply(400, "Invalid base64.")) from None
        outputs, audio = self.receive_audio(data)
        return outputs + self.hear(audio)

    def _end(self) -> list[Output]:
        if not self.seconds:
            raise Refused(error_reply(400, "No audio received."))
        self.state = State.DRAIN
        self._drained = self._clock() + self._behaviour.finish_delay
        return [] if self._behaviour.finish_delay else self._finish()

    def _finish(self) -> list[Output]:
        self.state = State.CLOSED
        responses = self._recognizer.finish() if self._recognizer else []
        return [*(Send(response) for response in responses), Close(self._behaviour.close_code)]

    def _listen(self) -> Recognizer:
        if self.request is None or self._input is None or self._input.raw is None:
            raise RuntimeError("audio is heard before its format is known")
        raw = self._input.raw
        ear = self._words.listen(Line(raw, self._input.audible, self._connection))
        return Recognizer(self.request, self._behaviour, raw, ear)


def _nothing(**members: Any) -> Response:
    """A response without audio."""
    return {"tokens": [], "final_audio_proc_ms": 0, "total_audio_proc_ms": 0, **members}


def _parse(text: str, complaint: str) -> dict[str, Any]:
    try:
        payload = json.loads(text)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise Refused(error_reply(400, complaint))
    return payload
