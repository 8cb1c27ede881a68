"""The intervals that the emitter takes from its environment."""

from __future__ import annotations

import pytest

from harness.reference.settings import Settings

METRICS = "OTEL_METRIC_EXPORT_INTERVAL"
LOGS = "OTEL_LOGS_EXPORT_INTERVAL"
TRACES = "OTEL_TRACES_EXPORT_INTERVAL"


def intervals_ms(settings: Settings) -> tuple[float, float, float]:
    return settings.metrics_interval_ms, settings.logs_interval_ms, settings.traces_interval_ms


def test_defaults_and_configured_values() -> None:
    assert intervals_ms(Settings.of({})) == (60_000, 5_000, 5_000)
    assert intervals_ms(Settings.of({METRICS: "", LOGS: "", TRACES: ""})) == (60_000, 5_000, 5_000)
    assert intervals_ms(Settings.of({METRICS: "7", LOGS: "8.5", TRACES: "9"})) == (7, 8.5, 9)


@pytest.mark.parametrize("value", ["soon", "5s", "-100", "0", "nan", "inf"])
def test_what_is_no_interval_is_ignored_with_a_warning(value: str) -> None:
    with pytest.warns(UserWarning, match=f"INTERVAL={value} is no interval") as warned:
        settings = Settings.of({METRICS: value, LOGS: value, TRACES: value})
    assert intervals_ms(settings) == (60_000, 5_000, 5_000)
    assert len(warned) == 3
