"""`Behaviour`: what the service does that is not documented, varies, or takes too long for a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Behaviour"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the simulated service behaves when nothing goes wrong. All times are seconds.

    Attributes:
        ack: An empty response is seen after the start request, but not promised: ``sent``, ``omitted``, or
            ``late``, after the first audio.
        legacy_auth: Whether a key in the start request is still accepted (the service refuses it from 2027-01-15).
        early_auth: Whether a wrong key is refused as soon as the connection opens, not after the start request.
        start_timeout: Longest wait for the start request.
        idle_timeout: Longest wait for audio or a keepalive.
        max_duration: Longest stream, in seconds of audio.
        cadence: Audio from one response to the next.
        final_delay: Audio after a token until it is final.
        empty_responses: Whether responses come in silence, too.
        silence_is_final: Whether ``final_audio_proc_ms`` moves on through silence, or stays at the last final token.
        finish_delay: Time from the end of audio to the last words and `finished`.
        endpoint_silence: Silence that ends an utterance, if the request's ``max_endpoint_delay_ms`` is not shorter.
        subword: Most letters in a token; 0 keeps words whole.
        space_tokens: Whether a space is a token of its own, not the first character of the next.
        leading_space: Whether the first token of a connection starts with a space.
        close_code: Code of the close frame after `finished` and after an error.
        close_timeout: Longest wait for the client's close frame.
        max_message: Longest message accepted, in bytes.
        polls: How often a transcription of a file is asked for before it is done; no time has to pass.
        record_audio: Whether the log of a connection keeps the audio, up to 64 MiB.
    """

    ack: Literal["sent", "omitted", "late"] = "sent"
    legacy_auth: bool = True
    early_auth: bool = False
    start_timeout: float = 40.0
    idle_timeout: float = 20.0
    max_duration: float = 300 * 60.0
    cadence: float = 0.12
    final_delay: float = 1.5
    empty_responses: bool = True
    silence_is_final: bool = True
    finish_delay: float = 0.0
    endpoint_silence: float = 0.7
    subword: int = 3
    space_tokens: bool = False
    leading_space: bool = False
    close_code: int = 1000
    close_timeout: float = 5.0
    max_message: int = 16 * 1024 * 1024
    polls: int = 1
    record_audio: bool = True
