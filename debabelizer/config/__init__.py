"""Configuration: layers, profiles, secrets, and errors with file and line."""

from __future__ import annotations

from debabelizer.config.provider import ProviderSettings
from debabelizer.config.redaction import install_log_redaction, redact, redact_exception, redact_record, remember
from debabelizer.config.secrets import Secret
from debabelizer.config.source import Source

__all__ = [
    "ProviderSettings",
    "Secret",
    "Source",
    "install_log_redaction",
    "redact",
    "redact_exception",
    "redact_record",
    "remember",
]
