"""Debabelizer: one streaming API for every speech engine, cloud or local."""

__version__ = "0.1.0"
