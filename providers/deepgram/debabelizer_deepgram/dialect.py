"""`DeepgramDialect`: the protocol of Nova streams, ``v1/listen``, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProviderError
from debabelizer.provider import Request
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Finished, Frame, Opening, Refusal
from debabelizer_deepgram.faults import close_error, http_error, stream_error
from debabelizer_deepgram.interpreter import Interpreter
from debabelizer_deepgram.reading import Node
from debabelizer_deepgram.requests import authorization, stream_url
from debabelizer_deepgram.results import parse_results
from debabelizer_deepgram.settings import DeepgramSettings

__all__ = ["DeepgramDialect"]


class DeepgramDialect(Dialect):
    """One Nova stream.

    Args:
        request: What is asked for.
        audio_format: What will be sent.

    Raises:
        AuthenticationError: If there is no usable key.
        InvalidRequestError: If Deepgram is known to refuse what is asked for.
    """

    # Deepgram hangs up after 10 s without audio or keepalive, and advises one every 3 to 5 s (documentation).
    keepalive_after: ClassVar[float | None] = 4.0

    def __init__(self, request: Request[DeepgramSettings], audio_format: AudioFormat) -> None:
        self._opening = Opening(url=stream_url(request, audio_format), headers=authorization(request.settings))
        self._audio_format = audio_format
        self._interpreter = Interpreter()
        self._sent = 0  # bytes
        self._has_ended = False

    def open(self) -> Opening:
        """See `Dialect`."""
        return self._opening

    def audio(self, chunk: bytes) -> Frame:
        """See `Dialect`. A frame without audio would end the stream (documentation); there are none."""
        self._sent += len(chunk)
        return chunk

    def flush(self, trailing_silence: float) -> Sequence[Frame]:  # noqa: ARG002
        """See `Dialect`. There may be no answer if next to nothing was left to hear (documentation)."""
        self._interpreter.flush_sent(self._audio_format.seconds(self._sent))
        return ('{"type": "Finalize"}',)

    def keepalive(self) -> Sequence[Frame]:
        """See `Dialect`. It must be a text frame: in a binary one it would be audio. It is never answered."""
        return ('{"type": "KeepAlive"}',)

    def end(self) -> Sequence[Frame]:
        """See `Dialect`."""
        self._has_ended = True
        return ('{"type": "CloseStream"}',)

    def refusal(self, answer: Refusal) -> ProviderError:
        """See `Dialect`."""
        return http_error(answer.status, answer.body, retry_after=answer.retry_after, headers=answer.headers)

    def closed(self, code: int | None, reason: str) -> ProviderError | None:
        """See `Dialect`."""
        return close_error(code, reason)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent]:
        """See `Dialect`. What is newer than this dialect is passed over."""
        node = Node.of_frame(frame)
        match node.text("type"):
            case "Results":
                return list(self._interpreter.results(parse_results(node)))
            case "UtteranceEnd":
                return list(self._interpreter.utterance_end(node.number("last_word_end")))
            case "SpeechStarted":
                return list(self._interpreter.speech_started(node.seconds("timestamp") or 0.0))
            case "Metadata":
                return list(self._summary(node))
            case "Error":
                message = " ".join(filter(None, (node.text("description"), node.text("message"))))
                name = node.text("code") or node.text("variant") or ""
                raise stream_error(name, message, node.text("request_id"))
        return ()

    def _summary(self, node: Node) -> Iterator[Finished]:
        """The last message: the proof, if we asked for the end; else the close that follows says why.

        It also has a ``sha256`` that looks like the digest of the audio received. That is nowhere said, so it proves
        nothing here.
        """
        if self._has_ended:
            yield Finished(node.seconds("duration"))
