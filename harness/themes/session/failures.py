"""Sessions in which the API fails, or the collector refuses the first export."""

from __future__ import annotations

from ...capture.export import MAIN
from ...fakes.script import CutOff, Fail, HangUp, Say, UseTool
from ...otlp.model import Protocol
from ...running.responders import refuses_the_first
from ...running.scenario import A_CUT_STREAM, PATIENCE, Scenario
from ...running.stage import Backend

#: One retry: the pause before it is about 0.6 s, and nothing shortens it in every release.
_ONE_RETRY = {"CLAUDE_CODE_MAX_RETRIES": "1"}

API_FAILURES = Scenario(
    name="api_failures",
    expected_s=9.0,
    description=(
        "A conversation in which the API answers 400, 401, 429, 500 and 529, answers "
        "one request after a 529, and closes a connection without an answer"
    ),
    prompts=(
        "This will be a bad request.",
        "This will not be authorized.",
        "This will be too much.",
        "This will fail inside.",
        "This will be too early.",
        "This will pass at the second attempt.",
        "This will get no answer.",
        "This will work.",
    ),
    script=(
        Fail(400, "scripted: a bad request", "invalid_request_error", times=None),
        Fail(401, "scripted: who are you", "authentication_error", times=None),
        Fail(429, "scripted: too many requests", "rate_limit_error", times=None),
        Fail(500, "scripted: inside", "api_error", times=None),
        Fail(529, "scripted: overloaded", "overloaded_error", times=None),
        Fail(529, "scripted: overloaded once", "overloaded_error", times=1),
        Say("It passed."),
        HangUp(),
        Say("It worked."),
    ),
    environment=_ONE_RETRY,
    protocols=(Protocol.HTTP_PROTOBUF,),
)

API_UNREACHABLE = Scenario(
    name="api_unreachable",
    description="A session in which nothing listens where the API should be",
    prompt="Is anybody there?",
    environment=_ONE_RETRY,
    api_unreachable=True,
    protocols=(Protocol.GRPC,),
)

CUT_STREAM = Scenario(
    name="cut_stream",
    description="A session in which an answer breaks off in the middle of its stream",
    prompt="Tell me a long story.",
    traits=(A_CUT_STREAM,),
    script=(CutOff("Once upon a"), Say("Once upon a time there was an end.")),
    environment=_ONE_RETRY,
    protocols=(Protocol.HTTP_JSON,),
)

USAGE_FRAMES = Scenario(
    name="usage_frames",
    description="A session in which the API tells the usage of each answer in three frames",
    prompt="Count on.",
    script=(UseTool("Bash", {"command": "true", "description": "Do nothing"}), Say("Counted.")),
    usage_frames=3,
    protocols=(Protocol.GRPC,),
)

RETRIED_EXPORT = Scenario(
    name="retried_export",
    description="A session whose first export of each signal is refused with 503",
    prompt="Be counted once.",
    script=(UseTool("Bash", {"command": "true", "description": "Do nothing"}), Say("Counted.")),
    environment=PATIENCE,  # what was refused is sent again only after a pause
    backends={MAIN: Backend(responder=refuses_the_first)},
    protocols=(Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON),
)
