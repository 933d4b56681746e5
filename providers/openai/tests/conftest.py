"""Simulated servers for the tests of this distribution."""

from __future__ import annotations
