"""`ProviderSuite`: the class an author derives from."""

from __future__ import annotations

from typing import Any

import pytest

from debabelizer.testing.kit.checks.claims import ClaimChecks, claim_parameters
from debabelizer.testing.kit.checks.faults import FaultChecks, fault_parameters
from debabelizer.testing.kit.checks.file_faults import FileFaultChecks, file_fault_parameters
from debabelizer.testing.kit.checks.files import file_parameters
from debabelizer.testing.kit.checks.literals import LiteralChecks
from debabelizer.testing.kit.checks.lives import LifeChecks
from debabelizer.testing.kit.checks.recordings import RecordingChecks, recordings_of
from debabelizer.testing.kit.checks.specs import SpecChecks
from debabelizer.testing.kit.checks.streams import StreamChecks, stream_parameters
from debabelizer.testing.kit.kinds import drop_what_does_not_concern

__all__ = ["ProviderSuite"]


class ProviderSuite(  # the bases run from the last one on
    RecordingChecks,
    FileFaultChecks,
    FaultChecks,
    LifeChecks,
    ClaimChecks,
    StreamChecks,
    LiteralChecks,
    SpecChecks,
):
    """The conformance tests of one provider. Derive from it, and name at least `spec` and `simulator`.

    The suite finds out what kind of provider it is: one with a `Dialect`, one with a `Connection` of its own, or one
    that only transcribes whole recordings. Tests of what a provider does not have are not collected.

    Attributes:
        spec: The provider's spec.
        simulator: What stands in for the vendor or the engine: a class, see `Simulator`.
        settings: Keys of the provider's table that every case needs; the simulator's and the key are added.
        bad_settings: Tables that must be refused, because the vendor would.
        options: What only this vendor has, for all that it claims to be seen: given to the stream as ``options=``.
        language_hints: Languages the kit names, for a provider that must be told; by default none.
        golden: Folder of recorded frames, see ``docs/conformance.md``; by default ``golden`` beside the test module.
        live: Real speech, for ``--live``.
        virtual: Whether streams are tested in virtual time, as any will that wait in asyncio alone. Say False for
            engines with threads of their own and clients with sockets that asyncio does not know of.
        listeners: Modules that call `open_vad`, if streams or files are cut by it: there coded words are voices. For
            a provider that only transcribes, those of the core are known.
        kind: Found out: ``websocket``, ``connection`` or ``batch``.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if hasattr(cls, "spec"):
            drop_what_does_not_concern(cls)

    @classmethod
    def cases(cls) -> dict[str, list[Any]]:
        """For each parameter of a test, the values it is run with."""
        return {
            **stream_parameters(cls),
            **claim_parameters(),
            **fault_parameters(),
            **file_parameters(),
            **file_fault_parameters(),
            "bad_settings": list(cls.bad_settings),
            "recording": recordings_of(cls),
        }

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give the tests the cases that follow from the spec."""
        for name, values in self.cases().items() if hasattr(self, "spec") else ():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values, ids=[_id(value) for value in values])


def _id(value: object) -> str:
    if isinstance(value, dict):
        return "-".join(map(str, value))
    return str(getattr(value, "stem", value)).replace("/", "-")
