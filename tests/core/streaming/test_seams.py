"""Time and seams when the user's sample rate is not the provider's: clicks, counted and timed."""

from __future__ import annotations

import asyncio

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("soxr")

from debabelizer.audio.format import AudioFormat  # noqa: E402
from debabelizer.errors import ConnectionLostError  # noqa: E402
from debabelizer.results import Word  # noqa: E402
from debabelizer.streaming.connection import Connection, End, Link  # noqa: E402
from debabelizer.streaming.dialect import Finished, Hypothesis, Processed  # noqa: E402
from debabelizer.streaming.leg import Leg  # noqa: E402
from debabelizer.streaming.policy import StreamPolicy  # noqa: E402
from debabelizer.streaming.stream import TranscriptionStream  # noqa: E402
from debabelizer.streaming.supervisor import Supervisor  # noqa: E402
from debabelizer.testing.virtual_time import run  # noqa: E402

GIVEN = AudioFormat("pcm_s16le", 44_100)
WIRE = AudioFormat("pcm_s16le", 16_000)
LENGTH = 0.05  # seconds that a click is said to take
CLICK = round(LENGTH * WIRE.sample_rate)


class Clicks(Connection):
    """Says a word for each click it hears; breaks after `life` seconds of audio."""

    def __init__(self, life: float) -> None:
        self._life = life
        self._kept = np.zeros(0, dtype=np.int16)  # the audio behind the last click
        self._forgotten = 0  # samples before it

    async def run(self, link: Link) -> None:
        while not isinstance(work := await link.take(), End):
            assert isinstance(work, bytes)
            self._kept = np.concatenate([self._kept, np.frombuffer(work, "<i2")])
            await link.emit(*self._hear(len(self._kept) - CLICK), Processed(self._seconds))
            if self._seconds > self._life:
                raise ConnectionLostError("cut")
        await link.emit(*self._hear(len(self._kept)), Finished(self._seconds))

    @property
    def _seconds(self) -> float:
        return (self._forgotten + len(self._kept)) / WIRE.sample_rate

    def _hear(self, through: int) -> list[Hypothesis]:
        loud = np.flatnonzero(np.abs(self._kept[: max(through, 0)]) > 4000)
        if not len(loud):
            return []
        peak = int(loud[0] + np.argmax(np.abs(self._kept[loud[0] :][:40])))
        at = (self._forgotten + peak) / WIRE.sample_rate
        word = Word("click", at, at + LENGTH)
        self._kept = self._kept[peak + CLICK :]
        self._forgotten += peak + CLICK
        return [Hypothesis(text=word.text, final=True, words=(word,))]


@pytest.mark.parametrize(("seconds", "every", "piece", "life"), [(60.0, 0.25, 0.2, 1.37), (3600.0, 1.0, 1.0, 1e9)])
def test_every_click_is_heard_once_and_at_its_time(
    seconds: float, every: float, piece: float, life: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("debabelizer.streaming.attempt._CHUNK", piece)

    async def connect() -> Connection:
        return Clicks(life)

    async def case() -> None:
        leg = Leg(provider="clicks", connect=connect, wire=WIRE)
        supervisor = Supervisor(leg, audio_format=GIVEN, policy=StreamPolicy(), random=lambda: 0.0)
        frames = np.zeros(GIVEN.frames(every), dtype=np.int16)
        frames[len(frames) // 2] = 30_000
        async with TranscriptionStream(lambda: supervisor, name="clicks") as stream:

            async def send() -> None:
                for _ in range(round(seconds / every)):
                    await stream.send_audio(frames.tobytes())
                    await asyncio.sleep(every)
                await stream.end_audio()

            sending = asyncio.ensure_future(send())
            async for _ in stream:
                pass
            await sending
        starts = [word.start for word in stream.transcript.words]
        step = len(frames) / GIVEN.sample_rate
        expected = [index * step + (len(frames) // 2) / GIVEN.sample_rate for index in range(round(seconds / every))]
        assert len(starts) == len(expected)
        assert starts == pytest.approx(expected, abs=1.0 / WIRE.sample_rate)
        assert (stream.stats.reconnects > 20) == (life < seconds)

    run(case())
