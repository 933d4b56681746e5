"""``debabelizer new-provider``: a whole distribution to start from, which passes the conformance kit as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import typer

from debabelizer.cli.common import Choices, configurable
from debabelizer.cli.report import OutputError, UsageError

__all__ = ["EXAMPLES", "Kind", "new_provider", "render"]

EXAMPLES: Final = """Examples:

$ debabelizer new-provider acme

$ debabelizer new-provider whisperer --kind batch --output ~/src
"""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST: Final = 20

_COMMON: Final = {
    "pyproject.toml": "pyproject.toml",
    "LICENSE": "LICENSE",
    "$package/py.typed": "py.typed",
    "tests/test_conformance.py": "conformance.py",
}
_ENGINE: Final = {
    "README.md": "engine/README.md",
    "$package/settings.py": "engine/settings.py",
    "$package/engine.py": "engine/engine.py",
    "tests/simulator.py": "engine/simulator.py",
    "tests/test_engine.py": "engine/engine_test.py",
}


class Kind(StrEnum):
    """How the plugin gets at its words: through a `Dialect`, a `Connection` of its own, or `transcribe` alone."""

    WEBSOCKET = "websocket"
    CONNECTION = "connection"
    BATCH = "batch"


_TEMPLATES: Final[Mapping[Kind, Mapping[str, str]]] = MappingProxyType(
    {
        Kind.WEBSOCKET: {
            **_COMMON,
            "README.md": "websocket/README.md",
            "$package/__init__.py": "websocket/spec.py",
            "$package/settings.py": "websocket/settings.py",
            "$package/provider.py": "websocket/provider.py",
            "$package/dialect.py": "websocket/dialect.py",
            "tests/simulator.py": "websocket/simulator.py",
            "tests/test_dialect.py": "websocket/dialect_test.py",
            "tests/golden/$name-simulated.jsonl": "websocket/golden.jsonl",
        },
        Kind.CONNECTION: {
            **_COMMON,
            **_ENGINE,
            "$package/__init__.py": "connection/spec.py",
            "$package/provider.py": "connection/provider.py",
            "$package/connection.py": "connection/connection.py",
        },
        Kind.BATCH: {
            **_COMMON,
            **_ENGINE,
            "$package/__init__.py": "batch/spec.py",
            "$package/provider.py": "batch/provider.py",
        },
    }
)
"""For each kind its files, each with its template. Both hold placeholders."""


@configurable
def new_provider(
    choices: Choices,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What users will write: lower case letters, digits, _.")],
    kind: Annotated[
        Kind,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="websocket: a service that streams over a WebSocket. connection: an engine that takes audio as it "
            "comes, in this process or over any other wire. batch: whatever takes a whole recording.",
        ),
    ] = Kind.WEBSOCKET,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where to put it, instead of the current folder."),
    ] = None,
) -> None:
    """Write a provider plugin to start from: the distribution debabelizer-NAME, with tests that pass.

    It has a spec, settings, the provider, what stands in for the vendor or the engine, and the conformance tests.

    Change it into yours part by part; its README says in which order. Nothing that exists is overwritten.
    """
    _check_name(name)
    _check_free(name, choices)
    files = render(name, kind)
    folder = (output or Path()).expanduser() / distribution_of(name)
    _write(folder, files)
    for path in files:
        typer.echo(str(folder / path))
    typer.echo(f"\nNow type: cd {folder} && pip install --editable . --group dev && pytest\nThen read its README.md.")


def distribution_of(name: str) -> str:
    """The name of the distribution that brings provider `name`."""
    return f"debabelizer-{name.replace('_', '-')}"


def render(name: str, kind: Kind) -> dict[str, str]:
    """The files of a plugin: path within its folder, and text."""
    from importlib.resources import files

    from debabelizer import __version__

    folder = files("debabelizer") / "templates"
    version = ".".join(__version__.split(".")[:2])
    extras = {Kind.WEBSOCKET: "", Kind.CONNECTION: "[audio]", Kind.BATCH: "[audio,vad]"}[kind]
    words = {
        "name": name,
        "Name": "".join(part.capitalize() for part in name.split("_")),
        "NAME": name.upper(),
        "host": name.replace("_", "-"),
        "package": f"debabelizer_{name}",
        "distribution": distribution_of(name),
        "kind": kind.value,
        "version": version,
        "dependencies": f'"debabelizer{extras}>={version}"' + (', "numpy>=1.26"' if extras else ""),
        "bad_settings": '{"model": ""}' if kind is Kind.WEBSOCKET else '{"shortest": 0.0}',
    }
    return {
        _fill(path, words): _fill((folder / f"{template}.tmpl").read_text(encoding="utf-8"), words)
        for path, template in sorted(_TEMPLATES[kind].items())
    }


def _fill(text: str, words: Mapping[str, str]) -> str:
    from string import Template

    return Template(text).substitute(words)


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) and len(name) <= _LONGEST:
        return
    nearest = re.sub(r"[^a-z0-9]+", "_", name.lower().removeprefix("debabelizer"))
    nearest = nearest.lstrip("_0123456789")[:_LONGEST].rstrip("_")
    rule = f"Use lower case letters, digits and single _, beginning with a letter; {_LONGEST} characters at most."
    hint = f"{rule} Did you mean {nearest!r}?" if nearest else rule
    raise UsageError(f"{name!r} is no name for a provider.", hint=hint)


def _check_free(name: str, choices: Choices) -> None:
    """Two providers cannot share a name, and ours keep theirs also where they are not installed."""
    from debabelizer.plugins.discovery import FIRST_PARTY

    taken = {**{row.name: row.distribution for row in choices.registry().rows}, **FIRST_PARTY}
    if name in taken:
        message = f"There is a provider {name!r} already, of {taken[name] or 'a plugin'}."
        raise UsageError(message, hint="Choose another name: users tell providers apart by it.")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all of it, or nothing: aside first, then renamed."""
    from tempfile import TemporaryDirectory

    if folder.exists() or folder.is_symlink():
        hint = "Choose another name, or another folder with --output."
        raise UsageError(f"{folder} exists, and is not overwritten.", hint=hint)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".new-provider-", dir=folder.parent) as aside:
            made = Path(aside, folder.name)
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8", newline="\n")
            made.rename(folder)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror or error}."
        raise OutputError(message, hint="Say with --output where it can be.") from error
