from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import types
from types import SimpleNamespace
from typing import Self

import numpy as np
import pytest

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.microphone import microphone
from debabelizer.errors import AudioError, AudioSourceError, StreamBusyError


class PortAudioError(Exception):
    pass


class FakeStream:
    """A device that says what it is told, block by block, from a thread of its own."""

    def __init__(self, device: FakeDevice, options: dict) -> None:
        self.device = device
        self.options = options
        self.is_running = False

    def __enter__(self) -> Self:
        self.is_running = True
        self.device.opened_in.append(threading.current_thread().name)
        self.device.begun.set()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_running = False
        self.options["finished_callback"]()

    def say(self, *blocks: bytes, overflow: bool = False) -> None:
        def speak() -> None:
            for block in blocks:
                frames = len(block) // 2
                self.options["callback"](memoryview(block), frames, None, SimpleNamespace(input_overflow=overflow))

        thread = threading.Thread(target=speak)
        thread.start()
        thread.join()


class FakeDevice(types.ModuleType):
    """The `sounddevice` package with one device, which knows the given rates."""

    PortAudioError = PortAudioError

    def __init__(self, rates: tuple[int, ...] = (16000,)) -> None:
        super().__init__("sounddevice")
        self.rates = rates
        self.streams: list[FakeStream] = []
        self.opened_in: list[str] = []
        self.begun = threading.Event()
        self.error: Exception | None = None

    def check_input_settings(self, *, device: object, channels: int, dtype: str, samplerate: int) -> None:
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate")

    def query_devices(self, device: object, kind: str) -> dict[str, float]:
        assert kind == "input"
        return {"default_samplerate": float(self.rates[0])}

    def RawInputStream(self, **options: object) -> FakeStream:  # noqa: N802 - the name of the package
        if self.error is not None:
            raise self.error
        self.streams.append(FakeStream(self, options))
        return self.streams[-1]


@pytest.fixture
def device(monkeypatch) -> FakeDevice:
    device = FakeDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    return device


def test_gives_what_is_said_until_it_is_closed(device):
    async def main():
        async with microphone() as heard:
            (stream,) = device.streams
            stream.say(b"ab", b"cd")
            assert [await anext(heard), await anext(heard)] == [b"ab", b"cd"]
            assert stream.is_running
            assert (heard.overflows, heard.lost) == (0, 0.0)
        assert not stream.is_running
        with pytest.raises(StopAsyncIteration):
            await anext(heard)

    asyncio.run(main())
    assert device.opened_in == ["debabelizer audio the microphone"]


def test_opens_the_device_as_asked(device):
    async def main():
        async with microphone(AudioFormat("pcm_f32le", 16000, 2), device="USB", block=0.02):
            pass

    asyncio.run(main())
    options = device.streams[0].options
    names = ("samplerate", "blocksize", "device", "channels", "dtype")
    assert [options[name] for name in names] == [16000, 320, "USB", 2, "float32"]


def test_opens_at_the_first_block_without_async_with(device):
    async def main():
        heard = microphone()
        first = asyncio.create_task(anext(heard))
        await asyncio.to_thread(device.begun.wait, 10)
        device.streams[0].say(b"ab")
        assert await first == b"ab"
        await heard.aclose()

    asyncio.run(main())


def test_closing_gives_the_rest_and_ends_the_iteration(device):
    async def main():
        async with microphone() as heard:
            device.streams[0].say(b"ab", b"cd")
            blocks = [await anext(heard)]
            await heard.aclose()
            blocks += [block async for block in heard]
            assert blocks == [b"ab", b"cd"]
            await heard.aclose()

    asyncio.run(main())


def test_closed_before_it_was_opened_it_stays_closed(device):
    async def main():
        heard = microphone()
        await heard.aclose()
        assert [block async for block in heard] == []

    asyncio.run(main())
    assert device.streams == []


def test_closing_ends_the_wait_of_another_task(device):
    async def main():
        async with microphone() as heard:

            async def listen() -> list[bytes]:
                return [block async for block in heard]

            task = asyncio.create_task(listen())
            await asyncio.sleep(0)
            await heard.aclose()
            assert await task == []

    asyncio.run(main())


def test_a_wait_can_be_cancelled(device):
    async def main():
        async with microphone() as heard:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(heard), 0.01)
            device.streams[0].say(b"ab")
            assert await anext(heard) == b"ab"

    asyncio.run(main())


def test_a_reader_that_is_too_late_loses_audio_and_is_told(device, caplog):
    async def main():
        async with microphone(block=1.0) as heard:
            device.streams[0].say(*[bytes(32000)] * 13)
            with caplog.at_level(logging.WARNING, "debabelizer.audio"):
                blocks = [await anext(heard) for _ in range(10)]
            assert len(blocks) == 10
            assert (heard.overflows, heard.lost) == (1, 3.0)
            device.streams[0].say(b"ab", overflow=True)
            assert await anext(heard) == b"ab"
            assert (heard.overflows, heard.lost) == (2, 3.0)
            device.streams[0].say(b"ab", overflow=True)
            await anext(heard)

    asyncio.run(main())
    assert caplog.text.count("audio of the microphone was lost") == 2


def test_a_rate_that_the_device_does_not_know_is_converted(device):
    device.rates = (48000, 44100)
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype("<i2").tobytes()

    async def main():
        async with microphone() as heard:
            device.streams[0].say(*[tone[place : place + 4800] for place in range(0, len(tone), 4800)])
            await heard.aclose()
            return b"".join([block async for block in heard])

    audio = asyncio.run(main())
    assert device.streams[0].options["samplerate"] == 48000
    assert len(audio) / 32000 == pytest.approx(1.0, abs=0.05)
    assert np.abs(np.frombuffer(audio, "<i2")).max() == pytest.approx(8000, rel=0.02)


def test_an_encoding_that_no_device_knows_is_converted(device):
    async def main():
        async with microphone(AudioFormat("mulaw", 16000)) as heard:
            device.streams[0].say(bytes(640))
            return await anext(heard)

    assert asyncio.run(main()) == b"\xff" * 320
    assert device.streams[0].options["dtype"] == "int16"


def test_a_device_that_goes_away(device):
    async def main():
        async with microphone() as heard:
            device.streams[0].say(b"ab")
            device.streams[0].options["finished_callback"]()
            assert await anext(heard) == b"ab"
            with pytest.raises(AudioSourceError, match="has stopped") as caught:
                await anext(heard)
            assert "unplugged" in (caught.value.hint or "")

    asyncio.run(main())


@pytest.mark.parametrize("error", [PortAudioError("Device unavailable"), ValueError("No input device matching 'USB'")])
def test_a_device_that_cannot_be_opened(device, error):
    device.error = error

    async def main():
        async with microphone():
            pass

    with pytest.raises(AudioSourceError, match=str(error)) as caught:
        asyncio.run(main())
    assert caught.value.source == "microphone"


def test_after_a_failure_it_is_not_opened_again(device):
    device.error = PortAudioError("Device unavailable")

    async def main():
        heard = microphone()
        with pytest.raises(AudioSourceError):
            await anext(heard)
        device.error = None
        assert [block async for block in heard] == []

    asyncio.run(main())
    assert device.streams == []


def test_two_tasks_do_not_open_it_twice(device):
    async def main():
        heard = microphone()
        first = asyncio.create_task(anext(heard))
        await asyncio.sleep(0)
        with pytest.raises(StreamBusyError):
            await anext(heard)
        await heard.aclose()
        await asyncio.gather(first, return_exceptions=True)

    asyncio.run(main())


def test_the_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)

    async def main():
        async with microphone():
            pass

    with pytest.raises(AudioError, match="needs the package 'sounddevice'") as caught:
        asyncio.run(main())
    assert 'pip install "debabelizer[microphone]>=0.3"' in (caught.value.hint or "")


def test_the_library_is_missing(monkeypatch):
    def refuse(name: str) -> types.ModuleType:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr("debabelizer.audio.microphone.import_module", refuse)

    async def main():
        async with microphone():
            pass

    with pytest.raises(AudioSourceError, match="PortAudio library") as caught:
        asyncio.run(main())
    assert "apt install libportaudio2" in (caught.value.hint or "")


def test_left_open_it_warns_and_releases_the_device(device):
    async def main():
        holder = [microphone()]
        await holder[0].__aenter__()
        with pytest.warns(ResourceWarning, match="microphone was left"):
            holder.clear()

    asyncio.run(main())  # and the fixture sees the thread end


def test_is_imported_without_any_package():
    code = """
import sys
sys.modules |= dict.fromkeys(["numpy", "soxr", "av", "sounddevice"])
import debabelizer.audio.microphone
"""
    subprocess.run([sys.executable, "-c", code], check=True)
