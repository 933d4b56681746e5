"""Claims that no stream can show: what they say is looked at, and whether the provider takes what it says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from debabelizer.audio.format import Encoding
from debabelizer.errors import CapabilityError, DebabelizerError, InvalidRequestError
from debabelizer.spec import Capabilities
from debabelizer.testing.coded import encode_words, plan_words, wav
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.base import SuiteBase
from debabelizer.testing.kit.doubles import doors
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.live import is_live
from debabelizer.testing.kit.play import Scene, Stage, opened
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.sockets import Strangers

__all__ = ["LiteralChecks"]

_ONE: Final = plan_words(1)
_CODE: Final = re.compile(r"[a-z]{2,3}")
_NOBODYS: Final = "qaa"  # reserved for private use: no vendor knows it


class LiteralChecks(SuiteBase):
    """Languages, price, numbers, and whether audio stays on this machine."""

    def test_claims_make_sense(self) -> None:
        """Numbers are such as can be, encodings are known, languages are codes."""
        if wrong := "; ".join(_senseless(self.spec.capabilities)):
            raise PromiseBrokenError("claims are literals that users can compare", wrong, look="the-spec")

    def test_claim_price_per_hour(self) -> None:
        """What runs on this machine costs nothing, and nobody else works for nothing."""
        price, local = self.spec.capabilities.price_per_hour, self.spec.capabilities.local
        if (price != 0.0) if local else (price is not None and price <= 0.0):
            raise PromiseBrokenError(
                "price_per_hour is 0.0 for a local engine, and for a service more than that, or None if not known",
                f"the spec claims local={local} and price_per_hour={price}",
                hint="write what an hour of streamed audio costs by the vendor's price list, in US dollars",
                look="price_per_hour",
            )

    def test_claim_languages(self) -> None:
        """Each language that is claimed is taken as a hint, also with a region; an unknown one is refused by type."""
        self._sound()
        claimed = [code for code in self.spec.capabilities.languages if code != "*"]
        hints = [*claimed, *(f"{code}-{code.upper()}" for code in claimed[:1])]
        for code, error in self._hinted(hints).items():
            if error is not None:
                raise PromiseBrokenError(
                    f"the spec claims that {code.partition('-')[0]!r} is understood",
                    f"with language_hints=({code!r},) it failed with {laws.why(error)}",
                    hint="claim what the vendor lists, or translate the code into the vendor's own; of a code with a "
                    "region take the language, if the vendor does not know the region",
                    look="languages",
                )
        error = self._hinted([_NOBODYS])[_NOBODYS]
        if error is not None and not isinstance(error, InvalidRequestError | CapabilityError):
            raise PromiseBrokenError(
                "a language that is not understood is refused with an InvalidRequestError",
                f"with language_hints=({_NOBODYS!r},) it failed with {laws.why(error)}",
                hint="look the code up with a default, and say which codes there are",
                look="languages",
            )

    @concerns(lambda suite: suite.spec.capabilities.local)
    def test_claim_local(self) -> None:
        """Nobody is talked to, and no name looked up, but the address that the settings give."""
        self._sound()

        async def main() -> list[str]:
            scene = Scene(wishes=self.wishes(), policy={"max_speed": 40.0})
            async with opened(self.spec, type(self).simulator, self.settings, scene) as stage:
                known = [door.address for door in doors(stage.simulator)] if stage.simulator is not None else []
                strangers, audio = Strangers(known), encode_words(_ONE)
                async with strangers.watching():
                    for _ in range(2 if self.spec.capabilities.batch else 0):
                        await _settled(stage.processor.transcribe(wav(audio)))
                    await _settled(_streamed(stage, audio, pace=0.0))
                    await asyncio.sleep(0.1)
            return strangers.seen

        if seen := self.run(main):
            raise PromiseBrokenError(
                "the spec claims local=True: audio stays on this machine",
                f"besides what the settings name it talked to: {', '.join(seen)}",
                hint="telemetry of a library is switched off before its first use; a model is loaded by a command of "
                "its own, or said to be loaded; whatever sends audio elsewhere is not local",
                look="local",
            )

    def _sound(self) -> None:
        """Pass over a test that makes no sense yet; the live service is left alone."""
        if not is_live(self._config, self.spec):
            self.sound_show()

    def _hinted(self, codes: list[str]) -> dict[str, BaseException | None]:
        """What comes of a stream, or else of a transcription, that is told each of these languages."""
        audio = encode_words(_ONE)

        async def main() -> dict[str, BaseException | None]:
            found: dict[str, BaseException | None] = {}
            async with opened(self.spec, type(self).simulator, self.settings, Scene()) as stage:
                for code in codes:
                    wishes: Any = {"language_hints": (code,), "options": self.options}
                    if self.spec.capabilities.streaming:
                        found[code] = await _settled(_streamed(stage, audio, **wishes))
                    else:
                        found[code] = await _settled(stage.processor.transcribe(wav(audio), **wishes))
            return found

        virtual = self.virtual and self.spec.capabilities.streaming
        return self.run(main, time="virtual" if virtual else "real")


async def _settled(work: Any) -> BaseException | None:
    """The error that comes of it, if any."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task])
    error = task.exception()
    cause = error.__cause__ if isinstance(error, DebabelizerError) else None
    return cause if isinstance(cause, DebabelizerError) else error


async def _streamed(stage: Stage, audio: bytes, *, pace: float = 0.1, **wishes: Any) -> None:
    """Stream it, a tenth of a second at a time."""
    async with stage.processor.transcribe_stream(**wishes) as stream:
        for at in range(0, len(audio), 3200):
            await stream.send_audio(audio[at : at + 3200])
            await asyncio.sleep(pace)
        await stream.end_audio()
        async for _ in stream:
            pass


def _is_format(name: str) -> bool:
    """Whether it is an encoding, or one with its own rate."""
    encoding, slash, rate = name.partition("/")
    return encoding in get_args(Encoding) and rate.isdecimal() is bool(slash)


def _senseless(claims: Capabilities) -> Iterator[str]:
    for name, least in (("max_session", 1.0), ("max_speed", 1.0), ("keepalive", 1.0), ("channels", 1)):
        value = getattr(claims, name)
        if value is not None and value < least:
            yield f"{name}={value!r} is less than {least:g}"
    if unknown := [name for name in claims.audio_formats if not _is_format(name)]:
        yield f"audio_formats={unknown} are unknown; there are {', '.join(get_args(Encoding))}"
    languages = claims.languages
    if not languages:
        yield 'languages=() refuses every hint; write the codes, or ("*",) if they are many'
    odd = [code for code in languages if code != "*" and not _CODE.fullmatch(code)]
    if odd or len(set(languages)) < len(languages) or ("*" in languages and len(languages) > 1):
        yield f'languages are two-letter codes in lower case, each once, or ("*",) alone: {odd or languages}'
