"""The ways out that places and options name, and what is said of wrong ones."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.errors import UsageError
from harness.otlp.model import Protocol
from harness.relay import certificates
from harness.relay.client import HttpClient
from harness.relay.endpoint import Endpoint
from harness.relay.outlets.file import FileOutlet
from harness.relay.outlets.otlp import OtlpOutlet
from harness.relay.outlets.remote_write import RemoteWriteOutlet
from harness.relay.outlets.scrape import ScrapeOutlet
from harness.relay.ports import free_port
from harness.relay.target import Target
from harness.relay.ways import ways_of

RUNNING = Target((Endpoint("http", "127.0.0.1", 4318),), headers=(("authorization", "Bearer x"),))


def of_command(places: str) -> Target:
    return Target(command=f"collector {places}")


@pytest.fixture
def pems(tmp_path: Path) -> tuple[Path, Path]:
    """Files of a certificate and its key."""
    tls = certificates.server()
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(tls.certificate)
    paths[1].write_bytes(tls.key)
    return paths


def test_both_protocols_end_at_one_outlet(tmp_path: Path) -> None:
    ways = ways_of(of_command("{http_out} {grpc_out} {scrape} {file_out} {write}"), (), tmp_path)
    assert ways.names == ("grpc", "http", "file", "scrape", "write")
    outlets = ways.make()
    assert list(map(type, outlets)) == [OtlpOutlet, FileOutlet, ScrapeOutlet, RemoteWriteOutlet]
    outlets[-1].stop()
    assert ways_of(of_command("{http_out}"), (), tmp_path).names == ("http",)


def test_each_run_has_a_file_of_its_own(tmp_path: Path) -> None:
    ways = ways_of(of_command("{file_out}"), (), tmp_path)
    paths = {str(outlet.placeholders()) for _ in range(3) for outlet in ways.make()}
    assert len(paths) == 3


@pytest.mark.parametrize("asks", [False, True])
def test_what_comes_out_is_taken_with_tls_where_our_authority_is_named(
    tmp_path: Path, asks: bool
) -> None:
    more = " {client_certificate}" * asks
    otlp, write = ways_of(of_command("{http_out} {write} {ca}" + more), (), tmp_path).make()
    with write:
        assert write.placeholders()["write"].startswith("https://")
    body, headers = b"", (("content-type", "application/x-protobuf"),)
    with otlp:
        place = urlsplit(otlp.placeholders()["http_out"])
        assert place.scheme == "https"
        known = Endpoint(
            "http", "127.0.0.1", place.port or 0, tls=certificates.client(certified=True)
        )
        answers = []
        for endpoint in (known, known.uncertified):
            with HttpClient(endpoint) as client:
                answers.append(client.send("/v1/logs", body, headers).status)
    assert answers == [200, None if asks else 200]
    assert otlp.exports()[0].protocol is Protocol.HTTP_PROTOBUF


def test_where_we_listen_with_tls(tmp_path: Path, pems: tuple[Path, Path]) -> None:
    forms = (
        "https://127.0.0.1:{}",
        "grpcs://127.0.0.1:{}",
        "write:https://127.0.0.1:{}/api/v1/write",
    )
    out = tuple(form.format(free_port()) for form in forms)
    ways = ways_of(RUNNING, out, tmp_path, *pems)
    assert ways.names == ("http", "grpc", "write")
    with ExitStack() as stack:
        outlets = [stack.enter_context(outlet) for outlet in ways.make()]
        assert outlets[0].placeholders()["http_out"] == out[0]
        assert f"write:{outlets[2].placeholders()['write']}" == out[2]
    for way in out:
        with pytest.raises(UsageError, match=r"expected --cc-collector-out-cert and"):
            ways_of(RUNNING, (way,), tmp_path)


def test_an_endpoint_is_scraped_as_the_collector_is_asked(tmp_path: Path, guarded_url: str) -> None:
    """With the authority and the headers that the options name."""
    target = Target(
        RUNNING.endpoints,
        headers=(("authorization", "Bearer right"),),
        tls=certificates.client(certified=False),
    )
    (outlet,) = ways_of(target, (f"scrape:{guarded_url}",), tmp_path).make()
    with outlet:
        [export] = outlet.exports()
    assert {point.metric.name for point in export.data_points} == {"up"}


@pytest.mark.parametrize(
    ("out", "complaint"),
    [
        ("grpc://127.0.0.1", "saw 'grpc://127.0.0.1'"),
        ("http://127.0.0.1:none", "saw 'http://127.0.0.1:none'"),
        ("scrape:127.0.0.1:9464", "saw 'scrape:127.0.0.1:9464'"),
        ("write:grpc://127.0.0.1:9090", "saw 'write:grpc://127.0.0.1:9090'"),
        ("file:", "saw 'file:'"),
        ("none", "expected"),
        ("scrape:https://me:secret@127.0.0.1/metrics", "saw a URL with a user name"),
    ],
)
def test_a_way_of_an_unknown_form(tmp_path: Path, out: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=r"--cc-collector-out: expected ") as raised:
        ways_of(RUNNING, (out, "none"), tmp_path)
    assert complaint in str(raised.value)
    assert "secret" not in str(raised.value)


def test_nothing_says_where_anything_comes_out(tmp_path: Path) -> None:
    for target in (RUNNING, of_command("{grpc_in}")):
        with pytest.raises(UsageError, match="saw nothing that says where anything comes out"):
            ways_of(target, (), tmp_path)
        assert ways_of(target, ("none",), tmp_path).make() == ()


def test_files_that_are_no_certificate(tmp_path: Path) -> None:
    path = tmp_path / "certificate.pem"
    path.write_text("no PEM", encoding="utf-8")
    with pytest.raises(UsageError, match=r"certificate\.pem and --cc-collector-out-key="):
        ways_of(RUNNING, ("https://127.0.0.1:1",), tmp_path, path, path)
