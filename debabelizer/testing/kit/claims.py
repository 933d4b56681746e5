"""What a provider was seen to do, beside what its spec claims: too much is a lie, too little as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from debabelizer.results import Transcript
from debabelizer.spec import Capabilities
from debabelizer.streaming.dialect import Flushed, Hypothesis, UtteranceEnd
from debabelizer.testing.kit.laws import hypotheses
from debabelizer.testing.kit.play import Performance
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.tape import Noted, Tape

__all__ = ["OF_FILES", "OF_STREAMS", "OF_THEIR_OWN", "check", "flush_of", "of_file", "of_stream", "wishes"]

Sign = Callable[[Any], bool]

_OF_TEXT: Final[Mapping[str, Sign]] = {
    "confidence": lambda said: said.confidence is not None or any(word.confidence is not None for word in said.words),
    "diarization": lambda said: said.speaker is not None or any(word.speaker is not None for word in said.words),
    "language_identification": lambda said: (
        said.language is not None or any(word.language is not None for word in said.words)
    ),
}

_OF_EVENTS: Final[Mapping[str, Sign]] = {
    "interims": lambda event: isinstance(event, Hypothesis) and not event.final and bool(event.text),
    "translation": lambda event: isinstance(event, Hypothesis) and bool(event.translation),
    "endpointing": lambda event: (
        isinstance(event, UtteranceEnd) or (isinstance(event, Hypothesis) and event.ends_utterance)
    ),
    **{
        name: lambda event, sign=sign: isinstance(event, Hypothesis) and event.final and sign(event)  # type: ignore[misc]
        for name, sign in _OF_TEXT.items()
    },
}

OF_STREAMS: Final = (*_OF_EVENTS, "words", "resume")
"""The claims that a stream shows."""

OF_FILES: Final = (*_OF_TEXT, "words", "translation")
"""The claims that a transcript shows."""

OF_THEIR_OWN: Final = (
    "batch",
    "streaming",
    "local",
    "vocabulary",
    "flush",
    "max_session",
    "max_speed",
    "keepalive",
    "audio_formats",
    "sample_rates",
    "channels",
    "languages",
    "price_per_hour",
)
"""The claims that have tests of their own."""


def wishes(capabilities: Capabilities, hints: tuple[str, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that ask for everything a provider claims."""
    asked: dict[str, Any] = {"language_hints": hints, "options": options}
    for name in ("diarization", "endpointing"):
        if getattr(capabilities, name):
            asked[name] = True
    if capabilities.translation:
        other = (code for code in capabilities.languages if code != "*" and code not in hints)
        asked["translate_to"] = next(other, "de")
    return asked


def of_stream(name: str, performance: Performance) -> tuple[object, str]:
    """What a stream showed of a claim, and where."""
    if name == "words":
        return _finest((said for tape in performance.tapes for _, said in hypotheses(tape) if said.final)), ""
    if name == "resume":
        return _resumable(performance), ""
    for tape, noted in _events(performance):
        if _OF_EVENTS[name](noted.event):
            return True, tape.where(noted)
    for tape, noted in _events(performance):
        if isinstance(noted.event, Hypothesis) and noted.event.final:
            return False, f"for example {tape.where(noted)}"
    return False, ""


def of_file(name: str, transcript: Transcript) -> object:
    """What a transcript showed of a claim."""
    if name == "words":
        return _finest(transcript.segments)
    if name == "translation":
        return bool(transcript.translation)
    found = any(_OF_TEXT[name](segment) for segment in transcript.segments)
    return found or (name == "language_identification" and transcript.language is not None)


def flush_of(performance: Performance, claimed: str) -> tuple[str, str]:
    """What became of a flush: `confirmed`, `fire` or `none`, and where."""
    for tape, noted in _events(performance):
        if isinstance(noted.event, Flushed):
            return "confirmed", tape.where(noted)
    for tape in performance.tapes:
        if tape.opening is not None:
            if any(frames.frames for frames in tape.wire if frames.way == "flush"):
                return "fire", tape.where()
        elif tape.flushes and claimed == "fire" and tape.outcome == "returned":
            return "fire", tape.where()  # what an engine does without an answer nobody sees; it went on
    return "none", ""


def check(name: str, claimed: object, seen: object, where: str = "") -> None:
    """Compare a claim with what was seen."""
    if claimed == seen or (name == "resume" and "none" not in {claimed, seen} and seen == "exact"):
        return
    understated = seen is True or (claimed == "none" and seen != "none")
    hint = (
        f"write {name}={seen!r} into the spec, or stop doing it: users choose by what is claimed"
        if understated
        else "correct the claim, the provider, or the simulator, which must do what it is asked for"
    )
    raise PromiseBrokenError(
        f"the spec claims {name}={claimed!r}",
        f"seen was {name}={seen!r}, when everything was asked for that the spec claims",
        where=where,
        hint=hint,
        look=name,
    )


def _events(performance: Performance) -> Iterator[tuple[Tape, Noted]]:
    for tape in performance.tapes:
        for noted in tape.events:
            yield tape, noted


def _finest(texts: Any) -> str:
    """The finest unit that comes with times."""
    grade = "none"
    for said in texts:
        if any(word.start is not None for word in said.words):
            return "word"
        if said.text and said.start is not None and said.end is not None:
            grade = "segment"
    return grade


def _resumable(performance: Performance) -> str:
    """How exact a new connection could go on: by the times of finals, or by the vendor's own final position."""
    unit = {"word": "exact", "segment": "segment", "none": "none"}[str(of_stream("words", performance)[0])]
    settled = any(getattr(noted.event, "final", False) is True for _, noted in _events(performance)
                  if not isinstance(noted.event, Hypothesis))  # fmt: skip
    return "exact" if settled else unit
