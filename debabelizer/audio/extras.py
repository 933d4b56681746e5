"""What to type when an optional package is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from debabelizer.errors import AudioError

__all__ = ["needs"]


@contextmanager
def needs(extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import within the block into an `AudioError` that says which extra to install.

    Args:
        extra: Name of the extra of this distribution.
        purpose: What the import is for; the beginning of the message.
    """
    try:
        yield
    except ImportError as error:
        name = error.name.partition(".")[0] if error.name else extra
        raise AudioError(
            f"{purpose} needs the package {name!r}, which is not installed.",
            hint=f'Install it: pip install "debabelizer[{extra}]>=0.3"',
        ) from error
