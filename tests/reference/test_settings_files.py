"""Which settings file is heard, and what a managed variable takes away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.contract.versions import Version
from harness.reference.settings_files import Levels, apply, read
from harness.reference.versions import Promises

FEBRUARY = Promises.of(Version.parse("2.1.31"))
BEFORE_FRAGMENTS = Promises.of(Version.parse("2.1.82"))
FRAGMENTS = Promises.of(Version.parse("2.1.83"))
BEFORE_LOCKS = Promises.of(Version.parse("2.1.216"))
AUGUST = Promises.of(Version.parse("2.1.240"))

OTLP = "OTEL_EXPORTER_OTLP_"

Write = Callable[..., Levels]


@pytest.fixture
def levels(tmp_path: Path) -> Write:
    """``levels(user=…, project=…, local=…, managed=…, fragments=…, command_line=…)``."""
    folders = {name: tmp_path / name for name in ("home", "work", "managed")}
    files = {
        "user": folders["home"] / ".claude" / "settings.json",
        "project": folders["work"] / ".claude" / "settings.json",
        "local": folders["work"] / ".claude" / "settings.local.json",
        "managed": folders["managed"] / "managed-settings.json",
    }

    def write(
        command_line: str = "", fragments: Mapping[str, Any] | None = None, **contents: Any
    ) -> Levels:
        paths = {files[name]: content for name, content in contents.items()}
        for name, content in (fragments or {}).items():
            paths[folders["managed"] / "managed-settings.d" / f"{name}.json"] = content
        for path, content in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else json.dumps(content)
            path.write_text(text, encoding="utf-8")
        environ = {"HOME": str(folders["home"])}
        return read(environ, folders["work"], command_line, folders["managed"])

    return write


def applied(levels: Levels, promises: Promises = AUGUST, /, **environ: str) -> dict[str, str]:
    found = dict(environ)
    apply(levels, found, promises)
    return found


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (("user",), "user"),
        (("user", "project"), "project"),
        (("project", "local"), "local"),
        (("local", "command_line"), "command_line"),
        (("user", "managed"), "managed"),
    ],
)
def test_of_two_levels_the_higher_one_counts(
    levels: Write, said: tuple[str, ...], heard: str
) -> None:
    contents: dict[str, Any] = {name: {"env": {"A": name}} for name in said}
    if "command_line" in contents:
        contents["command_line"] = json.dumps(contents["command_line"])
    assert applied(levels(**contents), A="environment") == {"A": heard}


def test_settings_on_the_command_line_may_be_a_file(levels: Write, tmp_path: Path) -> None:
    path = tmp_path / "more.json"
    path.write_text(json.dumps({"env": {"A": "1"}}), encoding="utf-8")
    assert applied(levels(command_line=str(path))) == {"A": "1"}


def test_fragments_are_read_by_name_from_the_release_that_has_them(levels: Write) -> None:
    found = levels(
        managed={"env": {"A": "main"}},
        fragments={"20-b": {"env": {"A": "second"}}, "10-a": {"env": {"A": "first"}}},
    )
    assert applied(found)["A"] == "second"
    assert applied(found, FRAGMENTS)["A"] == "second"
    assert applied(found, BEFORE_FRAGMENTS)["A"] == "main"


@pytest.mark.parametrize("broken", ["{", "[1]", "null", ""])
def test_what_is_no_object_is_as_if_it_were_not_there(levels: Write, broken: str) -> None:
    found = levels(user={"env": {"A": "1"}}, project=broken, managed=broken)
    assert applied(found) == {"A": "1"}


def test_other_settings_are_merged_like_variables(levels: Write) -> None:
    found = levels(
        user={"otelHeadersHelper": "of-the-user", "model": "m"},
        local={"otelHeadersHelper": "of-the-project"},
    )
    merged = found.merged(AUGUST)
    assert merged["otelHeadersHelper"] == "of-the-project"
    assert merged["model"] == "m"


def test_lists_are_joined_and_objects_merged(levels: Write) -> None:
    found = levels(
        user={"permissions": {"allow": ["a", "b"], "mode": "x"}},
        project={"permissions": {"allow": ["b", "c"], "deny": ["d"]}},
        managed={"otelHeadersHelper": "of-the-company"},
    )
    assert found.merged(AUGUST) == {
        "permissions": {"allow": ["a", "b", "c"], "mode": "x", "deny": ["d"]},
        "otelHeadersHelper": "of-the-company",
    }
    assert found.administered(AUGUST) == {"otelHeadersHelper": "of-the-company"}


@pytest.mark.parametrize("env", [None, ["A"], {"A": 1, "B": None}])
def test_what_is_no_text_is_no_variable(levels: Write, env: object) -> None:
    assert applied(levels(user={"env": env}), A="environment") == {"A": "environment"}


def test_the_users_settings_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"env": {"A": "1"}}', encoding="utf-8")
    environ = {"HOME": "/nowhere", "CLAUDE_CONFIG_DIR": str(tmp_path)}
    nothing = tmp_path / "nothing"
    assert applied(read(environ, nothing, managed=nothing)) == {"A": "1"}


def test_a_managed_endpoint_takes_away_those_of_single_signals(levels: Write) -> None:
    found = levels(managed={"env": {f"{OTLP}ENDPOINT": "m"}})
    environ = {f"{OTLP}LOGS_ENDPOINT": "u", f"{OTLP}LOGS_PROTOCOL": "grpc", "A": "1"}
    kept = {f"{OTLP}ENDPOINT": "m", f"{OTLP}LOGS_PROTOCOL": "grpc", "A": "1"}
    assert applied(found, **environ) == kept
    assert applied(found, BEFORE_LOCKS, **environ) == environ | {f"{OTLP}ENDPOINT": "m"}


def test_a_managed_protocol_takes_away_those_of_single_signals(levels: Write) -> None:
    found = levels(managed={"env": {f"{OTLP}PROTOCOL": "grpc"}})
    environ = {f"{OTLP}METRICS_PROTOCOL": "http/json", f"{OTLP}METRICS_ENDPOINT": "u"}
    assert applied(found, **environ) == {
        f"{OTLP}PROTOCOL": "grpc",
        f"{OTLP}METRICS_ENDPOINT": "u",
    }


@pytest.mark.parametrize("credential", ["HEADERS", "CLIENT_KEY", "CLIENT_CERTIFICATE"])
def test_managed_credentials_reach_no_endpoint_of_a_developer(
    levels: Write, credential: str
) -> None:
    found = levels(managed={"env": {f"{OTLP}{credential}": "secret", f"{OTLP}LOGS_ENDPOINT": "m"}})
    environ = {
        f"{OTLP}ENDPOINT": "u",
        f"{OTLP}METRICS_ENDPOINT": "u",
        f"{OTLP}METRICS_{credential}": "u",
        "OTEL_METRICS_EXPORTER": "console",
    }
    assert applied(found, **environ) == {
        f"{OTLP}{credential}": "secret",
        f"{OTLP}LOGS_ENDPOINT": "m",
        "OTEL_METRICS_EXPORTER": "console",
    }


def test_a_managed_credential_of_one_signal_takes_its_endpoint(levels: Write) -> None:
    found = levels(managed={"env": {f"{OTLP}METRICS_HEADERS": "secret"}})
    environ = {f"{OTLP}METRICS_ENDPOINT": "u", f"{OTLP}LOGS_ENDPOINT": "u"}
    assert applied(found, **environ) == {
        f"{OTLP}METRICS_HEADERS": "secret",
        f"{OTLP}LOGS_ENDPOINT": "u",
    }


def test_before_there_were_locks_nothing_is_taken_away(levels: Write) -> None:
    found = levels(managed={"env": {f"{OTLP}HEADERS": "secret"}})
    assert applied(found, FEBRUARY, **{f"{OTLP}ENDPOINT": "u"}) == {
        f"{OTLP}ENDPOINT": "u",
        f"{OTLP}HEADERS": "secret",
    }


@pytest.mark.parametrize("level", ["project", "local"])
@pytest.mark.parametrize(
    ("name", "value", "heard"),
    [
        ("CLAUDE_CODE_ENABLE_TELEMETRY", "1", False),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://elsewhere:4318", False),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-level=project", False),
        ("OTEL_LOG_USER_PROMPTS", "1", False),
        ("OTEL_METRICS_EXPORTER", "otlp", False),
        ("OTEL_METRICS_EXPORTER", "none", True),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=1", True),
    ],
)
def test_a_repository_may_switch_off_and_no_more(
    levels: Write, level: str, name: str, value: str, heard: bool
) -> None:
    def of(release: str) -> dict[str, str]:
        promises = Promises.of(Version.parse(release))
        return applied(levels(**{level: {"env": {name: value}}}), promises)

    assert of("2.1.281") == {name: value}
    assert of("2.1.282") == ({name: value} if heard else {})
