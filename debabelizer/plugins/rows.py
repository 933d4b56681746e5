"""`ProviderRow`: what is known of one installed provider, and whether it is usable here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias

from debabelizer.plugins.isolation import describe
from debabelizer.spec import API_VERSION, ProviderSpec, Secret

__all__ = ["ProviderRow", "SecretCheck", "Status", "assess", "in_environment", "missing_need", "wrong_api"]

Status: TypeAlias = Literal["ready", "unusable", "disabled", "broken"]

SecretCheck: TypeAlias = Callable[[ProviderSpec, Secret], bool]
"""Tells whether a secret of a provider can be had, without fetching it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """One line of ``debabelizer providers``.

    Attributes:
        name: The provider's name; the plugin's when it could not be asked.
        status: ``ready``; ``unusable``: fine, but something is missing here; ``disabled`` by the user;
            ``broken``: the plugin failed.
        plugin: Name of the plugin that registered it.
        spec: What the provider says of itself, or None when it was not or could not be asked.
        distribution: Which installed distribution the plugin is from, or None.
        version: Version of that distribution, or None.
        reason: Why it is not ready, as one sentence, or None.
        hint: What to do about it, as one sentence, or None.
        cause: What the plugin raised, or None.
    """

    name: str
    status: Status
    plugin: str
    spec: ProviderSpec | None = None
    distribution: str | None = None
    version: str | None = None
    reason: str | None = None
    hint: str | None = None
    cause: BaseException | None = field(default=None, repr=False, compare=False)

    @property
    def error(self) -> str | None:
        """What the plugin raised, or else did wrong, as one line; None unless it is broken."""
        if self.status != "broken":
            return None
        return self.reason if self.cause is None else describe(self.cause)

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON types. Keys are never renamed or removed; those of the spec are None without one."""
        spec = self.spec
        return {
            "name": self.name,
            "status": self.status,
            "reason": self.reason,
            "hint": self.hint,
            "error": self.error,
            "plugin": self.plugin,
            "distribution": self.distribution,
            "version": self.version,
            "summary": spec and spec.summary,
            "homepage": spec and spec.homepage,
            "api_version": spec and spec.api_version,
            "capabilities": spec and asdict(spec.capabilities),
            "secrets": spec and [asdict(secret) for secret in spec.secrets],
            "needs": spec and dict(spec.needs),
        }


def in_environment(_spec: ProviderSpec, secret: Secret) -> bool:
    """Whether the secret's default environment variable is set."""
    return bool(os.environ.get(secret.env))


def assess(row: ProviderRow, secret_available: SecretCheck = in_environment) -> ProviderRow:
    """The row with its status, reason and hint as they are here and now; imports nothing."""
    spec = row.spec
    if spec is None:
        return row
    fault = wrong_api(spec) or missing_need(spec) or _missing_secret(spec, secret_available)
    if fault is None:
        return replace(row, status="ready", reason=None, hint=None)
    reason, hint = fault
    return replace(row, status="unusable", reason=reason, hint=hint)


def wrong_api(spec: ProviderSpec) -> tuple[str, str] | None:
    """Reason and hint when the plugin was written for another version of the contract."""
    if spec.api_version == API_VERSION:
        return None
    older = "the plugin" if spec.api_version < API_VERSION else "debabelizer"
    reason = f"It was written for version {spec.api_version} of the plugin contract; this one has {API_VERSION}."
    return reason, f"Update {older}."


def missing_need(spec: ProviderSpec) -> tuple[str, str] | None:
    """Reason and hint when a module that the provider needs is not installed."""
    for module, remedy in spec.needs.items():
        if not _is_importable(module):
            return f"The module {module!r} is not installed.", remedy
    return None


def _is_importable(module: str) -> bool:
    # Only the top level: to look inside a package would import it.
    top = module.partition(".")[0]
    return sys.modules.get(top) is not None or find_spec(top) is not None


def _missing_secret(spec: ProviderSpec, secret_available: SecretCheck) -> tuple[str, str] | None:
    for secret in spec.secrets:
        if secret.required and not secret_available(spec, secret):
            hint = (
                f"Set the environment variable {secret.env}, or say in the configuration where the secret is: "
                f'[providers.{spec.name}] {secret.key} = {{ file = "…" }}.'
            )
            return f"It has no {secret.key}.", hint
    return None
