"""`Settings`: the whole configuration, validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from debabelizer.choosing import Preference
from debabelizer.config.layers import Layer, dotted, leaves
from debabelizer.config.provider import Table
from debabelizer.config.secrets import Secret
from debabelizer.config.sections import Require, Stream
from debabelizer.config.source import ARGUMENT, Source
from debabelizer.config.stack import Stack
from debabelizer.config.values import ErrorRate, LanguageCode, ProviderName, ProviderNames, Word
from debabelizer.streaming.policy import StreamPolicy

__all__ = ["PluginSettings", "Profile", "Settings", "SttSettings"]


class SttSettings(Table):
    """What is wanted of a transcription, in the same words for every provider."""

    provider: ProviderNames = ("moonshine",)
    """The provider, or several: the order is the fallback order. The default is embedded: audio stays here."""

    language_hints: tuple[LanguageCode, ...] = ()
    """Languages that are spoken, most likely first; empty means that the provider is to find out."""

    interim: bool = True
    """Whether results that may still change are wanted."""

    diarization: bool = False
    """Whether speakers are to be told apart."""

    endpointing: bool = True
    """Whether the provider is to say where utterances end."""

    vocabulary: tuple[Word, ...] = ()
    """Words to expect: names, terms."""

    translate_to: LanguageCode | None = None
    """Language to translate to."""

    optional: tuple[
        Literal["language_hints", "interim", "diarization", "endpointing", "vocabulary", "translate_to"], ...
    ] = ()
    """Which of the wishes above a provider that cannot fulfil them may ignore; else it is an error."""

    require: Require = Field(default={})
    """Capabilities that a provider must have to be chosen, e.g. `{ local = true, words = "word" }`."""

    prefer: Preference = "order"
    """What comes first of several providers: the first one named, the quickest, the cheapest, or the most accurate."""

    race: int = Field(default=1, ge=1)
    """How many of the providers hear a stream side by side, so that another one goes on at once; each is paid for."""

    accuracy: dict[ProviderName, ErrorRate] = Field(default={})
    """Word error rates by provider, for `prefer`, as `debabelizer compare --reference` measures them."""

    concurrency: int = Field(default=2, ge=1)
    """How many recordings are transcribed at once."""


class PluginSettings(Table):
    """Which plugins are loaded."""

    disable: tuple[str, ...] = ()
    """Plugins that are not loaded, by name."""


class Profile(Table):
    """A part of the configuration that is laid over the rest when it is asked for by name."""

    stt: SttSettings = SttSettings()
    """What is wanted of a transcription."""

    stream: Stream = StreamPolicy()
    """How long a stream waits, how much it keeps, how often it tries."""

    plugins: PluginSettings = PluginSettings()
    """Which plugins are loaded."""

    insecure: bool = False
    """Whether plain `ws://` and `http://` are allowed to other machines as well: for tests in a closed network."""

    providers: dict[str, dict[str, Any]] = Field(default={}, repr=False, exclude=True)  # as written: may hold secrets
    """A table for each provider, validated by that provider's own model."""


class Settings(Profile):
    """The whole configuration. `load_settings` makes it of its layers; it never changes."""

    profile: str | None = None
    """Name of the profile to lay over the rest."""

    profiles: dict[str, Profile] = Field(default={}, repr=False)
    """Profiles by name, each a partial configuration."""

    _stack: Stack | None = PrivateAttr(None)
    _layer: Layer | None = PrivateAttr(None)
    _secrets: dict[Secret, Secret] = PrivateAttr(default_factory=dict)

    @property
    def stack(self) -> Stack:
        """The layers it was made of."""
        return self._stack or Stack((Layer(_written(self), source=ARGUMENT),))

    @property
    def layer(self) -> Layer:
        """All that was written, merged, as it was written."""
        return self._layer or self.stack.merge()[0]

    def of(self, stack: Stack, layer: Layer) -> Settings:
        """These settings, knowing what they were made of; only `load_settings` has to tell."""
        self._stack, self._layer = stack, layer
        return self

    def same(self, secret: Secret) -> Secret:
        """The first secret that was kept at the same place, so that a command runs once and not for every call."""
        return self._secrets.setdefault(secret, secret)

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where each setting was written, by dotted key. What is not there has its default."""
        layer = self.layer
        return {dotted(path): layer.source_of(path) for path, _ in leaves(layer.data)}

    def provider_table(self, name: str) -> Mapping[str, Any]:
        """The table of a provider as it was written; empty if there is none."""
        return MappingProxyType(self.providers.get(name, {}))


def _written(value: Any) -> Any:
    """What was given to a model that was made in Python, without its defaults."""
    if isinstance(value, Table):
        return {name: _written(getattr(value, name)) for name in value.model_fields_set}
    if isinstance(value, StreamPolicy):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _written(inner) for key, inner in value.items()}
    return value
