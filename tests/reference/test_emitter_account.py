"""Whom the emitter reports for: the account, with its sources and switches."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from harness.collector.collector import Collector
from harness.fakes.messages_api import MessagesApi
from harness.otlp.model import Attributes, Protocol
from harness.reference.client import MessagesClient
from harness.running.drive import telemetry_settings
from harness.subject.binary import resolve
from harness.subject.headless import run_headless
from harness.subject.sandbox import Sandbox

FEBRUARY = "2.1.31"
AUGUST = "2.1.240"
ACCOUNT = {
    "accountUuid": "b9d4c4de-2f3a-4c77-9e0a-6a5b1c2d3e4f",
    "organizationUuid": "0d8e2b60-1111-4222-8333-444455556666",
    "emailAddress": "ada@example.com",
}
SIGNED_IN = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "a-token"}
IN_VARIABLES = {
    "CLAUDE_CODE_ACCOUNT_UUID": ACCOUNT["accountUuid"],
    "CLAUDE_CODE_ORGANIZATION_UUID": ACCOUNT["organizationUuid"],
    "CLAUDE_CODE_USER_EMAIL": ACCOUNT["emailAddress"],
}
OF_FEBRUARY = {
    "user.account_uuid": ACCOUNT["accountUuid"],
    "organization.id": ACCOUNT["organizationUuid"],
}
NAMES = ("user.account_uuid", "organization.id", "user.email", "user.account_id")


def exported_account(
    env: Mapping[str, str], *, version: str = AUGUST, kept: bool = True
) -> dict[str, object]:
    """The account on every data point and event alike; ``kept``: HOME knows one."""
    found: list[Attributes] = []
    with Collector() as collector, Sandbox() as sandbox, MessagesApi([], prompts=["x"]) as api:
        if kept:
            (sandbox.home / ".claude.json").write_text(
                json.dumps({"oauthAccount": ACCOUNT}), encoding="utf-8"
            )
        settings = telemetry_settings(Protocol.GRPC, collector.endpoint(Protocol.GRPC))
        done = run_headless(
            resolve(f"reference:{version}", progress=print),
            sandbox,
            "x",
            api_url=api.base_url,
            env={**settings, **env},
        )
        assert (done.exit_code, done.stderr) == (0, "")
        for export in collector.exports:
            found += [each.attributes for each in export.data_points]
            found += [each.attributes for each in export.events]
    assert len(found) > 5
    accounts: list[dict[str, object]] = [
        {name: each[name] for name in NAMES if name in each} for each in found
    ]
    assert all(each == accounts[0] for each in accounts)
    return accounts[0]


@pytest.mark.parametrize(
    ("version", "env", "more"),
    [
        (FEBRUARY, SIGNED_IN, {}),
        ("2.1.51", IN_VARIABLES, {"user.email": ACCOUNT["emailAddress"]}),
        ("2.1.85", SIGNED_IN, {"user.email": ACCOUNT["emailAddress"]}),
    ],
)
def test_before_the_tagged_id(version: str, env: dict[str, str], more: dict[str, str]) -> None:
    assert exported_account(env, version=version) == {**OF_FEBRUARY, **more}


@pytest.mark.parametrize(
    ("version", "env"), [(AUGUST, SIGNED_IN), (AUGUST, IN_VARIABLES), ("2.1.86", SIGNED_IN)]
)
def test_with_the_tagged_id(version: str, env: dict[str, str]) -> None:
    account = exported_account(env, version=version)

    tagged = account.pop("user.account_id")
    assert re.fullmatch(r"user_01[1-9A-HJ-NP-Za-km-z]{22}", str(tagged))
    assert account == {**OF_FEBRUARY, "user.email": ACCOUNT["emailAddress"]}
    assert exported_account(env, version=version)["user.account_id"] == tagged


@pytest.mark.parametrize(
    ("version", "env", "kept"),
    [
        (AUGUST, {"CLAUDE_CODE_OAUTH_TOKEN": "a-token"}, True),  # the key of the sandbox counts
        (AUGUST, {"ANTHROPIC_API_KEY": ""}, True),
        (AUGUST, SIGNED_IN, False),
        ("2.1.50", IN_VARIABLES, True),
    ],
)
def test_no_account(version: str, env: dict[str, str], kept: bool) -> None:
    assert exported_account(env, version=version, kept=kept) == {}


def test_the_switch_takes_off_both_ids() -> None:
    account = exported_account({**SIGNED_IN, "OTEL_METRICS_INCLUDE_ACCOUNT_UUID": "false"})

    assert set(account) == {"organization.id", "user.email"}


@pytest.mark.parametrize(
    ("env", "sent"),
    [
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t", "ANTHROPIC_API_KEY": ""}, ("Authorization", "Bearer t")),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "t", "ANTHROPIC_API_KEY": "k"}, ("x-api-key", "k")),
        ({"ANTHROPIC_API_KEY": "k"}, ("x-api-key", "k")),
    ],
)
def test_how_the_request_is_authorised(env: dict[str, str], sent: tuple[str, str]) -> None:
    environ = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", **env}
    client = MessagesClient(environ, session_id="s", version=AUGUST, entrypoint="cli")

    names = ("Authorization", "x-api-key")
    assert [(n, v) for n, v in client._headers.items() if n in names] == [sent]
