"""`microphone`: live audio from an input device, through PortAudio."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from functools import partial
from importlib import import_module
from types import ModuleType, TracebackType
from typing import Any, Final, Self

from debabelizer.audio.convert import Converter
from debabelizer.audio.extras import needs
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.handover import Handover
from debabelizer.audio.link import Link
from debabelizer.audio.worker import Worker
from debabelizer.errors import AudioSourceError, StreamBusyError

__all__ = ["Microphone", "microphone"]

_SPEECH: Final = AudioFormat()

_HELD: Final = 10.0
"""Seconds of audio held for a reader that is late."""

_DTYPES: Final = {"pcm_s16le": "int16", "pcm_f32le": "float32"}

_log = logging.getLogger("debabelizer.audio")


def microphone(
    audio_format: AudioFormat = _SPEECH, *, device: int | str | None = None, block: float = 0.05
) -> Microphone:
    """Listen to an input device.

    Args:
        audio_format: The format to give. Audio is converted if the device does not know it (``audio`` extra).
        device: Number or part of the name of the device; None for the default one.
        block: Seconds of audio given at a time.
    """
    return Microphone(audio_format, device, block)


class Microphone:
    """An asynchronous iterator of ``bytes``, made by `microphone`; it goes on until `aclose`.

    The device is opened by ``async with`` or for the first block, which raises `AudioSourceError` if there is none or
    PortAudio is missing, and `AudioError` if an extra is. Left open, it warns (`ResourceWarning`) when collected.

    Attributes:
        audio_format: What the blocks are in.
    """

    def __init__(self, audio_format: AudioFormat, device: int | str | None, block: float) -> None:
        self.audio_format = audio_format
        self._device = device
        self._block = block
        self._handover: Handover | None = None
        self._converter: Converter | None = None
        self._worker: Worker[AudioFormat] | None = None
        self._next_report = 1
        self._is_closed = False

    @property
    def overflows(self) -> int:
        """How often audio was lost, be it that the reader was 10 s late or the machine too busy."""
        return self._handover.overflows if self._handover else 0

    @property
    def lost(self) -> float:
        """Seconds of audio lost because the reader was late."""
        return self._converter.source.seconds(self._handover.dropped) if self._handover and self._converter else 0.0

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_closed and self._converter is None:
            raise StopAsyncIteration
        handover, converter = await self._open()
        while (data := await handover.get()) is not None:
            self._report_loss()
            if block := converter.feed(data):
                return block
        if self._is_closed:
            raise StopAsyncIteration
        await self.aclose()
        raise AudioSourceError("The microphone has stopped.", source="microphone", hint="Was it unplugged?")

    async def aclose(self) -> None:
        """Release the device. What was heard is still given, then the iteration ends. Idempotent."""
        self._is_closed = True
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.aclose()
        if self._handover is not None:
            self._handover.end()

    async def _open(self) -> tuple[Handover, Converter]:
        if self._handover is not None and self._converter is not None:
            return self._handover, self._converter
        if self._worker is not None:
            raise StreamBusyError("The microphone is being opened by another task.")
        self._handover = handover = Handover(max(1, round(_HELD / self._block)))
        work = partial(_listen, self.audio_format, self._device, self._block, handover)
        self._worker = worker = Worker(work, _nothing, "the microphone")
        try:
            self._converter = Converter(await worker.next(), self.audio_format)
        except BaseException:
            await self.aclose()
            raise
        return handover, self._converter

    def _report_loss(self) -> None:
        if self.overflows >= self._next_report:
            self._next_report = 2 * self.overflows  # a machine that is too busy must not drown in messages
            _log.warning("audio of the microphone was lost (%d times so far, %.1f s here)", self.overflows, self.lost)

    def __del__(self) -> None:
        if self._worker is not None:
            warnings.warn("A microphone was left without being closed.", ResourceWarning, stacklevel=2, source=self)
            self._worker.abandon()


async def _nothing() -> bytes:
    return b""


def _listen(
    wanted: AudioFormat, device: int | str | None, block: float, handover: Handover, _link: Link
) -> Generator[AudioFormat, None, None]:
    """Hold the device open, in a thread of its own; gives the format of what is handed over."""
    sounddevice = _portaudio()

    def heard(data: Any, _frames: int, _time: object, status: Any) -> None:
        handover.put(bytes(data), after_loss=bool(status.input_overflow))

    try:
        given = _possible(sounddevice, wanted, device)
        stream = sounddevice.RawInputStream(
            samplerate=given.sample_rate,
            blocksize=max(1, given.frames(block)),
            device=device,
            channels=given.channels,
            dtype=_DTYPES[given.encoding],
            callback=heard,
            finished_callback=handover.end,
        )
        with stream:
            yield given  # and is left here, by being closed
    except (sounddevice.PortAudioError, ValueError) as error:  # ValueError: no device, or several, of that name
        raise AudioSourceError(
            f"The microphone cannot be opened: {error}.",
            source="microphone",
            hint="Is one connected, and may this program use it? `python -m sounddevice` lists them.",
        ) from error


def _portaudio() -> ModuleType:
    try:
        with needs("microphone", "The microphone"):
            sounddevice = import_module("sounddevice")
    except OSError as error:
        raise AudioSourceError(
            "The microphone needs the PortAudio library, which is not installed.",
            source="microphone",
            hint="Install it: on Debian and Ubuntu, apt install libportaudio2",
        ) from error
    return sounddevice


def _possible(sounddevice: ModuleType, wanted: AudioFormat, device: int | str | None) -> AudioFormat:
    """The format nearest to `wanted` that the device can give."""
    encoding = wanted.encoding if wanted.encoding in _DTYPES else "pcm_s16le"
    given = AudioFormat(encoding, wanted.sample_rate, wanted.channels)
    try:
        sounddevice.check_input_settings(
            device=device, channels=given.channels, dtype=_DTYPES[encoding], samplerate=given.sample_rate
        )
    except sounddevice.PortAudioError:
        rate = round(sounddevice.query_devices(device, "input")["default_samplerate"])
        given = AudioFormat(encoding, rate, wanted.channels)
    return given
