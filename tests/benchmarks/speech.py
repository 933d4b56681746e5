"""The speech of the benchmark: numbered words in time, and the messages in which Soniox would report them.

Both processes make it from the same numbers, so neither has to tell the other. A word takes 0.3 s and comes as
three tokens (" w7", "a", "b"), one every 0.1 s, each with a message of its own, so there are ten messages a second.
A token becomes final 1.2 s after it was heard, as real-time services do it; every 3 s an utterance ends, and with
its marker everything is final. All audio is 16 kHz mono, 16 bit; what is in it does not matter, only how much.
"""

from __future__ import annotations

import json

__all__ = ["BYTES_PER_SECOND", "MESSAGES", "UTTERANCE", "final_moments", "interim_moments", "messages", "word_count"]

BYTES_PER_SECOND = 32_000
MESSAGES = 10
"""Messages a second."""

UTTERANCE = 3.0
"""Seconds; audio of whole utterances loses no words even where finals are held back until their end."""

_PIECES = ("", "a", "b")
_PER_UTTERANCE = round(UTTERANCE * MESSAGES)
_DELAY = 12  # messages from a token to its being final
_MARKER = {"text": "<end>", "is_final": True}


def word_count(seconds: float) -> int:
    """Words in so much speech."""
    return round(seconds * MESSAGES) // len(_PIECES)


def messages(seconds: float) -> list[str]:
    """The message due at each tenth of a second: number 0 after 0.1 s of audio."""
    return [_message(number) for number in range(1, round(seconds * MESSAGES) + 1)]


def interim_moments(seconds: float) -> dict[str, float]:
    """By the last word of an interim: seconds of audio that must have been sent for it."""
    count = round(seconds * MESSAGES)
    return {_so_far(heard): heard / MESSAGES for heard in range(1, count + 1) if heard % _PER_UTTERANCE}


def final_moments(seconds: float) -> dict[str, float]:
    """By the last word of a final: seconds of audio that must have been sent until that word is whole and final.

    A word is whole when a token of the next one is final. Who hands on tokens instead of words shows at that moment
    the first piece of the next word.
    """
    moments: dict[str, float] = {}
    for heard in range(1, round(seconds * MESSAGES) + 1):
        token = heard - _DELAY  # becomes final now
        if heard % _PER_UTTERANCE == 0:
            moments[_so_far(heard)] = heard / MESSAGES
        elif token > 0 and token % len(_PIECES) == 1 and (token - 1) // _PER_UTTERANCE == heard // _PER_UTTERANCE:
            moments[_so_far(token)] = heard / MESSAGES
            if token % _PER_UTTERANCE != 1:
                moments[_so_far(token - 1)] = heard / MESSAGES
    return moments


def _so_far(token: int) -> str:
    """The word as it stands with its token number `token` (from 1)."""
    word, piece = divmod(token - 1, len(_PIECES))
    return f"w{word}{''.join(_PIECES[: piece + 1])}"


def _message(heard: int) -> str:
    """What is said when `heard` tokens were heard."""
    begun = (heard - 1) // _PER_UTTERANCE * _PER_UTTERANCE  # tokens before this utterance
    ends = heard % _PER_UTTERANCE == 0
    settled = heard if ends else max(heard - _DELAY, begun)
    before = max(heard - 1 - _DELAY, begun)  # final by the last message
    tokens = [_token(number, final=number <= settled) for number in range(before + 1, heard + 1)]
    body = {
        "tokens": tokens + [_MARKER] * ends,
        "final_audio_proc_ms": settled * 1000 // MESSAGES,
        "total_audio_proc_ms": heard * 1000 // MESSAGES,
    }
    return json.dumps(body)


def _token(number: int, *, final: bool) -> dict[str, object]:
    word, piece = divmod(number - 1, len(_PIECES))
    return {
        "text": _PIECES[piece] or f" w{word}",
        "start_ms": (number - 1) * 1000 // MESSAGES,
        "end_ms": number * 1000 // MESSAGES - 20,
        "confidence": 0.97,
        "is_final": final,
        "language": "en",
    }
