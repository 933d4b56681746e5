"""Golden recordings: frames of the vendor, replayed through the dialect; see `debabelizer.testing.kit.golden`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from debabelizer.audio.format import AudioFormat
from debabelizer.options import Options
from debabelizer.plugins.references import load_factory, load_settings_model
from debabelizer.streaming.dialect import Dialect
from debabelizer.testing.coded import encode_words
from debabelizer.testing.kit import golden, laws
from debabelizer.testing.kit.base import SuiteBase
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.live import is_live
from debabelizer.testing.kit.play import KEY, Performance
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.script import SCRIPT

__all__ = ["RecordingChecks", "recordings_of"]


def recordings_of(suite: type[SuiteBase]) -> list[Path]:
    """The recordings that there are of a provider, but for those of another suite of it."""
    files = sorted(_folder(suite).glob(f"{suite.spec.name}-*.jsonl"))
    return [file for file in files if golden.read(file)[0].get("suite") in {None, suite.__name__}]


def _dialects(suite: type[SuiteBase]) -> bool:
    return suite.kind == "websocket"


class RecordingChecks(SuiteBase):
    """``--record`` writes what these tests then hold on to."""

    @concerns(lambda suite: _dialects(suite) and bool(recordings_of(suite)))
    def test_golden(self, recording: Path) -> None:
        """The frames of a recording mean what they meant when it was made."""
        for number, line, events in self._replayed(*golden.read(recording)):
            if events != line["events"]:
                raise PromiseBrokenError(
                    f"the frames of {recording.name} give the events that were recorded with them: {line['events']}",
                    f"the events were {events}",
                    where=f"received frame {number}: {str(line.get('received', 'the end'))[:300]}",
                    hint="if the new meaning is right, record anew with --record",
                    look="golden-recordings",
                )

    @concerns(_dialects)
    def test_record(self) -> None:
        """With ``--record`` frames are written down: the vendor's with ``--live``, else the simulator's."""
        whose = self._config.getoption("--record", default=None)
        if whose is None:
            return
        live = whose != "simulator" and is_live(self._config, self.spec)
        performance = self.sound_show() if live else self._recited()
        source = f"{self.spec.name}, the vendor" if live else f"the simulator of {self.spec.name}, not the vendor"
        path = _folder(type(self)) / f"{self.spec.name}-{'live' if live else 'simulated'}.jsonl"
        owner = golden.read(path)[0].get("suite") if path.exists() else None
        if owner not in {None, type(self).__name__}:
            raise PromiseBrokenError(
                "each suite has recordings of its own",
                f"{path.name} is one of {owner}",
                hint='two suites of one provider need a folder each: `golden = Path(__file__).parent / "golden-live"`',
                look="golden-recordings",
            )
        golden.write(path, golden.lines_of(performance.tapes[0], performance.scene.wishes, source, type(self).__name__))

    def _recited(self) -> Performance:
        """A stream of words that people say."""
        self.sound_show()
        performance = self.play(words=SCRIPT)
        laws.no_connection_fails(performance)
        laws.ends_with_proof(performance)
        return performance

    def _replayed(self, head: golden.Line, lines: list[golden.Line]) -> list[tuple[int, golden.Line, list[Any]]]:
        """The recording, lived through where the simulator stands: it may put doubles in place."""
        simulated = "not the vendor" in head["source"]
        audio = encode_words(SCRIPT, AudioFormat.parse(head["audio_format"]), tail=1.0) if simulated else b""

        async def main() -> list[tuple[int, golden.Line, list[Any]]]:
            async with type(self).simulator(KEY):
                return list(golden.replay(self._dialect(head), lines, audio))

        return self.run(main, time="virtual")

    def _dialect(self, head: golden.Line) -> Dialect:
        table = {**self.settings, **{secret.key: KEY for secret in self.spec.secrets}}
        wishes = {name: wish for name, wish in head["wishes"].items() if name != "options"}
        settings = load_settings_model(self.spec).model_validate({**table, **head["wishes"].get("options", {})})
        request = Options(**wishes).request(self.spec, settings)
        provider = load_factory(self.spec)(self.spec)
        return provider.dialect(request, AudioFormat.parse(head["audio_format"]))


def _folder(suite: type[SuiteBase]) -> Path:
    return suite.golden or Path(inspect.getfile(suite)).parent / "golden"
