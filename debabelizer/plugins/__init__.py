"""Plugins: hooks, and discovery that survives a broken plugin."""

from __future__ import annotations

from debabelizer.plugins.hookspecs import StreamObserver, hookimpl
from debabelizer.plugins.registry import PluginRegistry
from debabelizer.plugins.rows import ProviderRow, SecretCheck

__all__ = ["PluginRegistry", "ProviderRow", "SecretCheck", "StreamObserver", "hookimpl"]
