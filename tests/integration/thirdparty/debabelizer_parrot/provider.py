"""The provider itself."""

from debabelizer.audio.format import AudioFormat
from debabelizer.provider import Provider
from debabelizer.results import Progress, Segment, Transcript
from debabelizer_parrot.settings import Settings

FORMAT = AudioFormat("pcm_s16le", 16000, 1)


class Parrot(Provider[Settings]):
    """Listens to the end and says how long it took."""

    async def transcribe(self, audio, request, report):
        size = 0
        async with audio.blocks(FORMAT) as blocks:
            async for block in blocks:
                size += len(block)
                report(Progress(done=FORMAT.seconds(size), total=audio.duration))
        seconds = FORMAT.seconds(size)
        text = f"{request.settings.phrase} {seconds:.{request.settings.digits}f} seconds."
        segment = Segment(text, start=0.0, end=seconds)
        return Transcript(text=text, segments=(segment,), duration=seconds, audio_seconds=seconds)
