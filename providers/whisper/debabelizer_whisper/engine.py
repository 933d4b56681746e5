"""`Engine`: one Whisper model in memory, and the only module that runs faster-whisper."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from debabelizer.errors import InvalidRequestError, PluginLoadError, ProviderError
from debabelizer.results import Segment
from debabelizer_whisper import NAME
from debabelizer_whisper.texts import SpokenSegment, segments_of

if TYPE_CHECKING:
    from faster_whisper.transcribe import TranscriptionInfo

    from debabelizer_whisper.settings import WhisperSettings

__all__ = ["Engine", "Place", "Task"]

# Whisper's code, and everybody else's.
_JAVANESE: Final = ("jw", "jv")

# What CTranslate2 raises, without classes of its own: a wrong shape or value, no memory, no driver.
_FAULTS: Final = (RuntimeError, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Place:
    """Which model, and where it runs: what decides whether two requests share an engine. See `WhisperSettings`."""

    model: str
    local_files_only: bool
    download_root: str
    device: str
    device_index: int
    compute_type: str
    threads: int
    workers: int

    @classmethod
    def of(cls, settings: WhisperSettings) -> Place:
        """The place that the settings name."""
        return cls(**{name: getattr(settings, name) for name in cls.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be made of an utterance.

    Attributes:
        languages: Those that it may be in, two-letter codes; empty is any.
        english: Whether to translate to English.
        arguments: Further ones of `WhisperModel.transcribe`.
    """

    languages: tuple[str, ...] = ()
    english: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)


class Engine:
    """A model. Loading and decoding block, so call them in threads; several may decode at the same time.

    Raises:
        PluginLoadError: If faster-whisper cannot be loaded here.
        InvalidRequestError: If there is no such model, or the device cannot run it.
    """

    def __init__(self, place: Place) -> None:
        try:
            from faster_whisper import WhisperModel

            from debabelizer_whisper.models import find_model
        except (ImportError, OSError) as error:  # OSError: its native library
            message = f"The speech engine of provider {NAME!r} cannot be loaded on this machine: {error}."
            raise PluginLoadError(message, name=NAME, hint='Type: pip install "debabelizer[whisper]>=0.3"') from error
        _stop_progress_bars()
        folder = find_model(place.model, download_root=place.download_root, local_files_only=place.local_files_only)
        try:
            self._model = WhisperModel(
                str(folder),
                device=place.device,
                device_index=place.device_index,
                compute_type=place.compute_type,
                cpu_threads=place.threads,
                num_workers=place.workers,
                local_files_only=True,
            )
        except _FAULTS as error:
            raise InvalidRequestError(
                f"Model {place.model!r} cannot be loaded: {error}",
                provider=NAME,
                hint="Look at model, device and compute_type under [providers.whisper].",
            ) from error
        self._name = place.model

    def understand(self, samples: NDArray[np.float32], task: Task) -> tuple[Segment, ...]:
        """What is said in mono samples at 16 kHz, with times in seconds from their start.

        Raises:
            InvalidRequestError: If the model does not know the languages, or the task, or an argument.
            ProviderError: If it fails.
        """
        languages = [self._code(language) for language in task.languages]
        self._check(task)
        only = languages[0] if len(languages) == 1 else None
        try:
            segments, info = self._transcribe(samples, task, only)
            if languages and info.language not in languages:
                segments, info = self._transcribe(samples, task, _likeliest(info, languages))
            language = "en" if task.english else _ordinary(info.language)
            return segments_of(segments, language)  # The work is done here: what came before only prepared it.
        except _FAULTS as error:
            reason = str(error).partition("\n")[0]  # The rest is a signature, and the whole audio.
            message = f"The speech engine failed on {len(samples) / 16000:.2f} s of audio: {reason}"
            raise ProviderError(message, provider=NAME) from error

    def close(self) -> None:
        """Free the model's memory; the engine cannot be used any more. Idempotent."""
        self._model.model.unload_model()

    def _transcribe(
        self, samples: NDArray[np.float32], task: Task, language: str | None
    ) -> tuple[Iterable[SpokenSegment], TranscriptionInfo]:
        segments, info = self._model.transcribe(
            np.ascontiguousarray(samples, np.float32),
            language=language,
            task="translate" if task.english else "transcribe",
            word_timestamps=True,
            # Each utterance by itself: the text before it would bring its errors along, and cost the order of work.
            condition_on_previous_text=False,
            **task.arguments,
        )
        return segments, info

    def _code(self, language: str) -> str:
        """A language as the model calls it."""
        code = language.lower().partition("-")[0]
        code = _JAVANESE[0] if code == _JAVANESE[1] else code
        multilingual = self._model.model.is_multilingual
        if code == "en" if not multilingual else self._model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None:
            return code
        known = "this language" if multilingual else "any language but English"
        raise InvalidRequestError(
            f"Model {self._name!r} does not know {known}: {language}.",
            provider=NAME,
            hint="Choose another model under [providers.whisper]; those whose name ends in .en know only English.",
        )

    def _check(self, task: Task) -> None:
        """Refuse what faster-whisper would ignore, or not understand."""
        if task.english and not self._model.model.is_multilingual:
            raise InvalidRequestError(f"Model {self._name!r} knows English alone, and cannot translate.", provider=NAME)
        known = inspect.signature(self._model.transcribe).parameters
        if unknown := [name for name in task.arguments if name not in known]:
            raise InvalidRequestError(
                f"faster-whisper knows no argument {', '.join(unknown)}.",
                provider=NAME,
                hint="Look at `extra` under [providers.whisper].",
            )


def _stop_progress_bars() -> None:
    """Start no thread that nobody ends: for each call faster-whisper makes a bar of tqdm, hidden or not."""
    from faster_whisper import transcribe, utils

    if transcribe.tqdm.monitor_interval:
        transcribe.tqdm = type("tqdm", (transcribe.tqdm,), {"monitor_interval": 0})
    utils.disabled_tqdm.monitor_interval = 0


def _likeliest(info: TranscriptionInfo, languages: list[str]) -> str:
    """The likeliest of the languages."""
    heard = dict(info.all_language_probs or ())
    return max(languages, key=lambda language: heard.get(language, 0.0))


def _ordinary(language: str) -> str:
    """Whisper's code for a language as everybody else's."""
    return _JAVANESE[1] if language == _JAVANESE[0] else language
