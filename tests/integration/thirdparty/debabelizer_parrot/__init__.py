"""Parrot for Debabelizer: what it is, and its hooks. Nothing of the provider's own code is imported here."""

from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec

SPEC = ProviderSpec(
    name="parrot",
    summary="Tells how long a recording is.",
    api_version=1,
    capabilities=Capabilities(batch=True, local=True, languages=("*",), price_per_hour=0.0),
    settings="debabelizer_parrot.settings:Settings",
    factory="debabelizer_parrot.provider:Parrot",
    homepage="https://parrot.example",
)


@hookimpl
def debabelizer_register_providers(register):
    register(SPEC)


@hookimpl
def debabelizer_register_commands(cli):
    @cli.command()
    def squawk(word: str) -> None:
        """Say it louder."""
        print(word.upper())


@hookimpl
def debabelizer_register_exporters(register):
    register("shout", lambda transcript: transcript.text.upper() + "\n")
