"""What all verbs share: which configuration to use, and how much to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature, cleandoc, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from debabelizer.cli.report import listen

if TYPE_CHECKING:
    from debabelizer.config import Settings
    from debabelizer.plugins import PluginRegistry, ProviderRow

__all__ = ["PANEL", "Choices", "ConfigOption", "ProfileOption", "SetOption", "VerboseOption", "configurable"]

PANEL: Final = "Configuration"

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="PATH",
        help="Use this configuration file instead of looking for debabelizer.toml.",
        rich_help_panel=PANEL,
    ),
]
ProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Use this profile of the configuration.", rich_help_panel=PANEL),
]
SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set one key of the configuration, e.g. stt.provider=soniox; repeatable.",
        rich_help_panel=PANEL,
    ),
]
VerboseOption: TypeAlias = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        show_default=False,
        help="Say what happens; -vv says everything, and where errors come from.",
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options that may stand before or behind the verb.

    Attributes:
        config: Configuration file, or None to look for one.
        profile: Name of the profile, or None.
        sets: ``key=value``, weak to strong.
        verbosity: 0, 1 or 2.
    """

    config: Path | None = None
    profile: str | None = None
    sets: tuple[str, ...] = ()
    verbosity: int = 0

    def over(self, weaker: Choices) -> Choices:
        """These choices, with what they leave open taken from those made before the verb."""
        return Choices(
            config=self.config or weaker.config,
            profile=self.profile or weaker.profile,
            sets=(*weaker.sets, *self.sets),
            verbosity=self.verbosity + weaker.verbosity,
        )

    def settings(self) -> Settings:
        """The configuration they lead to.

        Raises:
            ConfigError: If it cannot be used.
        """
        from debabelizer.config import load_settings

        return load_settings(self.config, profile=self.profile, sets=self.sets)

    def registry(self, settings: Settings | None = None) -> PluginRegistry:
        """The plugins that the configuration admits.

        Raises:
            ConfigError: If the configuration cannot be used.
        """
        from debabelizer.plugins import PluginRegistry

        return PluginRegistry.discover(disable=(settings or self.settings()).plugins.disable)

    def rows(self, settings: Settings | None = None) -> tuple[ProviderRow, ...]:
        """The installed providers, each with whether it can be used with this configuration; loads none of them.

        Raises:
            ConfigError: If the configuration cannot be used.
        """
        from debabelizer.config import missing_secret

        loaded = settings or self.settings()
        return self.registry(loaded).assess(lambda spec, secret: missing_secret(loaded, spec, secret) is None)


def _choices(
    ctx: typer.Context,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    sets: SetOption = None,
    verbose: VerboseOption = 0,
) -> Choices:
    here = Choices(config=config, profile=profile, sets=tuple(sets or ()), verbosity=verbose)
    choices = here.over(ctx.obj)
    listen(choices.verbosity)
    return choices


def _unwrapped(docstring: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in cleandoc(docstring).split("\n\n"))


def configurable(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of `Choices`; it takes what they come to as its first argument.

    People write them behind the verb as often as before it, so both places count; behind is stronger.
    """
    own = list(signature(verb, eval_str=True).parameters.values())[1:]
    shared = list(signature(_choices, eval_str=True).parameters.values())

    def command(**arguments: Any) -> None:
        choices = _choices(**{it.name: arguments.pop(it.name) for it in shared})
        verb(choices, **arguments)

    command.__name__, command.__module__ = verb.__name__, verb.__module__
    command.__doc__ = _unwrapped(verb.__doc__ or "")  # help is wrapped to the terminal, not to our source
    # What typer reads in place of the definition.
    parameters = [it.replace(kind=Parameter.KEYWORD_ONLY) for it in (*own, *shared)]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {it.name: it.annotation for it in parameters}
    return command
