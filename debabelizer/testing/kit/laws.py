"""The laws of results and of ends, as checks of a `Performance`. Each looks at one law and lets the others be."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import Final, cast

from debabelizer.errors import (
    ConnectionLostError,
    ConnectTimeout,
    ProgressTimeout,
    ProtocolError,
    ProviderError,
    ReadyTimeout,
    SendTimeout,
    StreamError,
    TransportError,
)
from debabelizer.results import Word
from debabelizer.streaming.dialect import Finished, Hypothesis
from debabelizer.testing.coded import DAMAGED
from debabelizer.testing.kit.play import Performance
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.tape import Noted, Tape

__all__ = [
    "ends_with_proof",
    "finals_are_said_once",
    "finals_do_not_wait",
    "interims_are_settled",
    "interims_hold_nothing_final",
    "no_connection_fails",
    "times_are_true",
    "why",
    "words_are_complete",
    "words_are_whole",
]

_OVERLAP: Final = 0.05  # seconds by which vendors let neighbouring spans overlap
_TIMES: Final = 0.1  # seconds by which a time may be wrong


def hypotheses(tape: Tape) -> Iterator[tuple[Noted, Hypothesis]]:
    """What a connection heard, in order."""
    for noted in tape.events:
        if isinstance(noted.event, Hypothesis):
            yield noted, noted.event


def units(hypothesis: Hypothesis) -> tuple[Word, ...]:
    """The words of a hypothesis with whatever times there are; its text as one, if the vendor gives no words."""
    return hypothesis.words or (Word(hypothesis.text, hypothesis.start, hypothesis.end),)


def why(error: BaseException | None) -> str:
    """An error in words, with what it came from."""
    if error is None:
        return "no error"
    cause = f" because of {type(error.__cause__).__name__}: {error.__cause__}" if error.__cause__ is not None else ""
    return f"{type(error).__name__}: {error}{'' if isinstance(error, StreamError) else cause}"


def no_connection_fails(performance: Performance) -> None:
    """When nothing goes wrong, no connection fails, and none returns before it has proven the end."""
    _is_opened(performance)
    promised = "a connection runs until it has proven that all audio was processed"
    for tape in performance.tapes:
        if tape.outcome == "returned" and not tape.finished:
            raise PromiseBrokenError(
                promised,
                "`Connection.run` returned without having emitted `Finished`",
                where=tape.where(),
                hint="to return early is a failure like any other: raise the typed error that tells why",
                look="the-end",
            )
        if tape.failed:
            outcome = cast("BaseException", tape.outcome)
            raise PromiseBrokenError(
                promised,
                f"it failed with {why(outcome)}",
                where=tape.where_last(),
                hint=_remedy(outcome, ended=tape.ended),
                look="the-end",
            ) from (None if isinstance(outcome, TransportError) else outcome)  # the way there says no more
    for cause in performance.causes:
        if type(cause) in _OVERDUE:
            raise PromiseBrokenError(
                promised,
                f"the core gave it up: {why(cause)}",
                where=performance.tapes[0].where_last() if performance.tapes else "",
                hint=_OVERDUE[type(cause)],
                look="the-end",
            )


_OVERDUE: Final[Mapping[type[BaseException], str]] = {
    ReadyTimeout: "audio waits for `Ready`, because of `Opening.awaits_ready`: give that event when the vendor says "
    "that it is ready, or do not wait; and does the simulator say it?",
    ProgressTimeout: "audio was sent and nothing said that it was heard: give `Processed(through)` for whatever the "
    "vendor says of its progress; an engine of your own says `Link.working` while it works",
    ConnectTimeout: "call `Link.opened` when the connection is made",
    SendTimeout: "ask for audio again when the last is handed on: what `Link.take` gave waits somewhere",
}


def _is_opened(performance: Performance) -> None:
    """Whether there was a connection at all, and somebody who served it."""
    if performance.failure is not None:
        raise PromiseBrokenError(
            "the simulator serves every connection to its end",
            f"it failed itself: {why(performance.failure)}",
            where=_line_of(performance.failure),
            hint="mend the simulator first: what the provider makes of it is no sign of anything",
            look="what-stands-in",
        ) from performance.failure
    error = performance.error
    if error is not None and all(tape.begun is None for tape in performance.tapes):
        raise PromiseBrokenError(
            "a stream can be opened",
            why(error.__cause__ or error),
            hint="are `settings` of the simulator and of the suite keys of the provider's settings, and can the "
            "provider make a dialect or a connection of them?",
            look="what-stands-in",
        ) from error


def _remedy(outcome: BaseException, *, ended: bool) -> str:
    if not isinstance(outcome, ProviderError):
        return "this is no typed error: raise a ProviderError that says what happened, or mend the bug"
    if ended and isinstance(outcome, ConnectionLostError):
        return (
            "the audio was over, so the vendor had reason to close: turn what it says last into `Finished`, "
            "or the close itself, in `Dialect.hung_up`, if it says nothing"
        )
    if isinstance(outcome, ProtocolError):
        return "look at the last frame: does the dialect read what the vendor documents, and the simulator send it?"
    return "with a sound simulator nothing fails: which of the two is not as the vendor documents it?"


def _line_of(error: BaseException) -> str:
    """Where an error was raised."""
    *_, last = traceback.extract_tb(error.__traceback__) or [None]
    return "" if last is None else f"{last.filename}, line {last.lineno}: {last.line}"


def ends_with_proof(performance: Performance) -> None:
    """`Finished` answers the end of audio; then the stream is over without an error."""
    for tape in performance.tapes:
        early = next((noted for noted in tape.events if isinstance(noted.event, Finished) and not noted.ended), None)
        if early is not None:
            raise PromiseBrokenError(
                "`Finished` answers the end of audio",
                "it came before the audio was over",
                where=tape.where(early),
                look="the-end",
            )
        if tape.ended and tape.outcome != "returned" and not tape.finished:
            raise PromiseBrokenError(
                "the end of audio is answered by `Finished`, the provider's own proof that it processed everything",
                "the answer never came",
                where=tape.where(),
                hint="`Dialect.end` must make the vendor say that it is done, and `receive` must turn that into "
                "`Finished`; a closed socket is no proof",
                look="the-end",
            )


def finals_are_said_once(performance: Performance) -> None:
    """Law 1: finals are immutable, in order, and do not overlap."""
    for tape in performance.tapes:
        last: dict[int | None, Word] = {}
        for noted, said in hypotheses(tape):
            for word in units(said) if said.final and said.text else ():
                before = last.get(said.channel)
                if before is not None and _precedes(word, before):
                    raise PromiseBrokenError(
                        "finals are said once, in order, and do not overlap (law 1)",
                        f"{_span(word)} was said as final after {_span(before)}",
                        where=tape.where(noted),
                        hint="a final may be repeated by the vendor: tell it apart by its time, and say it once",
                        look="law-1",
                    )
                last[said.channel] = word


def words_are_whole(performance: Performance) -> None:
    """Law 3: a word becomes final once, whole."""
    known = {word.text for word in performance.scene.words}
    for tape in performance.tapes:
        for noted, said in hypotheses(tape):
            for piece in said.text.split() if said.final else ():
                if piece not in known:
                    part = piece == DAMAGED or any(piece in word for word in known)
                    raise PromiseBrokenError(
                        "a word becomes final once, and whole (law 3)",
                        f"{piece!r} became final, which was never said"
                        + ("; `#` is a word of which only a part was heard" if piece == DAMAGED else ""),
                        where=tape.where(noted),
                        hint="hold the pieces of a word back until the word is over: the next one has begun, or the "
                        "vendor says that the utterance ended"
                        if part
                        else "the kit says word0, word1, …: the simulator writes what it hears, with `CodedWords`",
                        look="law-3" if part else "what-stands-in",
                    )
            if said.final and said.words and [word.text for word in said.words] != said.text.split():
                raise PromiseBrokenError(
                    "`Hypothesis.words` are the words of its text",
                    f"the text is {said.text!r}, the words are {[word.text for word in said.words]}",
                    where=tape.where(noted),
                    look="law-3",
                )


def words_are_complete(performance: Performance) -> None:
    """The promise itself: no word is lost, repeated, or out of order."""
    report = performance.report
    if not (report.lost or report.repeated or report.out_of_order) and performance.error is None:
        return
    happened = str(report)
    if performance.error is not None:
        happened += f"; and the stream failed: {why(performance.error)}"
    raise PromiseBrokenError(
        "every word that was said is written once, in order",
        happened,
        where=performance.tapes[-1].where() if performance.tapes else "",
        look="every-word",
    )


def times_are_true(performance: Performance) -> None:
    """Words stand where they were said, in seconds of the audio of their connection."""
    error = performance.report.time_error
    if error is None or error <= _TIMES:
        return
    written, where = _misplaced(performance)
    raise PromiseBrokenError(
        "times are seconds of audio sent on the connection, from its first sample",
        written or f"a word is written {error:.3f} s from where it was said",
        where=where or "; ".join(tape.where() for tape in performance.tapes),
        hint="are milliseconds taken for seconds, or does the clock of a connection not start at zero?",
        look="every-word",
    )


def _misplaced(performance: Performance) -> tuple[str, str]:
    """The first word that stands elsewhere, and its frame; nothing after a new connection, whose time is another."""
    said = {word.text: word for word in performance.scene.words}
    for noted, heard in hypotheses(performance.tapes[0]) if len(performance.tapes) == 1 else ():
        for word in units(heard) if heard.final else ():
            true = said.get(word.text)
            times = () if true is None else ((word.start, true.start), (word.end, true.end))
            if true is not None and any(time is not None and abs(time - right) > _TIMES for time, right in times):
                was = f"it was said from {true.start:.2f} to {true.end:.2f} s"
                return f"{_span(word)} is written, and {was}", performance.tapes[0].where(noted)
    return "", ""


def interims_hold_nothing_final(performance: Performance) -> None:
    """Law 2: an interim never contains text that is already final."""
    for tape in performance.tapes:
        final: set[str] = set()
        for noted, said in hypotheses(tape):
            pieces = said.text.split()
            if said.final:
                final.update(pieces)
            elif again := [piece for piece in pieces if piece in final]:
                raise PromiseBrokenError(
                    "an interim holds only what is not final yet (law 2)",
                    f"the interim {said.text!r} holds {again[0]!r}, which is final already",
                    where=tape.where(noted),
                    hint="if the vendor sends the whole utterance again, take off what was final",
                    look="law-2",
                )


def interims_are_settled(performance: Performance) -> None:
    """Law 2: an interim becomes final or is withdrawn; at the end none is left."""
    for tape in performance.tapes:
        standing: Noted | None = None
        for noted, said in hypotheses(tape):
            if not said.final:
                standing = noted if said.text else None
        if tape.finished and standing is not None:
            raise PromiseBrokenError(
                "an interim is replaced by the next one or withdrawn by an empty one; at the end none stands (law 2)",
                "the connection finished while an interim stood",
                where=tape.where(standing),
                hint="after finals say anew what is still interim: `Hypothesis(text='', final=False)` if nothing is",
                look="law-2",
            )


def finals_do_not_wait(performance: Performance) -> None:
    """Law 4: finals come as soon as the provider is sure."""
    for tape in performance.tapes:
        finals = [noted for noted, said in hypotheses(tape) if said.final and said.text]
        if finals and finals[0].ended and tape.sent > performance.scene.words[-1].end / 2:
            raise PromiseBrokenError(
                "finals come as soon as the provider is sure (law 4)",
                f"not one word became final in {tape.sent:.1f} s of speech with pauses, until the audio was over",
                where=tape.where(finals[0]),
                look="law-4",
            )


def _precedes(word: Word, before: Word) -> bool:
    """Whether `word` was said before, or at the same time as, the one before it."""
    if word.start is None or before.start is None:
        return False
    if before.end is not None and word.start < before.end - _OVERLAP:
        return True
    return word.start < before.start


def _span(word: Word) -> str:
    if word.start is None or word.end is None:
        return repr(word.text)
    return f"{word.text!r} ({word.start:.2f} to {word.end:.2f} s)"
