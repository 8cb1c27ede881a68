"""Audit tools: which tools ran, who allowed it, and how each ended."""

from pytest_cc_otel import Say, UseTool


def test_what_ran_is_told(claude):
    session = claude(
        script=[
            UseTool("Bash", {"command": "echo fine"}),
            UseTool("Bash", {"command": "exit 3"}),
            Say("One of them failed."),
        ],
    )
    worked = session.event("tool_result", tool_name="Bash", success="true")
    failed = session.event("tool_result", tool_name="Bash", success="false")
    assert worked.attributes["tool_use_id"] != failed.attributes["tool_use_id"]
    assert [run.ok for run in session.truth.tool_runs] == [True, False]
    decisions = session.events("tool_decision", tool_name="Bash")
    assert [event.attributes["decision"] for event in decisions] == ["accept", "accept"]
