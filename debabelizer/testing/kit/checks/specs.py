"""The spec and the settings: what is known of a provider before it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from debabelizer.config.provider import ProviderSettings
from debabelizer.errors import DebabelizerError, PluginLoadError
from debabelizer.plugins.references import load_factory, load_settings_model
from debabelizer.plugins.validation import faults
from debabelizer.provider import Provider
from debabelizer.spec import API_VERSION
from debabelizer.testing.kit.base import SuiteBase
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.secrecy import CANARY

__all__ = ["SpecChecks"]

# What the modules named in a spec may have loaded already: the standard library, the core, and what hooks need.
_ALLOWED: Final = frozenset({"debabelizer", "pluggy"})
_LOOK: Final = """
import sys
before = set(sys.modules)
import {module}
roots = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(" ".join(sorted(roots - set(sys.stdlib_module_names))))
"""


class SpecChecks(SuiteBase):
    """Nothing is connected here."""

    def test_the_spec_is_well_formed(self) -> None:
        """The spec can be registered, for this version of the contract."""
        found = faults(self.spec)
        if self.spec.api_version != API_VERSION:
            found.append(f"`api_version` is {self.spec.api_version}, and this is {API_VERSION}")
        if found:
            raise PromiseBrokenError("a spec can be registered", "; ".join(found), look="the-spec")

    def test_the_spec_is_cheap(self) -> None:
        """To import the module of the spec imports the standard library and the core, nothing else."""
        module = self.spec.factory.partition(".")[0].partition(":")[0]
        done = subprocess.run(  # noqa: S603 - this interpreter, and the name of a module
            [sys.executable, "-c", _LOOK.format(module=module)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        loaded = set(done.stdout.split()) - _ALLOWED - {module}
        if done.returncode or loaded:
            raise PromiseBrokenError(
                f"`import {module}` imports the standard library, `debabelizer.spec` and `debabelizer.plugins`",
                f"it imported {', '.join(sorted(loaded))}" if loaded else done.stderr.strip().splitlines()[-1],
                hint="import the provider, its settings and its dependencies in their own modules: `factory` and "
                "`settings` are strings so that listing providers imports no vendor code",
                look="the-spec",
            )

    def test_what_the_spec_names_is_there(self) -> None:
        """The factory and the settings model can be imported, and are what they should be."""
        try:
            factory, model = load_factory(self.spec), load_settings_model(self.spec)
        except PluginLoadError as error:
            raise PromiseBrokenError(
                "`factory` and `settings` name what can be imported", str(error), look="the-spec"
            ) from error
        if not issubclass(model, ProviderSettings):
            raise PromiseBrokenError(
                "settings derive from `debabelizer.config.ProviderSettings`",
                f"{self.spec.settings} does not: unknown keys would pass, and errors would show what was written",
                look="settings",
            )

        async def make() -> Provider[Any]:
            provider = factory(self.spec)
            await provider.aclose()
            return provider

        provider = self.run(make)
        self._does("batch", type(provider).transcribe is not Provider.transcribe)
        streams = type(provider).dialect is not Provider.dialect or (
            type(provider).connection is not Provider.connection
        )
        self._does("streaming", streams)

    def test_settings_without_anything_are_valid(self) -> None:
        """Every key has a default, so that a provider can be named without a table."""
        _validated(load_settings_model(self.spec), {}, accept=True)

    def test_an_unknown_key_is_refused(self) -> None:
        """A mistyped key is an error, and what was written is not shown: it may be the key."""
        error = _validated(load_settings_model(self.spec), {"api_kee": CANARY}, accept=False)
        if CANARY in str(error):
            raise PromiseBrokenError("errors never show what was written", "this one does", look="settings")

    @concerns(lambda suite: bool(suite.bad_settings))
    def test_bad_settings_are_refused(self, bad_settings: Mapping[str, Any]) -> None:
        """What the vendor is known to refuse is refused before anything is sent."""
        _validated(load_settings_model(self.spec), {**self.settings, **bad_settings}, accept=False)

    def test_addresses_are_safe(self) -> None:
        """A plain `ws://` or `http://` address of another machine is refused, unless `insecure` says otherwise."""
        model = load_settings_model(self.spec)
        for name in model.model_fields:
            for scheme in ("ws", "http") if name.endswith(("url", "endpoint")) else ():
                _validated(model, {**self.settings, name: f"{scheme}://example.com/path"}, accept=False)

    @concerns(lambda suite: bool(suite.spec.secrets))
    def test_secrets_are_hidden(self) -> None:
        """Secrets named in the spec are fields of the settings, of the type that hides them."""
        model = load_settings_model(self.spec)
        for secret in self.spec.secrets:
            if secret.key not in model.model_fields:
                raise PromiseBrokenError(
                    f"the spec names the secret {secret.key!r}", "the settings have no such field", look="secrets"
                )
            settings = _validated(model, {**self.settings, secret.key: CANARY}, accept=True)
            for text in (str(settings), repr(settings), str(getattr(settings, "model_dump", dict)())):
                if CANARY in text:
                    raise PromiseBrokenError(
                        "a secret is of type `debabelizer.config.Secret`, which hides it",
                        f"`{secret.key}` is shown when the settings are printed",
                        look="secrets",
                    )

    def _does(self, claim: str, able: bool) -> None:
        claimed = getattr(self.spec.capabilities, claim)
        if claimed != able:
            method = "`transcribe`" if claim == "batch" else "`dialect` or `connection`"
            raise PromiseBrokenError(
                f"the spec claims {claim}={claimed}",
                f"the provider {'overrides' if able else 'does not override'} {method}",
                look=claim,
            )


def _validated(model: type[BaseModel], table: Mapping[str, Any], *, accept: bool) -> object:
    """The settings, or the error that refused them; whichever is expected."""
    try:
        settings = model.model_validate(dict(table))
    except (ValidationError, DebabelizerError) as error:
        if not accept:
            return error
        raise PromiseBrokenError(f"these settings are accepted: {sorted(table)}", str(error), look="settings") from (
            error
        )
    if accept:
        return settings
    shown = {key: value for key, value in table.items() if value != CANARY}
    raise PromiseBrokenError(
        "settings refuse what the vendor would, or what nobody could mean",
        f"these were accepted: {shown or sorted(table)}",
        hint="constrain the field: `Field(min_length=1)`, `Field(ge=…)`, a `Literal`, a validator",
        look="settings",
    )
