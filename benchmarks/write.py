"""Measures and rewrites the tables of docs/benchmarks.md.

    python benchmarks/write.py FOLDER [--only imports audio accuracy memory streaming]

FOLDER holds recordings with known text, as `accuracy.py` describes. Everything together takes about fifteen minutes
on two cores; `imports` takes a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parent / "docs" / "benchmarks.md"
END: Final = "<!-- end -->"


def commands(folder: Path) -> dict[str, list[str]]:
    """What to run for each table."""
    recordings = sorted(str(path) for path in (folder / "phone-en").glob("*.wav"))
    return {
        "imports": ["imports.py"],
        "audio": ["audio.py"],
        "accuracy": ["accuracy.py", str(folder)],
        "memory": ["memory.py", *recordings],
        "streaming": ["streaming_local.py", str(folder)],
    }


def measure(command: Sequence[str]) -> str:
    """What a script prints."""
    script, *arguments = command
    return subprocess.run(
        [sys.executable, str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent
    ).stdout.strip()


def replace(page: str, name: str, table: str) -> str:
    """The page with another table between the marks of `name`."""
    begin = f"<!-- measured: {name} -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n{table}\n{END}{rest.split(END, 1)[1]}"


def main() -> None:
    """Rewrite the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="only these tables")
    options = parser.parse_args()
    for name, command in commands(options.folder.resolve()).items():
        if not options.only or name in options.only:
            table = measure(command)
            PAGE.write_text(replace(PAGE.read_text(encoding="utf-8"), name, table), encoding="utf-8")


if __name__ == "__main__":
    main()
