"""Sessions with an account, in different terminals, and with the switches of cardinality."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage

#: An invented account, in the form in which the CLI keeps one.
_ACCOUNT = {
    "accountUuid": "6f1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
    "emailAddress": "ada@example.com",
    "organizationUuid": "0a1b2c3d-1111-4222-8333-444455556666",
}

#: With an API key the CLI knows of no account; the token opens nothing.
_SIGNED_IN = {
    "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-opens-no-door-RzqWkYvTmHxJpLsN",
    "ANTHROPIC_API_KEY": "",
}

_SWITCHES = ("SESSION_ID", "VERSION", "ACCOUNT_UUID", "ENTRYPOINT")


def _sign_in(stage: Stage) -> Sequence[str]:
    path = stage.home / ".claude.json"
    path.write_text(json.dumps({"oauthAccount": _ACCOUNT}), encoding="utf-8")
    return ()


def _identity(
    name: str, description: str, environment: Mapping[str, str], protocol: Protocol
) -> Scenario:
    return Scenario(
        name=name,
        description=f"A session with an account, {description}",
        prompt="Who am I?",
        script=(
            UseTool("Bash", {"command": "true", "description": "Do nothing"}),
            Say("Somebody."),
        ),
        environment={**_SIGNED_IN, **environment},
        prepare=_sign_in,
        account={
            "user.account_uuid": _ACCOUNT["accountUuid"],
            "user.email": _ACCOUNT["emailAddress"],
            "organization.id": _ACCOUNT["organizationUuid"],
        },
        protocols=(protocol,),
    )


def _switched(value: str) -> dict[str, str]:
    return {f"OTEL_METRICS_INCLUDE_{switch}": value for switch in _SWITCHES}


IDENTITIES = (
    _identity(
        "identity",
        "the variables for cardinality at their defaults, in iTerm",
        {"TERM_PROGRAM": "iTerm.app"},
        Protocol.HTTP_JSON,
    ),
    _identity(
        "identity_included",
        "every variable for cardinality true, in VS Code",
        {**_switched("true"), "TERM_PROGRAM": "vscode"},
        Protocol.HTTP_PROTOBUF,
    ),
    _identity(
        "identity_left_out",
        "every variable for cardinality false, in Cursor",
        {**_switched("false"), "CURSOR_TRACE_ID": "0123456789abcdef"},
        Protocol.GRPC,
    ),
)

CUMULATIVE = Scenario(
    name="cumulative",
    expected_s=2.0,
    description="A session in tmux that exports often, with cumulative sums",
    prompt="Add up.",
    script=(
        *[UseTool("Bash", {"command": "sleep 0.4", "description": "Wait"})] * 3,
        Say("Added."),
    ),
    environment={
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative",
        "OTEL_METRIC_EXPORT_INTERVAL": "300",
        "TMUX": "/tmp/tmux-0/default,1,0",
    },
    protocols=(Protocol.HTTP_JSON,),
)

FREQUENT = Scenario(
    name="frequent",
    expected_s=2.0,
    description="A session that exports often, with the default temporality",
    prompt="Add up.",
    script=CUMULATIVE.script,
    environment={"OTEL_METRIC_EXPORT_INTERVAL": "300"},
    protocols=(Protocol.GRPC,),
)
