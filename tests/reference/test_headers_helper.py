"""Dynamic headers of the emitter: when the helper is asked, what is used of its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

from harness import Collector
from harness.contract.versions import Version
from harness.fakes.helper_stub import install, runs
from harness.otlp.model import Protocol, Signal
from harness.reference.exporters import OtlpExporters
from harness.reference.headers_helper import DynamicHeaders, HelperError, Reports
from harness.reference.versions import Promises

FEBRUARY = Promises.of(Version.parse("2.1.31"))
AUGUST = Promises.of(Version.parse("2.1.240"))

Exporting = Callable[..., LogRecordExporter]

DEBOUNCE = "CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A helper at ``launcher``, and what was reported of it."""

    def __init__(self, folder: Path) -> None:
        self.launcher = folder / "bin" / "headers helper"
        self.folder = folder / "helper"
        self.clock = Clock()
        self.reported: list[str] = []

    def headers(self, printed: object, **options: Any) -> DynamicHeaders:
        plan = {name: options.pop(name) for name in ("status", "padding") if name in options}
        install(self.launcher, self.folder, printed, **plan)
        return DynamicHeaders(
            str(self.launcher), 60.0, self.reported.append, environ={}, clock=self.clock, **options
        )

    @property
    def asked(self) -> int:
        return len(runs(self.folder))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_it_is_asked_again_when_its_answer_has_grown_old(bench: Bench) -> None:
    headers = bench.headers({"x-token": "@"})
    assert bench.asked == 0
    assert headers.current() == {"x-token": "1"}
    bench.clock.now += 59.9
    assert headers.current() == {"x-token": "1"}
    bench.clock.now += 0.1
    assert headers.current() == {"x-token": "2"}
    assert (bench.asked, bench.reported) == (2, [])


def test_after_a_failure_it_is_asked_before_every_export_and_told_once(bench: Bench) -> None:
    headers = bench.headers("{}", status=3)
    assert [headers.current() for _ in range(3)] == [None, None, None]
    assert bench.asked == 3
    assert bench.reported == ["otelHeadersHelper failed: it ended with 3: no headers today"]


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("a word", "it printed no JSON"),
        ('["x-token"]', "JSON that is no object"),
        ({"x-token": 5}, "the value of 'x-token' is no string"),
        ({"x-token": None}, "the value of 'x-token' is no string"),
        ({"x-token": "a\r\nx-injected: 1"}, "no HTTP header"),
        ({"x token": "a"}, "no HTTP header"),
    ],
)
def test_what_is_no_object_of_headers_is_not_used(bench: Bench, printed: object, why: str) -> None:
    assert bench.headers(printed).current() is None
    (line,) = bench.reported
    assert why in line


def test_an_answer_that_no_server_would_take_is_not_used(bench: Bench) -> None:
    assert bench.headers({"x-token": "~"}, padding=100_000).current() is None
    assert "no header may be so long" in bench.reported[0]


def test_a_path_with_spaces_is_a_command_line_to_older_releases(bench: Bench) -> None:
    assert bench.headers({"x-token": "@"}, paths_with_spaces=False).current() is None
    assert bench.asked == 0
    assert bench.reported[0].startswith("otelHeadersHelper failed: it ended with 12")


def test_a_command_line_may_have_arguments(bench: Bench) -> None:
    install(bench.launcher, bench.folder, {"x-token": "@"})
    line = f"'{bench.launcher}' --for 'two words'"
    headers = DynamicHeaders(line, 60.0, bench.reported.append, environ={})
    assert headers.current() == {"x-token": "1"}
    assert runs(bench.folder)[0]["arguments"] == ["--for", "two words"]


@pytest.mark.parametrize("named", ["", "  "])
def test_without_a_helper_there_are_no_dynamic_headers(bench: Bench, named: str) -> None:
    assert DynamicHeaders.of(named, {}, AUGUST, bench.reported.append) is None


@pytest.mark.parametrize(
    ("said", "every_s"), [("250", 0.25), ("0", 0.0), ("", 1740.0), ("soon", 1740.0), ("-5", 1740.0)]
)
def test_the_debounce_is_in_milliseconds(bench: Bench, said: str, every_s: float) -> None:
    headers = DynamicHeaders.of("x", {DEBOUNCE: said}, AUGUST, bench.reported.append)
    assert headers is not None
    assert headers._every_s == every_s


OVER_EACH = pytest.mark.parametrize("protocol", list(Protocol))


@pytest.fixture
def exporting(monkeypatch: pytest.MonkeyPatch) -> Exporting:
    """``exporting(protocol, collector, headers)``: an official exporter of logs."""

    def make(
        protocol: Protocol, collector: Collector, headers: DynamicHeaders | None
    ) -> LogRecordExporter:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint(protocol))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-static=1,x-token=static")
        made: LogRecordExporter = OtlpExporters(headers).make(Signal.LOGS, protocol)
        return made

    return make


@OVER_EACH
def test_exporters_send_them_beside_static_ones(
    bench: Bench, exporting: Exporting, protocol: Protocol
) -> None:
    headers = bench.headers({"X-Token": "number-@"}, over_grpc=True)
    with Collector() as collector:
        exporter = exporting(protocol, collector, headers)
        assert exporter.export([]) is LogRecordExportResult.SUCCESS
        bench.clock.now += 60
        assert exporter.export([]) is LogRecordExportResult.SUCCESS
        exporter.shutdown()
        sent = [(each.header("x-static"), each.header("x-token")) for each in collector.exports]
    assert sent == [("1", "number-1"), ("1", "number-2")]


@OVER_EACH
def test_nothing_is_exported_without_them(
    bench: Bench, exporting: Exporting, protocol: Protocol
) -> None:
    headers = bench.headers("no JSON", over_grpc=True)
    with Collector() as collector:
        exporter = exporting(protocol, collector, headers)
        with pytest.raises(HelperError):
            exporter.export([])
        exporter.shutdown()
        assert collector.exports == ()


@pytest.mark.parametrize(("promises", "used"), [(FEBRUARY, True), (AUGUST, False)])
def test_over_grpc_the_later_document_knows_static_headers_only(
    bench: Bench, exporting: Exporting, promises: Promises, used: bool
) -> None:
    install(bench.launcher, bench.folder, {"x-token": "@"})
    headers = DynamicHeaders.of(f"'{bench.launcher}'", {}, promises, bench.reported.append)
    with Collector() as collector:
        exporter = exporting(Protocol.GRPC, collector, headers)
        assert exporter.export([]) is LogRecordExportResult.SUCCESS
        exporter.shutdown()
        (export,) = collector.exports
    assert export.header("x-token") == ("1" if used else "static")


@pytest.mark.parametrize(
    ("promises", "debug", "interactive", "on_stderr", "logged"),
    [
        (FEBRUARY, True, False, False, 0),
        (AUGUST, False, False, True, 0),
        (AUGUST, True, False, True, 1),
        (AUGUST, True, True, False, 1),
    ],
)
def test_failures_are_reported_where_the_release_promises_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    promises: Promises,
    debug: bool,
    interactive: bool,
    on_stderr: bool,
    logged: int,
) -> None:
    Reports({"HOME": str(tmp_path)}, promises, debug, interactive).tell("it failed")
    assert ("it failed" in capsys.readouterr().err) == on_stderr
    logs: Sequence[Path] = list(tmp_path.rglob("*.txt"))
    assert [path.read_text(encoding="utf-8") for path in logs] == ["it failed\n"] * logged
