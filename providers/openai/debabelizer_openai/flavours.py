"""In which ways servers that speak OpenAI's protocol differ: one table, read by everything else.

Only what an answer does not tell by itself stands here. Whether words come in segments or beside them, whether a
language is a code or an English name, whether an error is a text or an object: readers take both, for servers change
from one release to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

__all__ = ["FLAVOURS", "Flavour", "Model"]

Format: TypeAlias = Literal["json", "verbose_json", "diarized_json"]
Turns: TypeAlias = Literal["server", "client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a model takes and gives.

    Attributes:
        format: The richest answer: text; with times; or with speakers.
        granularities: The times to ask for, with ``verbose_json``.
        sse: Whether an answer can be had while it is made, as Server-Sent Events.
        language: The field of a form for the language: of one, or ``languages[]`` for several.
        vocabulary: The field for words to expect, or None if there is none.
        prompt: Whether it takes a prompt.
        turns: Who ends an utterance on a stream: the service, by voice activity, or the client, by commits.
        piece: Longest stretch of a recording sent at once, in seconds.
    """

    format: Format = "json"
    granularities: tuple[str, ...] = ()
    sse: bool = False
    language: Literal["language", "languages[]"] = "language"
    vocabulary: Literal["keywords[]", "hotwords", "prompt"] | None = "prompt"
    prompt: bool = True
    turns: Turns = "server"
    piece: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """One kind of server.

    Attributes:
        title: What it is called in messages.
        path: Where recordings go, behind the base address.
        models: Models by the beginning of their names; the longest that fits counts, and the empty one fits all.
        names_model: Whether a model must be named; whisper.cpp has loaded one.
        any_language: What to send to have the language found out; None is to send nothing.
        identifies: Whether the language in its answers was heard, and is not just what it was told.
        nanoseconds: Whether large times are nanoseconds (LocalAI writes Go's durations).
        done: Whether its Server-Sent Events are proven complete by ``transcript.text.done``.
        largest: Most bytes of a recording.
        silent: Texts that it writes for silence.
    """

    title: str
    path: str = "/audio/transcriptions"
    models: Mapping[str, Model] = field(default_factory=dict)
    names_model: bool = True
    any_language: str | None = None
    identifies: bool = True
    nanoseconds: bool = False
    done: bool = True
    largest: int = 25_000_000
    silent: tuple[str, ...] = ()

    def model(self, name: str) -> Model:
        """The row for a model."""
        fitting = [known for known in self.models if name.rpartition("/")[2].startswith(known)]
        return self.models[max(fitting, key=len)]


_WHISPER: Final = Model(format="verbose_json", granularities=("word", "segment"))

FLAVOURS: Final[Mapping[str, Flavour]] = MappingProxyType(
    {
        "openai": Flavour(
            title="OpenAI",
            models={
                # What is newer than this table will rather be like the newest model than like older ones.
                "": Model(sse=True, language="languages[]", vocabulary="keywords[]"),
                "gpt-transcribe": Model(sse=True, language="languages[]", vocabulary="keywords[]"),
                "gpt-live-transcribe": Model(language="languages[]", vocabulary="keywords[]", turns="client"),
                "gpt-realtime-whisper": Model(vocabulary=None, prompt=False, turns="client"),
                "gpt-4o-transcribe": Model(sse=True),
                "gpt-4o-mini-transcribe": Model(sse=True),
                # Labels of speakers begin anew with every piece, so pieces are long.
                "gpt-4o-transcribe-diarize": Model(
                    format="diarized_json", sse=True, vocabulary=None, prompt=False, piece=600.0
                ),
                "whisper-1": _WHISPER,
            },
        ),
        # A server of which nothing is known: only what all are known to understand is asked for, and believed.
        "generic": Flavour(
            title="The server",
            models={"": Model(), "whisper": Model(format="verbose_json", granularities=("segment",))},
            identifies=False,
            done=False,
        ),
        "groq": Flavour(title="Groq", models={"": _WHISPER}),
        "speaches": Flavour(
            title="speaches",
            models={"": Model(format="verbose_json", granularities=("word", "segment"), vocabulary="hotwords")},
            done=False,
            largest=1_000_000_000,
        ),
        "whisper_cpp": Flavour(
            title="whisper.cpp",
            path="/inference",
            models={"": Model(format="verbose_json")},
            names_model=False,
            any_language="auto",  # else it takes everything for English
            largest=1_000_000_000,
            silent=("[BLANK_AUDIO]", "[ Silence ]", "[silence]"),
        ),
        "vllm": Flavour(
            title="vLLM",
            models={"": Model(format="verbose_json", granularities=("segment",))},
            identifies=False,
            done=False,
        ),
        "localai": Flavour(
            title="LocalAI",
            models={"": Model(format="verbose_json", granularities=("segment",), vocabulary=None)},
            identifies=False,
            nanoseconds=True,
            done=False,
            largest=1_000_000_000,
        ),
    }
)
"""Every flavour by its name: that of its provider, or the setting `flavour` of `openai_compatible`."""
