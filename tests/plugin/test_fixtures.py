from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]


def test_a_collector_for_each_test(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        """
        import urllib.error
        import urllib.request

        import pytest

        SEEN = []

        def post(collector, body=b"{}"):
            request = urllib.request.Request(
                collector.http_endpoint + "/v1/logs", body, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request) as answer:
                return answer.read()

        def test_it_collects(otlp_collector):
            assert post(otlp_collector) == b"{}"
            (export,) = otlp_collector.wait_for_exports(1, deadline_s=120)
            assert export.signal == "logs"
            SEEN.append(otlp_collector)

        def test_the_next_one_is_another(otlp_collector):
            assert otlp_collector.exports == ()
            assert otlp_collector is not SEEN[0]
            with pytest.raises(urllib.error.URLError):
                post(SEEN[0])

        def test_several(make_otlp_collector):
            one, two = make_otlp_collector(), make_otlp_collector(max_body_bytes=8)
            assert one.http_endpoint != two.http_endpoint
            with pytest.raises(urllib.error.HTTPError, match="413") as raised:
                post(two, b'{"resourceLogs": []}')
            raised.value.close()
            assert two.exports[0].rejected

        class TestOptions:
            @pytest.fixture
            def otlp_collector_options(self):
                return {"max_body_bytes": 8}

            def test_override(self, otlp_collector):
                with pytest.raises(urllib.error.HTTPError, match="413") as raised:
                    post(otlp_collector, b'{"resourceLogs": []}')
                raised.value.close()
        """
    )
    run().assert_outcomes(passed=4)


def test_claude_runs_sessions(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        """
        import pytest

        from harness.errors import UsageError
        from harness.fakes.script import Say, UseTool

        def test_a_session(claude):
            session = claude(
                prompt="Read it.",
                script=[UseTool("Bash", {"command": "cat notes.txt"}), Say("Read.")],
                protocol="http/protobuf",
                env={"OTEL_LOG_USER_PROMPTS": "1"},
                files={"notes.txt": "remember"},
            )
            assert session.completed.exit_code == 0
            (prompt,) = session.events("user_prompt")
            assert prompt.attributes["prompt"] == "Read it."
            billed = sum(call.input_tokens for call in session.truth.api_calls)
            points = session.data_points("claude_code.token.usage", type="input")
            assert sum(point.value for point in points) == billed > 0
            assert {export.protocol for export in session.exports} == {"http/protobuf"}
            assert session.truth.tool_runs[0].ok
            assert session.capture.exports == session.exports

        def test_defaults(claude):
            session = claude()
            assert session.events("api_request")
            assert {export.protocol for export in session.exports} == {"http/json"}

        def test_wrong_protocol(claude):
            with pytest.raises(UsageError, match="expected one of grpc, http/protobuf, http/json"):
                claude(protocol="http")
        """
    )
    result = run("--cc-binary=reference", Path("test_claude_runs_sessions.py"))
    result.assert_outcomes(passed=3)
    assert "claude telemetry" not in result.stdout.str()


def test_claude_needs_the_option(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile("def test_a_session(claude): raise AssertionError('it ran')")
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["this test drives a claude: expected --cc-binary=SPEC *"])
    assert "Traceback" not in result.stdout.str()
    assert "_fixtures.py" not in result.stdout.str()


def test_claude_of_ones_own(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makeconftest(
        """
        import pytest
        from harness.subject.binary import resolve

        @pytest.fixture(scope="session")
        def cc_binary():
            return resolve("reference:2.1.31", progress=print)
        """
    )
    pytester.makepyfile(
        """
        def test_a_session(claude):
            assert claude().completed.subject.version == "2.1.31"
        """
    )
    run().assert_outcomes(passed=1)


def test_fixtures_explain_themselves(run: Run) -> None:
    result = run("--fixtures")
    for name in (
        "otlp_collector_options",
        "make_otlp_collector",
        "otlp_collector",
        "cc_binary",
        "claude",
    ):
        # Without a docstring, pytest says so in lower case.
        result.stdout.fnmatch_lines([f"{name} *fixtures.py:*", "    [A-Z]*"], consecutive=True)
