"""Where the trace of a caller goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.drift.facts import Fact, Topic
from harness.themes.trace_context.facts import goes_on
from harness.themes.trace_context.measures import trace_context
from harness.themes.trace_context.observed import TraceContexts

if TYPE_CHECKING:
    from tests.conftest import Viewer

OURS, OTHER = "ab" * 16, "cd" * 16
CALLER, SPAN, TOOL = "11" * 8, "22" * 8, "33" * 8
INTERACTION = "claude_code.interaction"


def measured(viewer: Viewer, spans: list[dict[str, Any]], **handed_on: Any) -> dict[str, Any]:
    contexts = TraceContexts(
        handed_on.get("to_command", ""), handed_on.get("with_requests", ()), ()
    )
    view = viewer(
        spans=spans,
        environment={"TRACEPARENT": f"00-{OURS}-{CALLER}-01"},
        observed=as_observed(contexts),
    )
    return {
        item.view["bearer"]: (item.view["same_trace"], item.view["spans"])
        for item in trace_context(view.capture)
    }


def span(name: str, trace_id: str, span_id: str, parent: str = "") -> dict[str, Any]:
    return {"name": name, "trace_id": trace_id, "span_id": span_id, "parent_span_id": parent}


@pytest.mark.parametrize(
    ("trace_id", "parent", "wanted"),
    [
        (OURS, CALLER, (True, ["the caller"])),
        (OTHER, "", (False, ["nobody"])),
        (OURS, "44" * 8, (True, ["an unknown span"])),
    ],
    ids=["child", "apart", "of another span"],
)
def test_whose_child_the_interaction_is(
    viewer: Viewer, trace_id: str, parent: str, wanted: tuple[bool, list[str]]
) -> None:
    found = measured(viewer, [span(INTERACTION, trace_id, SPAN, parent)])
    assert found["interaction"] == wanted


def test_what_is_handed_on_names_spans_of_the_session(viewer: Viewer) -> None:
    spans = [
        span(INTERACTION, OURS, SPAN, CALLER),
        span("claude_code.tool.execution", OURS, TOOL, SPAN),
    ]
    found = measured(
        viewer,
        spans,
        to_command=f"00-{OURS}-{TOOL}-01",
        with_requests=(f"00-{OURS}-{CALLER}-01", ""),
    )
    assert found["command"] == (True, ["claude_code.tool.execution"])
    assert found["request"] == (False, ["nobody", "the caller"])


def test_a_lost_interaction_goes_on_with_nothing(viewer: Viewer) -> None:
    found = measured(viewer, [span("claude_code.llm_request", OURS, SPAN, CALLER)])
    assert found["interaction"][1] == []


def test_a_session_without_spans_says_nothing(viewer: Viewer) -> None:
    assert measured(viewer, []) == {}


def test_the_inventory_has_whose_trace_goes_on(viewer: Viewer) -> None:
    contexts = TraceContexts(f"00-{OTHER}-{TOOL}-01", (f"00-{OURS}-{CALLER}-01",), ())
    view = viewer(
        spans=[span(INTERACTION, OURS, SPAN, CALLER)],
        environment={"TRACEPARENT": f"00-{OURS}-{CALLER}-01"},
        observed=as_observed(contexts),
    )
    assert list(goes_on(view.capture)) == [
        Fact(Topic.TRACE, "context of interaction", "in the caller's trace, below the caller"),
        Fact(Topic.TRACE, "context of command", "in another trace, below an unknown span"),
        Fact(Topic.TRACE, "context of request", "in the caller's trace"),
    ]
