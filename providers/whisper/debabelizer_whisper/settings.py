"""The table ``[providers.whisper]``."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, JsonValue, field_validator

from debabelizer.config import ProviderSettings

__all__ = ["WhisperSettings"]

# Arguments of faster-whisper that the provider itself gives, or that would break what it promises.
_OWN: Final = frozenset(
    {"audio", "beam_size", "chunk_length", "clip_timestamps", "condition_on_previous_text", "hotwords"}
    | {"initial_prompt", "language", "log_progress", "multilingual", "task", "vad_filter", "vad_parameters"}
    | {"word_timestamps"}
)


class WhisperSettings(ProviderSettings):
    """Settings of provider `whisper`. A model that is named is loaded once, and kept until the processor is closed."""

    model: str = Field(default="base", min_length=1)
    """A name that faster-whisper knows (`tiny`, `base`, `small`, `medium`, `large-v3`, `turbo`, `distil-large-v3`, with
    `.en` for English alone), a repository of Hugging Face (`Systran/faster-whisper-small`), or the folder of a model
    converted for CTranslate2."""

    local_files_only: bool = True
    """Never download: a model that is not on this machine is an error that says how to get it. With `false` it is
    downloaded from Hugging Face when it is first used."""

    download_root: str = ""
    """Folder of downloaded models; by default the cache of Hugging Face."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; `auto` is an NVIDIA card if there is one that works, else the processor."""

    device_index: int = Field(default=0, ge=0, le=63)
    """Number of the graphics card."""

    compute_type: Literal[
        "auto",
        "default",
        "int8",
        "int8_float32",
        "int8_float16",
        "int8_bfloat16",
        "int16",
        "float16",
        "bfloat16",
        "float32",
    ] = "auto"
    """Precision of the arithmetic; `auto` is the fastest that the device can do, `default` that of the model."""

    threads: int = Field(default=0, ge=0, le=256)
    """Processor threads for one utterance; 0 leaves it to CTranslate2, which takes up to 4."""

    workers: int = Field(default=2, ge=1, le=64)
    """How many utterances are recognised at the same time, with one model in memory. With 1 a file holds up streams."""

    beam_size: int = Field(default=5, ge=1, le=20)
    """Hypotheses followed at once; 1 is faster and a little less accurate."""

    task: Literal["transcribe", "translate"] = "transcribe"
    """`translate` writes English, whatever is spoken: the text is then the translation, and what was said is not
    written. Word times are rough. Models for English alone, and `turbo`, do not translate."""

    initial_prompt: str = ""
    """Text that might stand before each utterance: names, spelling and punctuation like in it become more likely."""

    silence: float = Field(default=2.0, ge=0.1, le=5.0)
    """Pause, in seconds, that ends an utterance of a recording. Whisper works on half a minute at once, however little
    of it is speech, so a shorter pause costs time, and a little accuracy."""

    max_utterance: float = Field(default=28.0, ge=5.0, le=30.0)
    """Longest utterance of a recording, in seconds; a longer one is cut at the best pause in its second half."""

    stream_silence: float = Field(default=0.8, ge=0.2, le=5.0)
    """Pause, in seconds, that ends an utterance of a stream. Finals come that much after the last word, so people wait
    for it; a shorter one costs accuracy."""

    stream_max_utterance: float = Field(default=15.0, ge=2.0, le=30.0)
    """Longest utterance of a stream, in seconds; a longer one is cut at the best pause in its second half."""

    extra: dict[str, JsonValue] = Field(default={})
    """Further arguments of `WhisperModel.transcribe`, such as `{ no_repeat_ngram_size = 3, temperature = 0.0 }`."""

    @field_validator("extra")
    @classmethod
    def _is_not_ours(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(_OWN & extra.keys()):
            raise ValueError(f"must not contain {', '.join(taken)}, which the provider itself gives")
        return extra
