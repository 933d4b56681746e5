"""Calling the hooks of all plugins, each by itself: one that raises is logged and passed over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from debabelizer.errors import PluginLoadError
from debabelizer.plugins.discovery import Plugin
from debabelizer.plugins.hookspecs import HOOKS, StreamObserver
from debabelizer.plugins.isolation import isolate

if TYPE_CHECKING:
    from debabelizer.results import StreamEvent

__all__ = ["HookRelay", "Observers"]

logger = logging.getLogger("debabelizer.plugins")


class HookRelay:
    """Has every hook as a method, which returns what the plugins' implementations returned, without None."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self._plugins = plugins

    def __getattr__(self, hook: str) -> Callable[..., tuple[Any, ...]]:
        if hook not in HOOKS:
            raise AttributeError(f"There is no hook {hook!r}.")
        return partial(self._call, hook)

    def _call(self, hook: str, /, **arguments: Any) -> tuple[Any, ...]:
        return tuple(result for _, result in self.by_plugin(hook, **arguments))

    def by_plugin(self, hook: str, /, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """Call `hook` of each plugin in turn; yields the plugin's name with each result."""
        for plugin in self._plugins:
            try:
                results = plugin.call(hook, **arguments)
            except PluginLoadError as failure:
                logger.warning("%s", failure, exc_info=failure.__cause__)
            else:
                yield from ((plugin.name, result) for result in results)


class Observers:
    """The observers of one stream, called like one; an observer that raises is logged and not called again.

    Args:
        observers: What plugins returned, each with the plugin's name. What is no function is logged and left out.
    """

    def __init__(self, observers: Iterable[tuple[str, object]] = ()) -> None:
        self._observers: list[tuple[str, StreamObserver]] = []
        for plugin, observer in observers:
            if callable(observer):
                self._observers.append((plugin, observer))
            else:
                kind = type(observer).__name__
                logger.warning("Plugin %r watches a stream with a %s where a function belongs.", plugin, kind)

    def __len__(self) -> int:
        return len(self._observers)

    def __call__(self, event: StreamEvent) -> None:
        """Tell every observer."""
        for plugin, observer in tuple(self._observers):
            try:
                isolate(plugin, "failed while watching a stream", observer, event)
            except PluginLoadError as failure:
                logger.warning("%s", failure, exc_info=failure.__cause__)
                self._observers.remove((plugin, observer))
