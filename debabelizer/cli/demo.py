"""``debabelizer demo``: what is best seen happening."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer

from debabelizer.cli.common import Choices, configurable
from debabelizer.cli.report import INTERRUPTED

__all__ = ["demo"]

_FAILOVER_EXAMPLES: Final = """Examples:

$ debabelizer demo failover

$ debabelizer demo failover interview.mp3
"""

demo = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="See something happen: no account, no network.")


@demo.callback()
def _root() -> None:
    """See something happen: no account, no network."""


@demo.command(epilog=_FAILOVER_EXAMPLES)
@configurable
def failover(
    choices: Choices,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE", show_default=False, help="A recording of yours; its first 15 seconds are played."
        ),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Do not play it in real time.")] = False,
) -> None:
    """Kill a vendor in mid-sentence, and watch the transcript go on.

    A simulated vendor on this machine hears a recording. In mid-sentence it is gone, for good. The embedded engine
    goes on from the last word that was final. Only the vendor is simulated, and its words are those that it was
    given; your configuration counts for nothing here.

    Exit codes: 0 complete, 1 failed, 2 a provider is not installed, 130 abandoned.
    """
    del choices
    try:
        code = asyncio.run(_failover(file, fast=fast))
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code)


async def _failover(file: str | None, *, fast: bool) -> int:
    from debabelizer.cli.live import listen
    from debabelizer.cli.views import view
    from debabelizer.demo.failover import ENGINE, VENDOR, at_pace, doomed_vendor, processor
    from debabelizer.demo.material import load, packaged
    from debabelizer.processor import VoiceProcessor

    if file is None:
        material = await packaged()
    else:
        async with VoiceProcessor({"stt": {"provider": ENGINE}}) as engine:
            material = await load(file, engine)
    dies_at = material.mid_sentence
    async with doomed_vendor(material, dies_at=dies_at) as vendor:
        greeting = (
            f"A simulated vendor ({VENDOR}) hears {material.seconds:.1f} s of speech. At {dies_at:.1f} s, in "
            f"mid-sentence, it is gone, and {ENGINE} goes on."
        )
        source = at_pace(material, fast=fast)
        return await listen(processor(vendor, fast=fast), source, view(as_json=False), greeting=greeting, account=True)
