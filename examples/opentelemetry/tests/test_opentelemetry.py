"""With the official SDK, and a simulated service: what is told of streams that go well, that reconnect, that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from debabelizer import StreamError, VoiceProcessor
from debabelizer.plugins import PluginRegistry
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import encode_words
from debabelizer.testing.soniox import Fault, SonioxSimulator

SONIOX = {"debabelizer.provider": "soniox"}


class Told:
    """What the SDK was told."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(tracing)
        metrics.set_meter_provider(MeterProvider([self.reader]))

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    @property
    def points(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@pytest.fixture(scope="session")
def sdk() -> Told:
    """The SDK can be set up once in a process."""
    return Told()


@pytest.fixture
def told(sdk: Told) -> Iterator[Told]:
    sdk.exporter.clear()
    yield sdk
    assert {point.value for point in sdk.points["debabelizer.stream.active"]} == {0}


def transcribe(*faults: Fault, **settings: Any) -> str:
    """Run a stream of thirty words, ten seconds, as a program would."""

    async def main() -> str:
        async with SonioxSimulator(faults=faults) as server:
            table = {"api_key": "test-key", "websocket_url": server.url, **settings}
            async with VoiceProcessor({"stt": {"provider": "soniox"}, "providers": {"soniox": table}}) as processor:
                with trace.get_tracer("program").start_as_current_span("call"):
                    stream = processor.transcribe_stream()
                    async with stream:
                        await stream.send_audio(encode_words(30))
                        await stream.end_audio()
                        return " ".join([result.text async for result in stream if result.is_final])

    return virtual_time.run(main())


def test_a_stream_is_a_span(told: Told) -> None:
    assert transcribe().endswith("word29")
    span = told.spans["transcribe soniox"]
    assert span.parent is not None
    assert span.parent.span_id == told.spans["call"].context.span_id
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == []
    assert span.attributes is not None
    assert span.attributes["debabelizer.provider"] == "soniox"
    assert span.attributes["debabelizer.audio.accepted"] == pytest.approx(11.26, abs=0.5)
    assert span.attributes["debabelizer.audio.lost"] == 0.0
    assert span.attributes["debabelizer.attempts"] == 1


def test_its_figures_are_metrics(told: Told) -> None:
    before = sum(point.value for point in told.points.get("debabelizer.stream.audio", ()))
    transcribe()
    points = told.points
    assert sum(point.value for point in points["debabelizer.stream.audio"]) - before == pytest.approx(11.26, abs=0.5)
    assert {point.value for point in points["debabelizer.stream.audio.lost"]} == {0.0}
    for name in ("duration", "first_word.latency", "final.latency"):
        (point,) = [it for it in points[f"debabelizer.stream.{name}"] if it.attributes == SONIOX]
        assert point.count >= 1, name


def test_a_reconnect_is_told(told: Told) -> None:
    assert transcribe(Fault.reset(at=4.0)).endswith("word29")
    span = told.spans["transcribe soniox"]
    assert [event.name for event in span.events] == ["attempt failed", "reconnected"]
    failed, reconnected = (event.attributes or {} for event in span.events)
    assert failed["error.type"] == "debabelizer.errors.ConnectionLostError"
    assert reconnected["debabelizer.replayed"] > 0.0
    assert span.status.status_code is StatusCode.UNSET
    (point,) = told.points["debabelizer.stream.attempt.failures"]
    assert point.attributes == {**SONIOX, "error.type": "debabelizer.errors.ConnectionLostError"}


def test_a_change_of_provider_is_told_and_what_each_was_given(told: Told) -> None:
    async def main() -> str:
        installed = PluginRegistry.discover()
        soniox = installed.spec("soniox")
        two = PluginRegistry.of(soniox, replace(soniox, name="spare"))
        registry = PluginRegistry(two.rows, installed._plugins)
        fault = Fault.error("organization_balance_exhausted", at=4.0, connections="always")
        async with SonioxSimulator(faults=[fault]) as first, SonioxSimulator() as second:
            tables = {
                name: {"api_key": "test-key", "websocket_url": server.url}
                for name, server in (("soniox", first), ("spare", second))
            }
            config = {"stt": {"provider": ["soniox", "spare"]}, "providers": tables}
            async with VoiceProcessor(config, registry=registry) as processor, processor.transcribe_stream() as stream:
                await stream.send_audio(encode_words(30))
                await stream.end_audio()
                return " ".join([result.text async for result in stream if result.is_final])

    assert virtual_time.run(main()).endswith("word29")
    span = told.spans["transcribe soniox"]
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})["debabelizer.provider"] == "spare"
    assert (span.attributes or {})["debabelizer.provider.changes"] == 1
    (change,) = [event.attributes or {} for event in span.events if event.name == "provider changed"]
    assert 0.0 < change["debabelizer.at"] <= 4.0
    labels = {
        "debabelizer.provider": "spare",
        "debabelizer.provider.previous": "soniox",
        "error.type": "debabelizer.errors.QuotaExceededError",
    }
    assert change.items() >= labels.items()
    (changes,) = told.points["debabelizer.provider.changes"]
    assert (changes.value, changes.attributes) == (1, labels)
    given = {
        point.attributes["debabelizer.provider"]: point.value for point in told.points["debabelizer.provider.audio"]
    }
    assert given["spare"] > 6.0
    assert given["soniox"] > 4.0


def test_a_failure_is_told_and_no_secret(told: Told) -> None:
    with pytest.raises(StreamError):
        transcribe(api_key="wrong-test-key")
    span = told.spans["transcribe soniox"]
    assert span.status.status_code is StatusCode.ERROR
    (event,) = span.events
    assert event.name == "exception"
    assert (event.attributes or {})["exception.type"] == "debabelizer.errors.StreamError"
    assert (span.attributes or {})["error.type"] == "debabelizer.errors.StreamError"
    assert "wrong-test-key" not in span.to_json()
    assert {**SONIOX, "error.type": "debabelizer.errors.StreamError"} in [
        point.attributes for point in told.points["debabelizer.stream.duration"]
    ]


def test_a_stream_that_was_dropped_is_noticed_and_told(told: Told) -> None:
    async def main() -> None:
        async with SonioxSimulator() as server:
            table = {"api_key": "test-key", "websocket_url": server.url}
            async with VoiceProcessor({"stt": {"provider": "soniox"}, "providers": {"soniox": table}}) as processor:
                stream = processor.transcribe_stream()
                await stream.send_audio(encode_words(1))
                await server.wait_until(lambda: bool(server.connections))
                with pytest.warns(ResourceWarning, match="left without being closed"):
                    del stream
                await asyncio.sleep(1.0)

    virtual_time.run(main())
    assert told.spans["transcribe soniox"].end_time is not None
