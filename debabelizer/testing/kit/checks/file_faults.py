"""Every network fault while a recording is transcribed: the transcript is whole, or the error is typed, and soon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from debabelizer.errors import ProviderError
from debabelizer.testing.coded import compare
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.checks.faults import FAULTS, when_connected
from debabelizer.testing.kit.checks.files import File, FileChecks, at_a_distance
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.play import PLAN, Stage
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.proxy import FaultProxy

__all__ = ["FILE_FAULTS", "FILE_PHASES", "FileFaultChecks", "file_fault_parameters"]

FILE_FAULTS: Final = tuple(fault for fault in FAULTS if fault != "slow")  # which is none, where nobody is live
FILE_PHASES: Final = ("connecting", "uploading", "waiting", "answer")
"""When it happens: as somebody connects, half-way through the largest request, before the first byte of its answer,
and half-way through the largest answer."""

_SOON: Final = 300.0  # seconds

Place = tuple[Any, int]  # the direction, and after how many bytes


class FileFaultChecks(FileChecks):
    """Over real sockets, through the fault proxy, in hasty time: a minute of patience is no long wait."""

    @concerns(at_a_distance)
    def test_file_fault(self, file_fault: str, file_phase: str) -> None:
        """Whatever happens to the connection, the transcript is whole or the error typed, soon, with nothing left."""
        places = self._places()
        file = self.transcribe(watch=_striking(FAULTS[file_fault], places.get(file_phase)))
        what = f"{file_fault} ({file_phase})"
        _is_sound(file, what)
        if file.seconds > _SOON:
            raise PromiseBrokenError(
                f"after {what} a transcription is over in {_SOON:g} s",
                f"it took {file.seconds:.0f} s; {laws.why(file.error)}",
                hint="give every wait for the service a deadline: none may be longer than a minute or so",
                look="faults-of-files",
            )
        if file.left:
            raise PromiseBrokenError(
                f"after {what} a transcription leaves no task, thread or socket behind",
                ", ".join(file.left),
                look="faults-of-files",
            )

    def _places(self) -> dict[str, Place]:
        """Where in the traffic of a sound transcription the phases are."""
        if "places" not in self._played:
            self.sound_file()
            proxies: list[FaultProxy] = []
            self.transcribe(watch=lambda stage: proxies.append(_proxy(stage)))
            self._played["places"] = _places_in(proxies[0])
        places: dict[str, Place] = self._played["places"]
        return places


def file_fault_parameters() -> dict[str, list[Any]]:
    """What the tests of this module are run with."""
    return {"file_fault": list(FILE_FAULTS), "file_phase": list(FILE_PHASES)}


def _is_sound(file: File, what: str) -> None:
    """Whether the transcript is whole, or the error typed."""
    if file.transcript is not None:
        report = compare(PLAN, file.transcript)
        if not report.perfect:
            raise PromiseBrokenError(
                f"after {what} a transcript is whole, or there is none",
                f"it came without an error, and it is not whole: {report}",
                hint="an answer that ends before its length, or cannot be read, is a ProtocolError or a "
                "ConnectionLostError, never a shorter transcript",
                look="faults-of-files",
            )
    elif not isinstance(file.error, ProviderError) or not file.error.retryable:
        raise PromiseBrokenError(
            f"after {what} a transcription fails with a `TransportError`, `ProtocolError` or another ProviderError "
            "that may be tried again",
            f"it failed with {laws.why(file.error)}",
            hint="turn what the HTTP or socket library raises into these, at the one place where it is called",
            look="faults-of-files",
        ) from file.error


def _places_in(proxy: FaultProxy) -> dict[str, Place]:
    """The phases, found in the traffic that went through a proxy."""
    turns = proxy.turns
    if not turns:
        raise PromiseBrokenError(
            "`settings(host, port)` of the simulator leads the provider to that address, also for files",
            "a recording was transcribed, and nobody came to the address of the fault proxy",
            hint="if files go elsewhere than streams, give the simulator `file_address` and `file_settings`; "
            "if it is an engine in this process, `address = None`",
            look="what-stands-in",
        )
    spoken = {"up": 0, "down": 0}
    largest: dict[str, tuple[int, dict[str, int]]] = {"up": (0, spoken), "down": (0, spoken)}
    for way, size in turns:
        if size > largest[way][0]:
            largest[way] = (size, dict(spoken))
        spoken[way] += size
    (request, before), (answer, meanwhile) = largest["up"], largest["down"]
    return {
        "uploading": ("up", before["up"] + request // 2),
        "waiting": ("down", before["down"]),
        "answer": ("down", meanwhile["down"] + answer // 2),
    }


def _striking(strike: Callable[[FaultProxy], object], place: Place | None) -> Callable[[Stage], object]:
    """Lets a fault happen at a place, or to the first connection."""

    def watch(stage: Stage) -> None:
        hit = partial(strike, _proxy(stage))
        if place is None:
            stage.tasks.append(asyncio.create_task(when_connected(_proxy(stage), hit)))
        else:
            _proxy(stage).when(*place, hit)

    return watch


def _proxy(stage: Stage) -> FaultProxy:
    if stage.proxy is None:
        pytest.skip("the simulator has no address")
    return stage.proxy
