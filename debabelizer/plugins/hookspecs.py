"""The hooks a plugin can implement. All are optional; a plugin is a module with at least one of them.

Mark an implementation with `hookimpl` (``from debabelizer.plugins import hookimpl``). An implementation may leave
out arguments it does not need. Each plugin is called by itself: one that raises is logged and costs nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from pluggy import HookimplMarker, HookspecMarker

from debabelizer.spec import ProviderSpec

if TYPE_CHECKING:
    import typer

    from debabelizer.choosing import Facts, Preference
    from debabelizer.export import Exporter
    from debabelizer.results import StreamEvent
    from debabelizer.streaming.stream import TranscriptionStream

__all__ = [
    "HOOKS",
    "StreamObserver",
    "debabelizer_choose_providers",
    "debabelizer_register_commands",
    "debabelizer_register_exporters",
    "debabelizer_register_providers",
    "debabelizer_stream_opened",
    "hookimpl",
    "hookspec",
]

PROJECT: Final = "debabelizer"

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)

StreamObserver: TypeAlias = "Callable[[StreamEvent], None]"
"""Is told every event of one stream, in order, on the event loop: it must be quick and must not block."""


@hookspec
def debabelizer_register_providers(register: Callable[[ProviderSpec], None]) -> None:
    """Register providers: call `register` with a `ProviderSpec` for each.

    Called once, at discovery. Write the spec as a literal, in a module that imports nothing but the standard
    library and `debabelizer`, so that listing providers stays quick and works without the vendor's packages.

    Example:
        ::

            SPEC = ProviderSpec(name="parrot", api_version=1, ...)

            @hookimpl
            def debabelizer_register_providers(register):
                register(SPEC)

    Args:
        register: Takes one spec. A spec that cannot be used is reported, not raised.
    """


@hookspec
def debabelizer_register_commands(cli: typer.Typer) -> None:
    """Add commands to the ``debabelizer`` command line.

    Called once, before the command line is parsed; import what a command needs inside the command.

    Example:
        ::

            @hookimpl
            def debabelizer_register_commands(cli):
                @cli.command()
                def squawk(word: str) -> None:
                    "Say it louder."
                    print(word.upper())

    Args:
        cli: The `typer.Typer` application of the command line.
    """


@hookspec
def debabelizer_register_exporters(register: Callable[[str, Exporter], None]) -> None:
    """Add output formats for transcripts: call `register` with a name and an exporter for each.

    The name becomes a choice of ``--format`` and the extension of files written to a folder.

    Example:
        ::

            @hookimpl
            def debabelizer_register_exporters(register):
                register("shout", lambda transcript: transcript.text.upper())

    Args:
        register: Takes the name (lower case letters and digits) and a function from `Transcript` to text.
    """


@hookspec
def debabelizer_stream_opened(stream: TranscriptionStream) -> StreamObserver | None:
    """Watch a stream, for metrics or logs: return an observer of its events, or None.

    Called when a stream is opened. An observer only watches: what it returns is ignored, and one that raises
    is logged and not called again.

    Example:
        ::

            @hookimpl
            def debabelizer_stream_opened(stream):
                def observe(event):
                    if isinstance(event, Reconnecting):
                        reconnects.labels(event.provider).inc()

                return observe

    Args:
        stream: The stream; `stream.stats` and `stream.transcript` are readable at any time.

    Returns:
        A function that takes each event of the stream, or None.
    """


@hookspec
def debabelizer_choose_providers(candidates: Sequence[Facts], prefer: Preference) -> Sequence[str] | None:
    """Decide which providers are asked, and in which order.

    Called for each stream and each recording for which there are several. The first plugin that returns names
    decides; a name that is left out is not asked at all. It runs on the event loop: it must be quick.

    Example:
        ::

            @hookimpl
            def debabelizer_choose_providers(candidates):
                if datetime.now().hour in range(22, 24):  # the nightly batch runs at home
                    return [it.provider for it in candidates if it.capabilities.local]

    Args:
        candidates: Those that can do what is asked, in the configured order, with what is known of them.
        prefer: What the user wants the order to follow.

    Returns:
        Names among those of the candidates, or None to leave it to others.
    """


HOOKS: Final = tuple(name for name in __all__ if name.startswith(f"{PROJECT}_"))
