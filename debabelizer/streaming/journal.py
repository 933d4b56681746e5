"""`AudioJournal`: the audio that was accepted and may be needed again."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable

from debabelizer.audio.format import AudioFormat

__all__ = ["AudioJournal"]

_TINY = 0.01  # seconds; chunks shorter than that are put together, lest their number grows without bound
_STAMP = 0.05  # seconds of audio between two arrival times kept for latency figures


class AudioJournal:
    """Accepted audio in the user's format, addressed by position: frames since the start of the stream.

    Three marks live here: ``oldest <= confirmed <= accepted``, except that under pressure audio that the
    provider has worked through is given up early, and then ``oldest > confirmed`` (see `forget`).

    Args:
        audio_format: Format of the audio.
        seconds: Most audio held, in seconds.
        size: Most audio held, in bytes.
    """

    def __init__(self, audio_format: AudioFormat, *, seconds: float, size: int) -> None:
        self.audio_format = audio_format
        self._frame = frame = audio_format.frame_bytes
        self._stamp = audio_format.frames(_STAMP)
        bytes_of_time = audio_format.frames(seconds) * frame
        self.capacity = max(frame, min(bytes_of_time, size // frame * frame))
        self.accepted = 0  # position behind the last frame
        self.oldest = 0
        self.confirmed = 0
        self.ended = False
        self.needed: Callable[[], int] = lambda: self.confirmed  # from where on somebody has still to be sent audio
        self._tiny = audio_format.frames(_TINY) * frame
        self._chunks: deque[bytes] = deque()  # as the user gave them, so that they are not copied
        self._starts: deque[int] = deque()  # position of the first frame of each
        self._last = 0  # bytes of the last chunk, when it came
        self._arrivals: deque[tuple[int, float]] = deque()
        self._stamped = -self._stamp  # position of the last of these

    @property
    def room(self) -> int:
        """Bytes that can be appended now."""
        return self.capacity - (self.accepted - self.oldest) * self._frame

    def seconds(self, position: int) -> float:
        """A position in seconds."""
        return position / self.audio_format.sample_rate

    def position(self, seconds: float) -> int:
        """The last position at or before `seconds`, within the audio accepted."""
        return min(max(self.audio_format.frames(seconds), 0), self.accepted)

    def append(self, audio: bytes | memoryview, now: float) -> None:
        """Take whole frames; the caller has seen to the room."""
        audio = bytes(audio)
        if self._last < self._tiny and self._chunks:
            self._chunks[-1] += audio
            self._last += len(audio)
        else:
            self._chunks.append(audio)
            self._starts.append(self.accepted)
            self._last = len(audio)
        self.accepted += len(audio) // self._frame
        if self.accepted - self._stamped >= self._stamp:
            self._arrivals.append((self.accepted, now))
            self._stamped = self.accepted

    def read(self, position: int, frames: int) -> bytes:
        """At most `frames` frames from `position`, which must be held."""
        chunks, starts = self._chunks, self._starts
        if position >= self.accepted:
            return b""
        at = len(starts) - 1 if position >= starts[-1] else bisect_right(starts, position) - 1
        begin, size = (position - starts[at]) * self._frame, frames * self._frame
        if not begin and len(chunks[at]) == size:
            return chunks[at]  # the rule, for live audio
        parts = [chunks[at][begin : begin + size]]
        while (size := size - len(parts[-1])) > 0 and (at := at + 1) < len(chunks):
            parts.append(chunks[at][:size])
        return b"".join(parts)

    def confirm(self, position: int) -> bool:
        """Words before `position` are final: forget the audio. Whether this moved the mark."""
        position = min(position, self.accepted)
        if position <= self.confirmed:
            return False
        self.confirmed = position
        self._drop(min(position, self.needed()))
        return True

    def release(self, size: int) -> None:
        """Make room for `size` bytes with confirmed audio: whoever has still to be sent that is too slow."""
        if size > self.room:
            self._drop(min(self.confirmed, self._behind(size)))

    def forget(self, position: int, size: int) -> None:
        """Make room for `size` bytes, giving up audio before `position` that is not confirmed yet.

        Only audio that the provider reports as worked through may be given up: losing it to a later failure
        would need a failure of both. It is counted as a gap then.
        """
        if size > self.room:
            self._drop(min(position, self._behind(size)))

    def arrived(self, position: int) -> float | None:
        """Clock time at which the audio just before `position` was accepted, if still known (to within 50 ms)."""
        self._forget_arrivals(position)
        return self._arrivals[0][1] if self._arrivals else None

    def _forget_arrivals(self, position: int) -> None:
        arrivals = self._arrivals
        while len(arrivals) > 1 and arrivals[0][0] < position:
            arrivals.popleft()

    def _behind(self, size: int) -> int:
        """Up to where audio has to go to make room for `size` bytes."""
        return self.oldest + -((self.room - size) // self._frame)

    def _drop(self, position: int) -> None:
        if position <= self.oldest:
            return
        chunks, starts = self._chunks, self._starts
        while starts and position >= (starts[1] if len(starts) > 1 else self.accepted):
            chunks.popleft()
            starts.popleft()
        if starts and position > starts[0]:
            chunks[0] = chunks[0][(position - starts[0]) * self._frame :]
            starts[0] = position
        self.oldest = position
        self._forget_arrivals(position)
