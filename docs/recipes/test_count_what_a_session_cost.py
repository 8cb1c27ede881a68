"""Count what a session cost: the metric, the events, and what the model billed must agree."""

import pytest
from pytest_cc_otel import Say, Usage, UseTool


def test_cost_and_tokens(claude):
    session = claude(
        script=[
            UseTool("Bash", {"command": "date"}, usage=Usage(1200, 80)),
            Say("It is late.", usage=Usage(1300, 20, cache_read_tokens=1000)),
        ],
    )
    counted = sum(point.value for point in session.data_points("claude_code.cost.usage"))
    told = sum(float(event.attributes["cost_usd"]) for event in session.events("api_request"))
    assert counted == pytest.approx(told)
    assert counted > 0

    for kind, field in (("input", "input_tokens"), ("output", "output_tokens")):
        points = session.data_points("claude_code.token.usage", type=kind)
        billed = sum(getattr(call, field) for call in session.truth.api_calls)
        assert sum(point.value for point in points) == billed
