"""Whether a server can do what is asked of it, by its own description."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from debabelizer.errors import InvalidRequestError
from debabelizer_wyoming import NAME
from debabelizer_wyoming.server import Model, Program, Wishes

__all__ = ["check_fitness"]


def check_fitness(programs: Sequence[Program], wishes: Wishes, *, allow_endpointing: bool) -> None:
    """Refuse a server that does not recognise speech, or not this speech.

    Raises:
        InvalidRequestError: With what it can do instead.
    """
    if not programs:
        raise InvalidRequestError(
            "The Wyoming server does not recognise speech.",
            provider=NAME,
            hint="It may be one for voices or wake words. `uri` under [providers.wyoming] names the server.",
        )
    # A server takes its first program unless it is told otherwise, or finds the model in another one.
    named = [(program, model) for program in programs for model in program.models if model.name == wishes.name]
    if wishes.name and not named:
        names = (model.name for program in programs for model in program.models)
        raise _refusal(f"has no model {wishes.name!r}", names)
    program, models = programs[0], programs[0].models
    if named:
        program, models = named[0][0], (named[0][1],)
    _check_language(models, wishes.language)
    if program.ends_utterances and not allow_endpointing:
        raise InvalidRequestError(
            f"The Wyoming server ({program.name}) ends utterances by itself: words behind a pause can be lost.",
            provider=NAME,
            hint="Start it without endpointing, or set allow_endpointing = true under [providers.wyoming].",
        )


def _check_language(models: Iterable[Model], language: str) -> None:
    known = {code for model in models for code in model.languages}
    if language and known and _plain(language) not in map(_plain, known):
        raise _refusal(f"does not understand {language!r}", sorted(known))


def _plain(code: str) -> str:
    """A language without its region: servers write ``en``, ``en-US`` and ``en_US``."""
    return code.lower().replace("_", "-").partition("-")[0]


def _refusal(what: str, known: Iterable[str]) -> InvalidRequestError:
    return InvalidRequestError(
        f"The Wyoming server {what}.", provider=NAME, hint=f"It has {', '.join(known) or 'none'}."
    )
