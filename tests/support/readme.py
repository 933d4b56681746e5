"""The providers table of the README, from the specs: ``PYTHONPATH=tests python -m support.readme`` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from debabelizer.plugins import PluginRegistry
from debabelizer.plugins.discovery import FIRST_PARTY
from debabelizer.spec import ProviderSpec

PAGE: Final = Path(__file__).parents[2] / "README.md"
BEGIN: Final = "<!-- generated: the providers -->"
END: Final = "<!-- end -->"
HEAD: Final = (
    "provider",
    "where",
    "files",
    "streams",
    "times of",
    "speakers",
    "translation",
    "languages",
    "US$ an hour",
    "install",
)


def table() -> str:
    """One row for each provider of this repository."""
    first_party = sorted(FIRST_PARTY)
    registry = PluginRegistry.discover(allow=first_party)
    rows = [
        f"| {' | '.join(HEAD)} |",
        "|---" * len(HEAD) + "|",
        *(_row(registry.spec(name)) for name in first_party),
    ]
    return "\n".join(rows)


def _row(spec: ProviderSpec) -> str:
    can = spec.capabilities
    many = len(can.languages) > 3
    cells = [
        f"[`{spec.name}`](docs/providers/{_page(spec.name)}.md)",
        _where(spec),
        _mark(can.batch),
        _mark(can.streaming or can.batch),
        {"word": "words", "segment": "segments", "none": ""}[can.words],
        _mark(can.diarization),
        _mark(can.translation),
        "many" if "*" in can.languages else f"{len(can.languages)}" if many else ", ".join(can.languages),
        "0" if can.price_per_hour == 0 else f"{can.price_per_hour:.2f}" if can.price_per_hour is not None else "",
        f'`pip install "debabelizer[{spec.name}]>=0.3"`',
    ]
    return f"| {' | '.join(cells)} |"


def _page(name: str) -> str:
    """The page of a provider, or that of its distribution, which may be about several."""
    own = PAGE.parent / "docs" / "providers" / f"{name}.md"
    return name if own.exists() else FIRST_PARTY[name].removeprefix("debabelizer-")


def _where(spec: ProviderSpec) -> str:
    if spec.capabilities.local:
        return "this machine"
    return "cloud" if any(secret.required for secret in spec.secrets) else "your server"


def _mark(yes: bool) -> str:
    return "✓" if yes else ""


def current(page: str) -> str:
    """The page with the table as it should be."""
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
