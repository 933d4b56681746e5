"""The root of the command line: options before the verb, the verbs, and the commands of plugins."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group
from typer.models import CommandInfo, TyperInfo

from debabelizer import __version__
from debabelizer.cli.common import Choices, ConfigOption, ProfileOption, SetOption, VerboseOption
from debabelizer.cli.compare import EXAMPLES as COMPARE_EXAMPLES
from debabelizer.cli.compare import compare
from debabelizer.cli.config import config
from debabelizer.cli.demo import demo
from debabelizer.cli.doctor import doctor
from debabelizer.cli.new_provider import EXAMPLES as NEW_PROVIDER_EXAMPLES
from debabelizer.cli.new_provider import new_provider
from debabelizer.cli.providers import EXAMPLES as PROVIDERS_EXAMPLES
from debabelizer.cli.providers import providers
from debabelizer.cli.report import complain, exit_code, listen, unexpected
from debabelizer.cli.stream import EXAMPLES as STREAM_EXAMPLES
from debabelizer.cli.stream import stream
from debabelizer.cli.transcribe import EXAMPLES, transcribe
from debabelizer.errors import ConfigError, DebabelizerError, PluginLoadError

__all__ = ["NAME", "app", "run"]

NAME: Final = "debabelizer"

logger = logging.getLogger("debabelizer.cli")


class _Root(TyperGroup):
    """The verbs, and behind them the commands of plugins: looked for only when help or an unknown verb asks."""

    _found: Mapping[str, Any] | None = None

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands, those of plugins last. A configuration that cannot be used must not hide help."""
        try:
            found = self._of_plugins(ctx)
        except ConfigError as error:
            complain(error)
            found = {}
        return [*super().list_commands(ctx), *found]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None; a verb of ours is never taken by a plugin."""
        return super().get_command(ctx, cmd_name) or self._of_plugins(ctx).get(cmd_name)

    def _of_plugins(self, ctx: Any) -> Mapping[str, Any]:
        if self._found is None:
            self._found = {}  # also when it fails: help asks for each command anew
            choices = _choices(**{key: ctx.params.get(key) for key in ("config", "profile", "sets")})
            self._found = self._new(_plugin_commands(choices))
        return self._found

    def _new(self, commands: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, command in commands:
            if name in self.commands or name in found:
                logger.warning("A plugin's command %r is passed over: there is one of that name.", name)
            else:
                found[name] = command
        return found


def _plugin_commands(choices: Choices) -> Iterator[tuple[str, Any]]:
    """Commands that plugins registered; one that cannot be built is logged and passed over."""
    from debabelizer.plugins.isolation import isolate
    from debabelizer.plugins.loading import any_foreign

    if not any_foreign():
        return
    registered = typer.Typer()
    choices.registry().hook.debabelizer_register_commands(cli=registered)
    alone = [(it.callback, _app(commands=[it])) for it in registered.registered_commands]
    alone += [(it.callback, _app(groups=[it])) for it in registered.registered_groups]
    for callback, one in alone:
        origin = getattr(callback, "__module__", "unknown")
        try:
            yield from isolate(origin, "has a command that cannot be used", get_group, one).commands.items()
        except PluginLoadError as failure:
            logger.warning("%s", failure, exc_info=failure.__cause__)


def _app(*, commands: Sequence[CommandInfo] = (), groups: Sequence[TyperInfo] = ()) -> typer.Typer:
    made = typer.Typer()
    made.registered_commands.extend(commands)
    made.registered_groups.extend(groups)
    return made


app: Final = typer.Typer(
    name=NAME,
    cls=_Root,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=EXAMPLES,
)
app.command(epilog=EXAMPLES)(transcribe)
app.command(epilog=STREAM_EXAMPLES)(stream)
app.command(epilog=COMPARE_EXAMPLES)(compare)
app.command(epilog=PROVIDERS_EXAMPLES)(providers)
app.add_typer(config, name="config")
app.command()(doctor)
app.add_typer(demo, name="demo")
app.command(epilog=NEW_PROVIDER_EXAMPLES)(new_provider)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
    verbose: VerboseOption = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Speech to text through whichever engine you choose: on this machine or in a cloud, one command for all.

    Without any configuration the embedded engine does the work, and no audio leaves this machine.
    """
    del version
    ctx.obj = _choices(config=config, profile=profile, sets=sets, verbosity=verbose)
    listen(verbose)


def _choices(*, sets: Sequence[str] | None, **others: Any) -> Choices:
    return Choices(sets=tuple(sets or ()), **others)


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.excepthook = unexpected
    _prepare_streams()
    listen(0)  # help asks plugins before any option is read
    try:
        get_command(app)(args=arguments, prog_name=NAME)
    except DebabelizerError as error:
        complain(error)
        sys.exit(exit_code(error))
    raise AssertionError("a command always ends with SystemExit")


def _prepare_streams() -> None:
    """Files and pipes get UTF-8 on every platform; what a terminal cannot show must not end the program."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(encoding=None if output.isatty() else "utf-8", errors="backslashreplace")
