"""`FluxDialect`: the protocol of Flux streams, ``v2/listen``, without I/O.

Flux hears turns. Each message holds the whole turn so far, all of which may change until the turn ends. What it does
differently from other vendors, and what is done about it here:

* Its clock is the audio: a turn in which the audio stops does not end. So when nothing is sent, silence is, as much as
  time has passed; it is taken out of all times again (`AudioClock`).
* There is no keepalive. Between turns, a little silence every now and then serves as one.
* Asked to end the turn, it takes what it has transcribed by then, and keeps quiet if there is no turn. So it is asked
  when it has transcribed everything before the flush; and if no turn is open then, the flush is done.
* Its end is no message, but a close without a status, after an update for the last audio; and an open turn stays open:
  its last update is its final text. So the end is proven by a close after an update that reaches beyond the user's
  audio, into silence that was sent behind it.

(All of it documentation, but that a close without keepalive would come: that is inferred from the other models.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProviderError
from debabelizer.provider import Request
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Dialect,
    Finished,
    Flushed,
    Frame,
    Hypothesis,
    Opening,
    Processed,
    Refusal,
    Reply,
    SpeechStart,
)
from debabelizer_deepgram.faults import close_error, http_error, stream_error
from debabelizer_deepgram.reading import Node
from debabelizer_deepgram.requests import authorization, flux_url
from debabelizer_deepgram.settings import FluxSettings
from debabelizer_deepgram.silence import AudioClock
from debabelizer_deepgram.turns import TurnInfo, parse_turn
from debabelizer_deepgram.words import mean_confidence

__all__ = ["FluxDialect"]

_PAUSE: Final = 2.0  # seconds without audio that are no jitter: silence within a word would do harm
_SIGN_OF_LIFE: Final = 0.1  # seconds of silence that do for a keepalive
_STEP: Final = 0.25  # seconds of audio from one update to the next (documentation)
_BEHIND: Final = 2 * _STEP  # seconds of silence behind the last audio, so that an update reaches beyond it
_LAG: Final = 2.0  # seconds of audio after which a word surely shows

_CLOSES: Final = frozenset({None, 1000, 1005})  # none, or one without a status, is what is documented


@dataclass(slots=True)
class _Flush:
    """A flush without an answer: how far Flux must have transcribed, and whether it was asked to end the turn then."""

    until: float
    has_asked: bool = False


class FluxDialect(Dialect):
    """One Flux stream.

    Args:
        request: What is asked for.
        audio_format: What will be sent.

    Raises:
        AuthenticationError: If there is no usable key.
        InvalidRequestError: If Deepgram is known to refuse what is asked for.
    """

    def __init__(self, request: Request[FluxSettings], audio_format: AudioFormat) -> None:
        self._opening = Opening(url=flux_url(request, audio_format), headers=authorization(request.settings))
        self._ends_utterances = request.endpointing
        self._clock = AudioClock(audio_format)
        self._turn: TurnInfo | None = None  # the open turn, as it was last said
        self._reached = 0.0  # how far Flux has transcribed, as it counts
        self._shown = False  # whether an interim stands
        self._flushes: deque[_Flush] = deque()
        self._pause = _PAUSE  # seconds without audio that are waited for at this moment
        self._ends_at: float | None = None  # where the user's audio is over, likewise

    def open(self) -> Opening:
        """See `Dialect`."""
        return self._opening

    def audio(self, chunk: bytes) -> Frame:
        """See `Dialect`."""
        self._clock.count(chunk)
        return chunk

    @property
    def keepalive_after(self) -> float | None:  # type: ignore[override]  # of this connection, at this moment
        """See `Dialect`. Somebody who waits for a flush and sends nothing has paused."""
        self._pause = 2 * _STEP if self._flushes else _PAUSE
        return self._pause

    def keepalive(self) -> Sequence[Frame]:
        """See `Dialect`. Within a turn as much silence as time has passed.

        None yet, if so little was waited for the sake of a flush that has been answered meanwhile.
        """
        if self._pause < _PAUSE and not self._flushes:
            return ()
        needs = self._turn is not None or bool(self._flushes)
        return (self._clock.silence(self._pause if needs else _SIGN_OF_LIFE),)

    def flush(self, trailing_silence: float) -> Sequence[Frame]:  # noqa: ARG002
        """See `Dialect`. Nothing is sent yet: `ForceEndTurn` follows when all was transcribed, as a `Reply`."""
        self._flushes.append(_Flush(self._clock.total))
        return ()

    def end(self) -> Sequence[Frame]:
        """See `Dialect`."""
        self._ends_at = self._clock.total
        return (self._clock.silence(_BEHIND), '{"type": "CloseStream"}')

    def refusal(self, answer: Refusal) -> ProviderError:
        """See `Dialect`."""
        return http_error(answer.status, answer.body, retry_after=answer.retry_after, headers=answer.headers)

    def closed(self, code: int | None, reason: str) -> ProviderError | None:
        """See `Dialect`."""
        return close_error(code, reason)

    def hung_up(self, code: int | None) -> Iterable[ConnectionEvent]:
        """See `Dialect`. What is open becomes final as it was last said, if all audio was heard."""
        if self._ends_at is None or self._reached < self._ends_at or code not in _CLOSES:
            return ()
        said = [] if self._turn is None else list(self._final(self._turn, ends=False))
        return [*said, *(Flushed() for _ in self._flushes), Finished(self._clock.sent)]

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        """See `Dialect`. What is newer than this dialect is passed over."""
        node = Node.of_frame(frame)
        match node.text("type"):
            case "TurnInfo":
                return list(self._heard(parse_turn(node, self._clock.own)))
            case "Error":
                # `description` by the specification; one client was found to read `error`.
                message = node.text("description") or node.text("error") or ""
                raise stream_error(node.text("code") or "", message, node.text("request_id"))
        return ()

    def _heard(self, turn: TurnInfo) -> Iterator[ConnectionEvent | Reply]:
        self._reached = max(self._reached, turn.end)
        if turn.event == "EndOfTurn":
            yield from self._final(turn, ends=self._ends_utterances)
            # One that was forced may have cut a word in two.
            yield Processed(self._clock.own(turn.end), final=turn.trigger != "manual")
        elif turn.text or turn.event == "StartOfTurn" or self._turn is not None:
            yield from self._goes_on(turn)
            yield Processed(self._clock.own(turn.end))
        else:
            yield Processed(self._clock.own(turn.end))
            yield Processed(self._clock.own(max(turn.end - _LAG, 0.0)), final=True)
        if self._turn is None:
            self._clock.forget(turn.end - _LAG)
        yield from self._flushed()

    def _goes_on(self, turn: TurnInfo) -> Iterator[ConnectionEvent]:
        """The turn as it stands. Updates come whether or not there is news."""
        before, self._turn = self._turn, turn
        if before is None:
            yield SpeechStart(_start(turn, self._clock))
        if before is None or (turn.text, turn.words) != (before.text, before.words):
            self._shown = bool(turn.text)
            yield self._hypothesis(turn, final=False)

    def _final(self, turn: TurnInfo, *, ends: bool) -> Iterator[ConnectionEvent]:
        self._turn = None
        if turn.text:
            yield self._hypothesis(turn, final=True, ends=ends)
        if self._shown:
            self._shown = False
            yield Hypothesis(text="", final=False)

    def _flushed(self) -> Iterator[ConnectionEvent | Reply]:
        """Answer what was heard in full; ask for the end of the turn that still is open then, once."""
        while self._flushes and self._flushes[0].until <= self._reached:
            if self._turn is None:
                self._flushes.popleft()
                yield Flushed()
                continue
            if not self._flushes[0].has_asked and self._ends_at is None:
                self._flushes[0].has_asked = True
                yield Reply(('{"type": "ForceEndTurn"}',))
            return

    def _hypothesis(self, turn: TurnInfo, *, final: bool, ends: bool = False) -> Hypothesis:
        return Hypothesis(
            text=turn.text,
            final=final,
            words=turn.words,
            start=_start(turn, self._clock),
            end=_end(turn, self._clock),
            separator=turn.words[0].separator if turn.words else " ",
            language=turn.language,
            confidence=mean_confidence(turn.words),
            ends_utterance=ends,
        )


def _start(turn: TurnInfo, clock: AudioClock) -> float:
    """Of its first word; of its audio, if words come without times."""
    start = turn.words[0].start if turn.words else None
    return clock.own(turn.start) if start is None else start


def _end(turn: TurnInfo, clock: AudioClock) -> float:
    end = turn.words[-1].end if turn.words else None
    return clock.own(turn.end) if end is None else end
