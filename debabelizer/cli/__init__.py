"""The command line: one file per verb."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line with `arguments` (by default the process's own) and exit with its code."""
    try:
        from debabelizer.cli.app import run

        sys.exit(run(arguments))
    except KeyboardInterrupt:
        sys.exit(130)
