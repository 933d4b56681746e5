"""Finding a model: in a folder, in a package, among the downloads, or on the network. All of this blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

from faster_whisper import available_models, download_model
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of httpx, or since 2.0 of httpx2

from debabelizer.errors import InvalidRequestError, ProviderError, ServiceUnavailableError
from debabelizer_whisper import NAME
from debabelizer_whisper.packaged import EXTRAS, find_packaged

__all__ = ["find_model"]

# Without its tokenizer faster-whisper would fetch one over the network, in whatever mode.
_FILES: Final = ("model.bin", "config.json", "tokenizer.json")


def find_model(model: str, *, download_root: str, local_files_only: bool) -> Path:
    """The folder of a model; it is downloaded if that is allowed and needed.

    Raises:
        InvalidRequestError: If there is none, with what to do.
        ServiceUnavailableError: If it cannot be downloaded at the moment.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _checked(folder)
    if model.startswith((".", "~")) or folder.is_absolute():
        raise _missing(f"There is no folder {model!r}.", "Name the folder of a model converted for CTranslate2.")
    packaged = find_packaged(model)
    return packaged if packaged is not None else _downloaded(model, download_root, local_files_only)


def _downloaded(model: str, root: str, local_files_only: bool) -> Path:
    """The folder of a model of Hugging Face."""
    if "/" not in model and model not in available_models():
        hint = f"Known are {', '.join(available_models())}; others are named as owner/repository, or by their folder."
        raise _missing(f"faster-whisper knows no model {model!r}.", hint)
    cache = str(Path(root).expanduser()) if root else None
    try:
        return _checked(Path(download_model(model, local_files_only=local_files_only, cache_dir=cache)))
    except (OSError, ValueError, HTTPError) as error:  # what huggingface-hub raises for its many failures
        if local_files_only:
            raise _missing(f"Model {model!r} is not on this machine.", _ways(model, cache)) from error
        _cannot_download(model, error)


def _ways(model: str, cache: str | None) -> str:
    """How to get a model."""
    extra = f'pip install "debabelizer-whisper[{EXTRAS[model]}]", or: ' if model in EXTRAS else ""
    where = f", cache_dir={cache!r}" if cache else ""
    return (
        f'Type: {extra}python -c "import faster_whisper; faster_whisper.download_model({model!r}{where})". Or set '
        "local_files_only = false under [providers.whisper] to download it on first use, or name the folder of a model."
    )


def _cannot_download(model: str, error: Exception) -> NoReturn:
    """Tell a repository that is not there from a network that is not."""
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, (GatedRepoError, HFValidationError, RepositoryNotFoundError)):
        raise _missing(f"Hugging Face does not give model {model!r}: {reason}", "Check its name.") from error
    raise ServiceUnavailableError(
        f"Model {model!r} cannot be downloaded from Hugging Face: {reason}",
        provider=NAME,
        hint="Check the network, or name the folder of a model.",
    ) from error


def _checked(folder: Path) -> Path:
    """The folder, if it has what a model is made of."""
    if missing := [name for name in _FILES if not (folder / name).is_file()]:
        raise _missing(
            f"Folder {str(folder)!r} is no model of faster-whisper: it has no {' and no '.join(missing)}.",
            "Convert the model with: ct2-transformers-converter --copy_files tokenizer.json preprocessor_config.json",
        )
    return folder


def _missing(message: str, hint: str) -> ProviderError:
    return InvalidRequestError(message, provider=NAME, hint=hint)
