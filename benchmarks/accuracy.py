"""How many words a provider gets wrong, and how fast it is, on recordings with known text.

    python benchmarks/accuracy.py FOLDER [--provider NAME] [--language CODE] [--sets NAME ...]

FOLDER holds recordings in subfolders, one for each set, and `manifest.json`: an object whose ``files`` have
``file``, ``text``, ``language`` and ``seconds``. Files without a text, of another language or without a header are
left out. Prints a Markdown table.

Texts are compared as Whisper's authors do it, after their normaliser: no punctuation, no case, numbers as digits.
The real-time factor is processing time by audio time, one file after another, with the model already loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jiwer

from debabelizer import VoiceProcessor
from debabelizer.errors import AudioError


@dataclass(slots=True)
class Tally:
    """What was measured of one set."""

    references: list[str] = field(default_factory=list)
    hypotheses: list[str] = field(default_factory=list)
    audio: float = 0.0
    wall: float = 0.0

    def row(self, name: str) -> str:
        """The set as a line of the table."""
        words = sum(len(reference.split()) for reference in self.references)
        errors = 100 * jiwer.wer(self.references, self.hypotheses)
        speed = self.wall / self.audio
        return f"| {name} | {len(self.references)} | {self.audio:.0f} | {words} | {errors:.1f} | {speed:.3f} |"


def normaliser(language: str) -> Callable[[str], str]:
    """Whisper's own, which for English also knows spellings and numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of the package itself
        from whisper_normalizer.basic import BasicTextNormalizer
        from whisper_normalizer.english import EnglishTextNormalizer
    return EnglishTextNormalizer() if language == "en" else BasicTextNormalizer()


async def measure(folder: Path, provider: str, language: str, sets: list[str], *, show: bool) -> dict[str, Tally]:
    """Transcribe every recording that has a text."""
    normal = normaliser(language)
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    entries = [entry for entry in entries if entry["language"] == language and entry["text"]]
    tallies: dict[str, Tally] = {}
    async with VoiceProcessor({}, provider=provider) as processor:
        await processor.transcribe(folder / entries[0]["file"])  # loads the model
        for entry in entries:
            name = Path(entry["file"]).parts[0]
            if sets and name not in sets:
                continue
            begun = time.perf_counter()
            try:
                transcript = await processor.transcribe(folder / entry["file"], language_hints=[language])
            except AudioError as error:  # e.g. raw audio without a header
                print(f"left out: {error}", file=sys.stderr)
                continue
            tally = tallies.setdefault(name, Tally())
            tally.wall += time.perf_counter() - begun
            tally.audio += entry["seconds"]
            tally.references.append(normal(entry["text"]))
            tally.hypotheses.append(normal(transcript.text))
            if show:
                print(f"{entry['file']}\n  - {tally.references[-1]}\n  + {tally.hypotheses[-1]}")
    return tallies


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--provider", default="moonshine")
    parser.add_argument("--language", default="en")
    parser.add_argument("--sets", nargs="*", default=[], help="only these subfolders")
    parser.add_argument("--show", action="store_true", help="also print both texts of each file")
    options = parser.parse_args()
    tallies = asyncio.run(measure(options.folder, options.provider, options.language, options.sets, show=options.show))
    print("| set | files | audio s | words | WER % | real-time factor |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, tally in tallies.items():
        print(tally.row(name))


if __name__ == "__main__":
    main()
