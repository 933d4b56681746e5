"""Configuration: layers, profiles, secrets, and errors with file and line."""

from __future__ import annotations

from debabelizer.config.addresses import ApiUrl, WebSocketUrl, check_url
from debabelizer.config.describe import Row, describe
from debabelizer.config.files import user_file
from debabelizer.config.keys import usable_key
from debabelizer.config.load import load_settings, with_profile
from debabelizer.config.models import PluginSettings, Profile, Settings, SttSettings
from debabelizer.config.provider import ProviderSettings
from debabelizer.config.redaction import install_log_redaction, redact, redact_exception, redact_record, remember
from debabelizer.config.secrets import Secret
from debabelizer.config.source import Source
from debabelizer.config.tables import CheckReport, check, missing_secret, missing_secrets, reveal_all, validate_provider

__all__ = [
    "ApiUrl",
    "CheckReport",
    "PluginSettings",
    "Profile",
    "ProviderSettings",
    "Row",
    "Secret",
    "Settings",
    "Source",
    "SttSettings",
    "WebSocketUrl",
    "check",
    "check_url",
    "describe",
    "install_log_redaction",
    "load_settings",
    "missing_secret",
    "missing_secrets",
    "redact",
    "redact_exception",
    "redact_record",
    "remember",
    "reveal_all",
    "usable_key",
    "user_file",
    "validate_provider",
    "with_profile",
]
