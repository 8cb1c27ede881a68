"""What --cc-collector takes, and how it says what it does not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.otlp.model import Protocol
from harness.relay.endpoint import ClientTls, Endpoint, parse_endpoints


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grpc://h:1", [("grpc", "h", 1, "", False)]),
        ("grpcs://h:1/", [("grpc", "h", 1, "", True)]),
        ("http://h:2", [("http", "h", 2, "", False)]),
        ("http://h:2/in/otlp/", [("http", "h", 2, "/in/otlp", False)]),
        ("https://h/base", [("http", "h", 443, "/base", True)]),
        ("http://h", [("http", "h", 80, "", False)]),
        ("http://[::1]:2", [("http", "::1", 2, "", False)]),
        ("grpc://a:1, http://b:2", [("grpc", "a", 1, "", False), ("http", "b", 2, "", False)]),
        ("grpc+http://h:3", [("grpc", "h", 3, "", False), ("http", "h", 3, "", False)]),
        ("grpcs+https://h:3", [("grpc", "h", 3, "", True), ("http", "h", 3, "", True)]),
    ],
)
def test_the_forms_of_the_option(text: str, expected: list[tuple[object, ...]]) -> None:
    assert [
        (each.transport, each.host, each.port, each.base_path, each.tls is not None)
        for each in parse_endpoints(text)
    ] == expected


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "''"),
        ("localhost:4318", "'localhost:4318'"),
        ("tcp://h:1", "'tcp://h:1'"),
        ("grpc://h", "'grpc://h' without a port"),
        ("http://:4318", "'http://:4318' without a host"),
        ("http://h:0", "'http://h:0' without a port"),
        ("http://h:99999", "'http://h:99999' (Port out of range 0-65535)"),
        ("http://h:x", "'http://h:x' (Port could not be cast to integer value as 'x')"),
        ("grpc://h:1/base", "'grpc://h:1/base' with a path, which gRPC cannot have"),
        ("grpc+http://h:1/b", "'grpc+http://h:1/b' with a path, which gRPC cannot have"),
        ("http://h:1/v1/logs", "'http://h:1/v1/logs', the path of one signal"),
        ("http://h:1?x=1", "'http://h:1?x=1' with a query or fragment"),
        (
            "http://me:secret@h:1",
            "a URL with a user name; credentials are given as a header",
        ),
        ("http://a:1,https://b:2", "2 URLs for http in 'http://a:1,https://b:2'"),
    ],
)
def test_what_it_does_not_take(text: str, seen: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_endpoints(text)
    assert caught.value.seen == seen
    assert caught.value.change == "--cc-collector"
    assert "grpc+http://host:port" in caught.value.expected


def test_tls_and_headers_go_where_they_belong() -> None:
    tls = ClientTls(ca=b"-")
    plain, secured = parse_endpoints("grpc://h:1,https://h:2", tls=tls, headers=(("a", "b"),))
    assert (plain.tls, secured.tls) == (None, tls)
    assert plain.headers == secured.headers == (("a", "b"),)


def test_an_endpoint_speaks_of_itself() -> None:
    grpc, http = parse_endpoints("grpc+http://[::1]:3")
    assert [grpc.speaks(protocol) for protocol in Protocol] == [True, False, False]
    assert [http.speaks(protocol) for protocol in Protocol] == [False, True, True]
    assert (grpc.url, http.url) == ("grpc://[::1]:3", "http://[::1]:3")
    (base,) = parse_endpoints("https://h:1/b")
    assert base.url == "https://h:1/b"


def test_credentials_are_told_from_other_headers() -> None:
    headers = (("Authorization", "x"), ("x-api-key", "y"), ("x-tenant", "z"), ("keyboard", "q"))
    endpoint = Endpoint("http", "h", 1, headers=headers)
    assert endpoint.credentials == headers[:2]
    assert "Authorization" not in repr(endpoint)


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the ca for the collector"):
        ClientTls(ca=tmp_path / "absent.pem").context()
    with pytest.raises(UsageError, match="the certificates for the collector"):
        ClientTls(ca=b"nothing").context()
