"""A collector of ours that is told certificates, keys and a token by its configuration."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.relay.client import HttpClient
from harness.relay.endpoint import ClientTls, Endpoint
from harness.relay.target import Target, started

SCRIPT = Path(__file__).with_name("guarded.py")
PLACES = {
    "http": "${cc:http_in}",
    "certificate": "${cc:certificate}",
    "key": "${cc:key}",
    "client_ca": "${cc:client_ca}",
    "token": "${cc:token}",
}


def target(tmp_path: Path, places: dict[str, str]) -> Target:
    config = tmp_path / "config.json"
    return Target(
        command=f"{sys.executable} {SCRIPT} {{config}}",
        config=json.dumps(places),
        config_file=config,
    )


def status(endpoint: Endpoint, *, anonymous: bool = False) -> tuple[int | None, str]:
    with HttpClient(endpoint) as client:
        answer = client.send("/v1/logs", b"", anonymous=anonymous)
        return answer.status, answer.error


def test_a_collector_that_asks_who_we_are(tmp_path: Path) -> None:
    with started(target(tmp_path, PLACES), ()) as collector:
        (endpoint,) = collector.endpoints
        assert endpoint.url.startswith("https://127.0.0.1:")
        assert [name for name, _ in endpoint.credentials] == ["authorization"]
        assert status(endpoint) == (200, "")
        assert status(endpoint, anonymous=True) == (401, "")
        assert status(endpoint.uncertified)[0] is None
        assert "CERTIFICATE_VERIFY_FAILED" in status(replace(endpoint, tls=ClientTls()))[1]
        assert collector.stop() == ""


def test_a_place_that_does_not_exist(tmp_path: Path) -> None:
    unknown = {**PLACES, "token": "${cc:password}"}
    with (
        pytest.raises(UsageError, match=r"saw \$\{cc:password\}"),
        started(target(tmp_path, unknown), ()),
    ):
        pass
