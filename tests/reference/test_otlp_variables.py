"""OTLP variables, as the SDK's exporters all understand them."""

from __future__ import annotations

import pytest

from harness.otlp.model import Protocol
from harness.reference.otlp_variables import settle
from harness.reference.settings import Settings

OTLP = "OTEL_EXPORTER_OTLP_"
ON = {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_METRICS_EXPORTER": "otlp"}


def test_what_is_set_to_nothing_is_not_set() -> None:
    environ = {
        f"{OTLP}ENDPOINT": "",
        f"{OTLP}LOGS_HEADERS": " ",
        "OTHER": "",
        f"{OTLP}TIMEOUT": "1",
    }
    settle(environ)
    assert environ == {"OTHER": "", f"{OTLP}TIMEOUT": "1"}


@pytest.mark.parametrize(
    ("general", "logs", "settled"),
    [
        (None, None, {}),
        ("none", None, {}),
        ("gzip", None, {"METRICS": "gzip", "LOGS": "gzip", "TRACES": "gzip"}),
        ("GZIP", "none", {"METRICS": "gzip", "TRACES": "gzip"}),
        (None, "gzip", {"LOGS": "gzip"}),
        ("gzip", "", {"METRICS": "gzip", "LOGS": "gzip", "TRACES": "gzip"}),
    ],
)
def test_compression_is_said_for_each_signal(
    general: str | None, logs: str | None, settled: dict[str, str]
) -> None:
    given = {f"{OTLP}COMPRESSION": general, f"{OTLP}LOGS_COMPRESSION": logs}
    environ = {name: value for name, value in given.items() if value is not None}
    settle(environ)
    assert environ == {f"{OTLP}{signal}_COMPRESSION": value for signal, value in settled.items()}


@pytest.mark.parametrize(
    ("general", "own", "protocol"),
    [
        ("", "", None),
        ("GRPC", "", Protocol.GRPC),
        ("grpc", " Http/Json ", Protocol.HTTP_JSON),
        ("", "http/protobuf", Protocol.HTTP_PROTOBUF),
    ],
)
def test_the_protocol_of_a_signal(general: str, own: str, protocol: Protocol | None) -> None:
    environ = {**ON, f"{OTLP}PROTOCOL": general, f"{OTLP}METRICS_PROTOCOL": own}
    assert Settings.of(environ).metrics_protocol is protocol


def test_an_unknown_protocol_is_ignored_with_a_warning() -> None:
    environ = {**ON, f"{OTLP}PROTOCOL": "grpc", f"{OTLP}METRICS_PROTOCOL": "pigeon"}
    with pytest.warns(UserWarning, match="METRICS_PROTOCOL=pigeon is no protocol"):
        assert Settings.of(environ).metrics_protocol is Protocol.GRPC
