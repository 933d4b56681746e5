"""Golden recordings: frames of the vendor, replayed through the dialect; see `debabelizer.testing.kit.golden`."""

from __future__ import annotations

import inspect
from pathlib import Path

from debabelizer.audio.format import AudioFormat
from debabelizer.options import Options
from debabelizer.plugins.references import load_factory, load_settings_model
from debabelizer.streaming.dialect import Dialect
from debabelizer.testing.kit import golden, laws
from debabelizer.testing.kit.base import SuiteBase
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.live import is_live
from debabelizer.testing.kit.play import KEY, Performance
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.script import SCRIPT

__all__ = ["RecordingChecks", "recordings_of"]


def recordings_of(suite: type[SuiteBase]) -> list[Path]:
    """The recordings that there are of a provider."""
    return sorted(_folder(suite).glob(f"{suite.spec.name}-*.jsonl"))


def _dialects(suite: type[SuiteBase]) -> bool:
    return suite.kind == "websocket"


class RecordingChecks(SuiteBase):
    """``--record`` writes what these tests then hold on to."""

    @concerns(lambda suite: _dialects(suite) and bool(recordings_of(suite)))
    def test_golden(self, recording: Path) -> None:
        """The frames of a recording mean what they meant when it was made."""
        head, lines = golden.read(recording)
        dialect = self._dialect(head)
        for number, line, events in golden.replay(dialect, lines):
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
        golden.write(path, golden.lines_of(performance.tapes[0], performance.scene.wishes, source))

    def _recited(self) -> Performance:
        """A stream of words that people say."""
        self.sound_show()
        performance = self.play(words=SCRIPT)
        laws.no_connection_fails(performance)
        laws.ends_with_proof(performance)
        return performance

    def _dialect(self, head: golden.Line) -> Dialect:
        table = {**self.settings, **{secret.key: KEY for secret in self.spec.secrets}}
        wishes = {name: wish for name, wish in head["wishes"].items() if name != "options"}
        settings = load_settings_model(self.spec).model_validate({**table, **head["wishes"].get("options", {})})
        request = Options(**wishes).request(self.spec, settings)
        provider = load_factory(self.spec)(self.spec)
        return provider.dialect(request, AudioFormat.parse(head["audio_format"]))


def _folder(suite: type[SuiteBase]) -> Path:
    return suite.golden or Path(inspect.getfile(suite)).parent / "golden"
