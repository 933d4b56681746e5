"""``debabelizer doctor``: what is here, what is missing, and what to do about it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

import typer

from debabelizer import __version__
from debabelizer.cli.common import Choices, configurable
from debabelizer.cli.config import files_of
from debabelizer.cli.report import COMPLETE, FAILED
from debabelizer.cli.usage import choice_line
from debabelizer.errors import AudioError, CapabilityError, ConfigError, DebabelizerError

if TYPE_CHECKING:
    from debabelizer.config import Settings

__all__ = ["Finding", "doctor"]

_CORE: Final = ("aiohttp", "pluggy", "pydantic", "rich", "typer", "websockets")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What it is, and how it is.
        fine: Whether it is as it should be.
        remedy: What to do when it is not.
        vital: Whether nothing can be transcribed without it.
    """

    what: str
    fine: bool = True
    remedy: str | None = None
    vital: bool = False


@configurable
def doctor(choices: Choices) -> None:
    """Look over this machine: Python, configuration, plugins, decoding, voice activity, microphone.

    Exit codes: 0 the configured provider can be used, 1 it cannot.
    """
    code = COMPLETE
    for finding in _findings(choices):
        mark, colour = ("✓", typer.colors.GREEN) if finding.fine else ("✗", typer.colors.RED)
        typer.echo(f"{typer.style(mark, fg=colour)} {finding.what}")
        if finding.remedy:
            typer.echo(f"  {finding.remedy}")
        if finding.vital and not finding.fine:
            code = FAILED
    raise typer.Exit(code)


def _findings(choices: Choices) -> Iterator[Finding]:
    yield Finding(f"debabelizer {__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield Finding(f"packages: {', '.join(f'{name} {_version(name)}' for name in _CORE)}")
    try:
        settings = choices.settings()
    except ConfigError as error:
        for problem in error.problems:
            yield Finding(f"configuration: {problem}", fine=False, vital=True)
    else:
        yield from _configuration(choices, settings)
        yield from _providers(choices, settings)
        yield from _choice(choices, settings)
    yield _decoding()
    yield _voice_activity()
    yield _microphone()


def _configuration(choices: Choices, settings: Settings) -> Iterator[Finding]:
    from debabelizer.config import check

    files = ", ".join(map(str, files_of(settings)))
    yield Finding(f"configuration: {files or 'no file, all is default'}")
    for problem in check(settings, choices.registry(settings)).problems:
        yield Finding(f"configuration: {problem}", fine=False, vital=True)


def _providers(choices: Choices, settings: Settings) -> Iterator[Finding]:
    """The configured providers, then the others that are installed."""
    rows = {row.name: row for row in choices.rows(settings)}
    for name in dict.fromkeys((*settings.stt.provider, *rows)):
        used = name in settings.stt.provider
        row = rows.get(name)
        if row is None:  # `check` has told what to do
            yield Finding(f"provider {name}: not installed, but configured", fine=False, vital=used)
            continue
        what = f"provider {name} {row.version or ''}".rstrip() + f": {row.status}{', configured' if used else ''}"
        what += f". {row.reason}" if row.reason else ""
        yield Finding(what, fine=row.status == "ready", remedy=row.hint, vital=used)


def _choice(choices: Choices, settings: Settings) -> Iterator[Finding]:
    """In which order several providers would be asked for a stream, and why."""
    from debabelizer.processor import VoiceProcessor

    if len(settings.stt.provider) < 2:
        return
    try:
        order = VoiceProcessor(settings, registry=choices.registry(settings)).choice()
    except CapabilityError as error:
        yield Finding(f"choice: {error.message}", fine=False, remedy=error.hint, vital=True)
    except DebabelizerError as error:
        # What is wrong with a provider or its settings has been told.
        yield Finding(f"choice: none. {error.message}", fine=False)
    else:
        yield from (Finding(f"choice: {choice_line(it)}", fine=it.place is not None) for it in order)


def _decoding() -> Finding:
    found = [_imported(package) for package in ("av", "soxr", "numpy")]
    broken = [fault for fault in found if fault]
    if not broken:
        return Finding(f"decoding: av {_version('av')}, soxr {_version('soxr')}, numpy {_version('numpy')}")
    return Finding(
        f"decoding: only WAV and raw PCM. {' '.join(broken)}",
        fine=False,
        remedy='Type: pip install "debabelizer[audio]>=0.3"',
    )


def _voice_activity() -> Finding:
    try:
        from debabelizer.audio.vad import open_vad

        detector = open_vad()
    except ImportError as error:
        return Finding(f"voice activity: {error}.", fine=False, remedy='Type: pip install "debabelizer[vad]>=0.3"')
    except AudioError as error:
        return Finding(f"voice activity: {error.message}", fine=False, remedy=error.hint)
    return Finding(f"voice activity: {type(detector).__name__.strip('_')}")


def _microphone() -> Finding:
    if fault := _imported("sounddevice"):
        remedy = 'Type: pip install "debabelizer[microphone]>=0.3" (on Linux also: apt install libportaudio2)'
        return Finding(f"microphone: {fault}", fine=False, remedy=remedy)
    devices = sys.modules["sounddevice"].query_devices()
    inputs = [device["name"] for device in devices if device["max_input_channels"] > 0]
    if not inputs:
        return Finding("microphone: none found", fine=False, remedy="Connect one, if you want to use one.")
    return Finding(f"microphone: {', '.join(inputs)}")


def _imported(module: str) -> str | None:
    """Import a module; why that failed as one sentence, or None."""
    try:
        import_module(module)
    except (ImportError, OSError) as error:  # OSError: a native library that it needs
        return f"{module}: {error}."
    return None


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(missing)"
