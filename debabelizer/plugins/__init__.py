"""Plugins: hooks, and discovery that survives a broken plugin."""
