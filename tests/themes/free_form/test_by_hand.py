"""Shell lines that do by hand what a drawn run did, as bash itself reads them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.capture.run import GroundTruth
from harness.judging.items.view import CaptureView
from harness.themes.free_form.by_hand import by_hand, word

needs_bash = pytest.mark.needs("bash")


def in_bash(line: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    return done.stdout.decode("utf-8")


@needs_bash
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=20))
@settings(max_examples=10, deadline=None)
def test_bash_reads_every_word_back(texts: list[str]) -> None:
    line = "printf '%s\\0' " + " ".join(map(word, texts))
    assert in_bash(line).split("\0")[:-1] == texts


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a=b", "a=b"),
        ("a=b c", "'a=b c'"),
        ("it's", "'it'\"'\"'s'"),
        ("a\x01b\n9'é\\", r"$'a\001b\0129\047é\134'"),
        ("", "''"),
    ],
)
def test_a_word_is_as_plain_as_it_can_be(text: str, written: str) -> None:
    assert word(text) == written


SETTINGS = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:12345",
}


def test_attributes_are_shown_on_the_console(viewer: Callable[..., CaptureView]) -> None:
    view = viewer(
        environment={**SETTINGS, "OTEL_RESOURCE_ATTRIBUTES": "a=x y"},
        truth=GroundTruth(prompts=("Go.",)),
    )
    assert by_hand(view.run) == (
        "CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_METRICS_EXPORTER=console "
        "OTEL_LOGS_EXPORTER=console OTEL_RESOURCE_ATTRIBUTES='a=x y' claude -p Go."
    )


def test_headers_are_shown_by_a_collector(viewer: Callable[..., CaptureView]) -> None:
    view = viewer(environment={**SETTINGS, "OTEL_EXPORTER_OTLP_HEADERS": "x-a=1"})
    assert by_hand(view.run) == (
        "CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_METRICS_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp "
        "OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 "
        "OTEL_EXPORTER_OTLP_HEADERS=x-a=1 claude -p Go."
    )


def test_what_plays_no_part_is_left_out(viewer: Callable[..., CaptureView]) -> None:
    drawn = {"OTEL_RESOURCE_ATTRIBUTES": "a=x y", "OTEL_EXPORTER_OTLP_HEADERS": "x-a=1"}
    run = viewer(environment=drawn, truth=GroundTruth(prompts=("Go. \x01",))).run
    attributes = by_hand(run, "custom_attributes")
    assert "OTEL_RESOURCE_ATTRIBUTES='a=x y'" in attributes
    assert "HEADERS" not in attributes
    assert attributes.endswith("claude -p Go.")
    headers = by_hand(run, "static_headers")
    assert "OTEL_EXPORTER_OTLP_HEADERS=x-a=1" in headers
    assert "ATTRIBUTES" not in headers
    assert by_hand(run).endswith("claude -p $'Go. \\001'")
