"""`SuiteBase`: what a suite knows of its provider, and how its tests play scenes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar
from unittest import mock

import pytest

from debabelizer.spec import ProviderSpec
from debabelizer.testing import virtual_time
from debabelizer.testing.kit import haste, laws
from debabelizer.testing.kit.claims import check, wishes
from debabelizer.testing.kit.doubles import Simulator
from debabelizer.testing.kit.kinds import Kind, kind_of
from debabelizer.testing.kit.live import is_live
from debabelizer.testing.kit.play import Performance, Scene, play
from debabelizer.testing.kit.promise import PAGE, PromiseBrokenError
from debabelizer.testing.kit.speech import CodedVad, Recording

__all__ = ["HASTE", "PATIENCE", "SuiteBase", "Time", "wait_for"]

ResultT = TypeVar("ResultT")

Time: TypeAlias = Literal["virtual", "hasty", "real"]
"""How time goes by: it jumps, over a network in memory; it hurries while nothing happens; or as it does."""

_LIMITS: Final[dict[Time, float]] = {"virtual": 3600.0, "hasty": 600.0, "real": 30.0}  # seconds for one scene
_RUNNERS: Final[dict[Time, Callable[[Coroutine[Any, Any, Any]], Any]]] = {
    "virtual": virtual_time.run,
    "hasty": haste.run,
    "real": asyncio.run,
}

_LISTENERS: Final = ("debabelizer.audio.recognition", "debabelizer.streaming.segmenter")
"""The core's own modules that open a detector of voices, for providers that only transcribe."""

HASTE: Final = {"max_speed": 40.0}
"""The policy of streams in real time, where somebody has to wait."""

PATIENCE: Final = {"max_attempts": 3, "give_up_after": 20.0, "drain_timeout": 5.0, "stall_timeout": 5.0}
"""The policy of all streams: a provider that is broken is so soon."""


def wait_for(performance: Performance, *others: Callable[[Performance], None]) -> None:
    """Pass over a test whose subject cannot be seen before something else is mended."""
    for law in others:
        try:
            law(performance)
        except PromiseBrokenError:
            pytest.skip(f"waits for what else is broken: {law.__name__.replace('_', ' ')}")


class SuiteBase:
    """See `ProviderSuite`."""

    spec: ClassVar[ProviderSpec]
    simulator: ClassVar[Callable[..., Simulator]]
    settings: ClassVar[Mapping[str, Any]] = {}
    bad_settings: ClassVar[Sequence[Mapping[str, Any]]] = ()
    options: ClassVar[Mapping[str, Any]] = {}
    language_hints: ClassVar[tuple[str, ...]] = ()
    golden: ClassVar[Path | None] = None
    live: ClassVar[Recording | None] = None
    virtual: ClassVar[bool] = True
    listeners: ClassVar[Sequence[str]] = ()

    kind: ClassVar[Kind]
    _played: ClassVar[dict[str, Any]]
    _config: pytest.Config

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._played = {}
        if not hasattr(cls, "spec"):
            return
        cls.kind = kind_of(cls.spec)
        if cls.__name__.startswith("Test") and not hasattr(cls, "simulator"):
            raise TypeError(
                f"{cls.__name__} needs `simulator = …`, a class that stands in for the vendor or the engine; for an "
                f"engine that hears coded words itself, `EngineDouble`. See {PAGE}#what-stands-in"
            )

    @pytest.fixture(autouse=True)
    def _take_options(self, request: pytest.FixtureRequest) -> None:
        self._config = request.config

    @classmethod
    def wishes(cls) -> dict[str, Any]:
        """The options that ask for all that the spec claims."""
        return wishes(cls.spec.capabilities, cls.language_hints, cls.options)

    @classmethod
    def check_claim(cls, name: str, seen: object, where: str = "") -> None:
        """Compare what was seen with what the spec claims."""
        claimed = getattr(cls.spec.capabilities, name)
        told = bool(cls.language_hints) or len(cls.spec.capabilities.languages) == 1
        if name == "language_identification" and not claimed and told:
            return  # to say which language it was told, or the only one it knows, is no identification
        check(name, claimed, seen, where)

    def play(self, scene: Scene | None = None, *, time: Time | None = None, **changes: Any) -> Performance:
        """Play a scene that asks for everything, in virtual time unless it is said or must be otherwise."""
        time = "real" if not self.virtual or self.kind == "batch" else time or "virtual"
        scene = replace(scene or Scene(wishes=self.wishes()), **changes)
        scene = replace(scene, policy={**PATIENCE, **(HASTE if time == "real" else {}), **scene.policy})
        simulate = type(self).simulator
        return self.run(lambda: play(self.spec, simulate, self.settings, scene), time=time)

    def show(self) -> Performance:
        """The scene that most tests look at: everything that is claimed is asked for, and nothing goes wrong.

        With ``--live`` it is played with the live service.
        """
        live = is_live(self._config, self.spec)
        name = "live" if live else "simulated"
        if name not in self._played:
            self._played[name] = self._play_live() if live else self.play(thorough=True)
        performance: Performance = self._played[name]
        return performance

    def sound_show(self) -> Performance:
        """The same, for tests that make no sense before a stream comes to its end with all words."""
        performance = self.show()
        first = (laws.no_connection_fails, laws.ends_with_proof, laws.interims_are_settled)
        wait_for(performance, *first)
        if not performance.scene.live:
            wait_for(performance, laws.words_are_whole, laws.words_are_complete)
        return performance

    def run(self, main: Callable[[], Coroutine[Any, Any, ResultT]], *, time: Time = "real") -> ResultT:
        """Run a scene, for a bounded time."""

        async def bounded() -> ResultT:
            async with asyncio.timeout(_LIMITS[time]):
                return await main()

        with ExitStack() as stack:
            # What the core leaves to chance, as the delay before the next attempt, goes the same way in every run.
            stack.callback(random.setstate, random.getstate())
            random.seed(0)
            # No real detector takes coded speech for a voice.
            for module in (*self.listeners, *(_LISTENERS if self.kind == "batch" else ())):
                stack.enter_context(mock.patch(f"{module}.open_vad", CodedVad))
            try:
                result: ResultT = _RUNNERS[time](bounded())
            except (TimeoutError, virtual_time.DeadlockError) as error:
                raise PromiseBrokenError(
                    "nothing ever hangs",
                    f"the scene did not come to an end within {_LIMITS[time]:g} s"
                    + (" of virtual time" if time != "real" else ""),
                    hint="what is awaited without a deadline, or holds up a cancellation?",
                    look="never-hangs",
                ) from error
        return result

    def _play_live(self) -> Performance:
        if self.live is None:
            pytest.skip("--live needs real speech: set `live = Recording(path, text)` in the suite")
        scene = Scene(wishes=self.wishes(), live=self.live)
        return self.run(lambda: play(self.spec, None, self.settings, scene))
