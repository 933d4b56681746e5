"""`ProviderSuite`: the class an author derives from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from debabelizer.spec import ProviderSpec
from debabelizer.testing.kit.doubles import Simulator
from debabelizer.testing.kit.speech import Recording

__all__ = ["ProviderSuite"]


class ProviderSuite:
    """The conformance tests of one provider. Derive from it, and name at least `spec` and `simulator`.

    The suite finds out what kind of provider it is: one with a `Dialect`, one with a `Connection` of its own, or one
    that only transcribes whole recordings. Tests of what a provider does not have are not collected.

    Attributes:
        spec: The provider's spec.
        simulator: What stands in for the vendor or the engine: a class, see `Simulator`.
        settings: Keys of the provider's table that every case needs; the simulator's and the key are added.
        bad_settings: Tables that must be refused, because the vendor would.
        options: What only this vendor has, for all that it claims to be seen: given to the stream as ``options=``.
        language_hints: Languages the kit asks for; by default the first the spec names, if any.
        golden: Folder of recorded frames, see ``docs/conformance.md``; by default ``golden`` beside the test module.
        live: Real speech, for ``--live``.
        virtual: Whether streams are tested in virtual time, as any will that wait in asyncio alone. Say False for
            engines with threads of their own and clients with sockets that asyncio does not know of.
    """

    spec: ClassVar[ProviderSpec]
    simulator: ClassVar[Callable[[str], Simulator]]
    settings: ClassVar[Mapping[str, Any]] = {}
    bad_settings: ClassVar[Sequence[Mapping[str, Any]]] = ()
    options: ClassVar[Mapping[str, Any]] = {}
    language_hints: ClassVar[tuple[str, ...] | None] = None
    golden: ClassVar[Path | None] = None
    live: ClassVar[Recording | None] = None
    virtual: ClassVar[bool] = True
