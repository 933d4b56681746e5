"""Everything Debabelizer raises, in one tree.

::

    DebabelizerError                    .message  .hint (what to do next)
    ├── ConfigError                     .problems: every fault found, each with file, line and key
    ├── ProviderLookupError             .name
    │   ├── UnknownProviderError        no provider of that name; .suggestion
    │   ├── ProviderNotInstalledError   a known name whose distribution is not installed
    │   └── PluginLoadError             found, but cannot be used here
    ├── CapabilityError                 .provider .capability: asked for what the provider cannot do
    ├── AudioError                      .source (how the input was named)
    │   ├── AudioSourceError            missing, unreadable, a directory, empty
    │   ├── AudioDecodeError            not audio, or broken beyond use
    │   ├── NoAudioTrackError           a container without a sound track
    │   └── AudioFormatError            a declared format that cannot be, or bytes that do not fit it
    ├── ProviderError                   .provider .code .retry_after .request_id; class attribute `retryable`
    │   ├── AuthenticationError         never retried
    │   ├── InvalidRequestError         never retried
    │   ├── QuotaExceededError          never retried
    │   ├── RateLimitedError
    │   ├── ServiceUnavailableError
    │   ├── SessionExpiredError         the vendor ended the session by its own rule
    │   ├── ProtocolError               the peer broke its own protocol
    │   └── TransportError
    │       ├── ConnectError            no connection: refused, reset, TLS, name
    │       │   └── CertificateError    somebody else may have answered; not retried before a first success
    │       ├── ConnectionLostError     the connection ended before the agreed end
    │       └── DeadlineError           .seconds: a wait that the peer controls took too long
    │           ├── ConnectTimeout  ReadyTimeout  SendTimeout
    │           └── ProgressTimeout  DrainTimeout  CloseTimeout
    ├── StreamError                     .provider .attempts .accepted .sent .confirmed
    └── StreamUsageError                the caller broke the contract of a stream
        ├── StreamClosedError           used after its end
        └── StreamBusyError             a second iterator, or a second sender
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

__all__ = [
    "Attempt",
    "AudioDecodeError",
    "AudioError",
    "AudioFormatError",
    "AudioSourceError",
    "AuthenticationError",
    "CapabilityError",
    "CertificateError",
    "CloseTimeout",
    "ConfigError",
    "ConfigProblem",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionLostError",
    "DeadlineError",
    "DebabelizerError",
    "DrainTimeout",
    "InvalidRequestError",
    "NoAudioTrackError",
    "PluginLoadError",
    "ProgressTimeout",
    "ProtocolError",
    "ProviderError",
    "ProviderLookupError",
    "ProviderNotInstalledError",
    "QuotaExceededError",
    "RateLimitedError",
    "ReadyTimeout",
    "SendTimeout",
    "ServiceUnavailableError",
    "SessionExpiredError",
    "StreamBusyError",
    "StreamClosedError",
    "StreamError",
    "StreamUsageError",
    "TransportError",
    "UnknownProviderError",
]


class DebabelizerError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        message: What went wrong and where, as one sentence.
        hint: What to do about it, as one sentence, or None.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are remade by calling the class with `args`, which keyword-only fields would fail.
        return _remake, (type(self), self.args, vars(self))


def _remake(cls: type[DebabelizerError], args: tuple[object, ...], state: dict[str, object]) -> DebabelizerError:
    """Undo `DebabelizerError.__reduce__`: errors cross the border of a process whole, but for their cause."""
    error = cls.__new__(cls)
    error.args = args
    vars(error).update(state)
    return error


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One fault in the configuration. It never carries the offending value: a mistyped key may hold a secret.

    Attributes:
        message: What is wrong.
        key: Dotted path of the key, e.g. ``providers.soniox.model``; empty for a whole file.
        source: A file's path, ``environment variable NAME``, ``--set``, or ``argument``.
        line: 1-based line in the file, if known.
        column: 1-based column, if known.
        hint: What to do, e.g. the nearest valid key.
    """

    message: str
    key: str = ""
    source: str | Path | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)
        text = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{text} {self.hint}" if self.hint else text


class ConfigError(DebabelizerError):
    """The configuration cannot be used; all problems are reported at once.

    Attributes:
        problems: Every fault found.
        settings: What could be read all the same, for a check that wants to find more faults; or None.
    """

    def __init__(self, problems: Sequence[ConfigProblem], *, settings: Any = None) -> None:
        self.problems = tuple(problems)
        self.settings = settings
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        # Settings may hold secrets, which do not leave the process.
        return _remake, (type(self), self.args, {**vars(self), "settings": None})


class ProviderLookupError(DebabelizerError):
    """A provider named by the user cannot be had."""

    def __init__(self, message: str, *, name: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.name = name


class UnknownProviderError(ProviderLookupError):
    """No provider of that name is known."""

    def __init__(self, message: str, *, name: str, suggestion: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, name=name, hint=hint)
        self.suggestion = suggestion


class ProviderNotInstalledError(ProviderLookupError):
    """The provider is known, but its distribution is not installed; the hint is the line to type."""


class PluginLoadError(ProviderLookupError):
    """The plugin was found but cannot be used here; the cause is chained."""


class CapabilityError(DebabelizerError):
    """Asked for something the provider cannot do; raised before any audio is sent."""

    def __init__(self, message: str, *, provider: str, capability: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.capability = capability


class AudioError(DebabelizerError):
    """Audio input that cannot be used.

    Attributes:
        source: How the input was named (a path, ``standard input``, ``bytes``).
    """

    def __init__(self, message: str, *, source: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.source = source


class AudioSourceError(AudioError):
    """The input is missing, unreadable, a directory, or empty."""


class AudioDecodeError(AudioError):
    """The input is not audio, or broken beyond use."""


class NoAudioTrackError(AudioError):
    """The container has no sound track."""


class AudioFormatError(AudioError):
    """A format that cannot be, or bytes that do not fit the declared one."""


class ProviderError(DebabelizerError):
    """What a provider (or the way to it) reported.

    Attributes:
        provider: Name of the provider, filled in by the core when a dialect raises without it.
        code: The provider's own code or status, as text.
        retry_after: Seconds the provider asked to wait, or None.
        request_id: The provider's identifier of the request, for its support desk.
        retryable: Whether another attempt can help (class attribute).
    """

    retryable: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.code = code
        self.retry_after = retry_after
        self.request_id = request_id

    def __str__(self) -> str:
        text = super().__str__()
        return f"{self.provider}: {text}" if self.provider else text


class AuthenticationError(ProviderError):
    """The key is missing, wrong, expired, or lacks a permission."""

    retryable = False


class InvalidRequestError(ProviderError):
    """The provider refuses what was asked; asking again cannot help."""

    retryable = False


class QuotaExceededError(ProviderError):
    """Balance or budget is used up."""

    retryable = False


class RateLimitedError(ProviderError):
    """Too many requests or sessions at once."""


class ServiceUnavailableError(ProviderError):
    """The provider failed or is overloaded."""


class SessionExpiredError(ProviderError):
    """The provider ended the session by its own rule: longest duration, idle time."""


class ProtocolError(ProviderError):
    """The peer sent what its protocol does not allow."""


class TransportError(ProviderError):
    """The way to the provider failed."""


class ConnectError(TransportError):
    """No connection could be made: refused, reset, TLS, name resolution."""


class CertificateError(ConnectError):
    """Whoever answered at the provider's address did not prove to be the provider."""


class ConnectionLostError(TransportError):
    """The connection ended before the agreed end, with whatever close code."""


class DeadlineError(TransportError, TimeoutError):
    """A wait that the peer controls took longer than its deadline.

    Attributes:
        seconds: The deadline that passed.
    """

    def __init__(self, message: str, *, seconds: float, provider: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, provider=provider, hint=hint)
        self.seconds = seconds


class ConnectTimeout(DeadlineError):
    """The handshake was not answered in time."""


class ReadyTimeout(DeadlineError):
    """The connection opened, but the provider never got ready."""


class SendTimeout(DeadlineError):
    """The peer stopped reading."""


class ProgressTimeout(DeadlineError):
    """Audio was sent, and nothing of it was processed for too long."""


class DrainTimeout(DeadlineError):
    """The end of audio was never confirmed."""


class CloseTimeout(DeadlineError):
    """The connection could not be closed in time."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a stream, as told by `StreamError`.

    Attributes:
        number: 1-based.
        provider: Which provider was tried.
        started: Seconds since the stream was opened.
        duration: Seconds the attempt lived.
        confirmed: Stream position up to which words were final when it ended, in seconds.
        cause: Why it ended.
    """

    number: int
    provider: str
    started: float
    duration: float
    confirmed: float
    cause: Exception

    def __str__(self) -> str:
        return (
            f"attempt {self.number} ({self.provider}) at {self.started:.1f} s, "
            f"lived {self.duration:.1f} s: {type(self.cause).__name__}: {self.cause}"
        )


class StreamError(DebabelizerError):
    """The stream could not be completed; what was transcribed so far stays readable on the stream.

    Attributes:
        provider: The last provider tried.
        attempts: Every attempt with its cause, oldest first; at most the latest 100.
        accepted: Seconds of audio taken from the user.
        sent: Seconds of audio handed to the provider (replays not counted twice).
        confirmed: Seconds of audio whose words are final; what lies behind is unconfirmed.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        attempts: Sequence[Attempt],
        accepted: float,
        sent: float,
        confirmed: float,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.attempts = tuple(attempts)
        self.accepted = accepted
        self.sent = sent
        self.confirmed = confirmed

    def __str__(self) -> str:
        lines = [
            super().__str__(),
            f"  audio: {self.accepted:.2f} s accepted, {self.sent:.2f} s sent, {self.confirmed:.2f} s confirmed",
            *(f"  {attempt}" for attempt in self.attempts),
        ]
        return "\n".join(lines)


class StreamUsageError(DebabelizerError):
    """The caller broke the contract of a stream."""


class StreamClosedError(StreamUsageError):
    """The stream was used after its end."""


class StreamBusyError(StreamUsageError):
    """A second iterator on one stream, or audio pushed into a stream that reads from a source."""
