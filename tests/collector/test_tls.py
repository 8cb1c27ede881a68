"""TLS on both ports, with the official exporters as clients."""

from __future__ import annotations

import datetime
import hashlib
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import trustme
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcTraces
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpTraces
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from harness import Collector, Tls
from harness.errors import UsageError
from harness.otlp.model import Protocol
from tests.collector.answers import whole_answer

DEADLINE_S = 60
#: How long an exporter that gets nowhere may go on trying.
IN_VAIN_S = 1

OURS, OTHERS = trustme.CA(), trustme.CA()
SERVER = OURS.issue_cert("127.0.0.1")
CLIENT = OURS.issue_cert("someone@example.org", common_name="someone")
NAMELESS = OURS.issue_cert("nobody@example.org")
STRANGER = OTHERS.issue_cert("stranger@example.org", common_name="a stranger")


def tls(server: trustme.LeafCert = SERVER, *, asks: bool = False) -> Tls:
    chain = b"".join(each.bytes() for each in server.cert_chain_pems)
    client_ca = OURS.cert_pem.bytes() if asks else b""
    return Tls(chain, server.private_key_pem.bytes(), client_ca)


@dataclass(frozen=True)
class Send:
    """Sends one span by the official exporter of ``protocol``; says whether it was taken."""

    protocol: Protocol
    folder: Path

    def __call__(
        self,
        collector: Collector,
        trusted: trustme.CA = OURS,
        client: trustme.LeafCert | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> bool:
        endpoint = collector.endpoint(self.protocol)
        ca = self._file("ca.pem", trusted.cert_pem)
        chain = key = None
        if client is not None:
            chain = self._file("chain.pem", *client.cert_chain_pems)
            key = self._file("key.pem", client.private_key_pem)
        if self.protocol is Protocol.GRPC:
            credentials = grpc.ssl_channel_credentials(
                Path(ca).read_bytes(),
                Path(key).read_bytes() if key else None,
                Path(chain).read_bytes() if chain else None,
            )
            exporter: GrpcTraces | HttpTraces = GrpcTraces(
                endpoint=endpoint, credentials=credentials, timeout=deadline_s
            )
        else:
            exporter = HttpTraces(
                endpoint=f"{endpoint}/v1/traces",
                certificate_file=ca,
                client_certificate_file=chain,
                client_key_file=key,
                timeout=deadline_s,
            )
        span = TracerProvider(shutdown_on_exit=False).get_tracer("scope").start_span("work")
        span.end()
        assert isinstance(span, ReadableSpan)
        try:
            return exporter.export([span]) is SpanExportResult.SUCCESS
        finally:
            exporter.shutdown()

    def _file(self, name: str, *blobs: trustme.Blob) -> str:
        path = self.folder / name
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return str(path)


@pytest.fixture(params=[Protocol.GRPC, Protocol.HTTP_PROTOBUF])
def export(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Send:
    """``export(collector, trusted, client)``: one span by an official exporter; whether it
    was taken."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # would beat what is passed
        monkeypatch.delenv(variable, raising=False)
    return Send(request.param, tmp_path)


def test_an_export_arrives_from_who_trusts_us(export: Send) -> None:
    with Collector(tls=tls()) as collector:
        assert collector.endpoint(export.protocol).startswith("https://127.0.0.1:")
        assert export(collector)
    (seen,) = collector.exports
    assert (seen.protocol, seen.rejected, seen.peer_certificate) == (export.protocol, "", "")
    assert seen.spans[0].name == "work"


def test_nothing_arrives_from_who_does_not(export: Send) -> None:
    with Collector(tls=tls()) as collector:
        assert not export(collector, trusted=OTHERS, deadline_s=IN_VAIN_S)
        assert collector.exports == ()
        assert export(collector)


def test_an_expired_certificate_is_shown_as_it_is(export: Send) -> None:
    past = datetime.datetime(2001, 1, 1), datetime.datetime(2001, 1, 2)
    expired = OURS.issue_cert("127.0.0.1", not_before=past[0], not_after=past[1])
    with Collector(tls=tls(expired)) as collector:
        assert not export(collector, deadline_s=IN_VAIN_S)
        assert collector.exports == ()


def test_the_clients_certificate_is_kept(export: Send) -> None:
    with Collector(tls=tls(asks=True)) as collector:
        assert export(collector, client=CLIENT)
        assert export(collector, client=NAMELESS)
    der = ssl.PEM_cert_to_DER_cert(NAMELESS.cert_chain_pems[0].bytes().decode())
    assert [each.peer_certificate for each in collector.exports] == [
        "someone",
        f"sha256:{hashlib.sha256(der).hexdigest()}",
    ]


@pytest.mark.parametrize("client", [None, STRANGER], ids=["none", "of another CA"])
def test_a_client_without_the_right_certificate_gets_nowhere(
    export: Send, client: trustme.LeafCert | None
) -> None:
    with Collector(tls=tls(asks=True)) as collector:
        assert not export(collector, client=client, deadline_s=IN_VAIN_S)
        assert collector.exports == ()


def test_what_is_not_http_is_answered_over_tls_too() -> None:
    with Collector(tls=tls(asks=True)) as collector:
        context = ssl.create_default_context()
        OURS.configure_trust(context)
        CLIENT.configure_cert(context)
        address = ("127.0.0.1", int(collector.http_endpoint.rpartition(":")[2]))
        with (
            socket.create_connection(address, DEADLINE_S) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(b"nonsense\r\n\r\n")
            assert whole_answer(connection)[0] == 400
    (seen,) = collector.exports
    assert (seen.status, seen.peer_certificate) == (400, "someone")


@pytest.mark.parametrize(
    "broken",
    [
        Tls(b"no certificate", SERVER.private_key_pem.bytes()),
        Tls(tls().certificate, CLIENT.private_key_pem.bytes()),
        Tls(tls().certificate, tls().key, b"no certificate"),
    ],
    ids=["certificate", "key", "client CA"],
)
def test_what_is_no_certificate_is_said_to_be_none(broken: Tls) -> None:
    with pytest.raises(UsageError, match="tls of the collector"):
        Collector(tls=broken).start()


def test_the_key_is_not_shown() -> None:
    assert "PRIVATE KEY" not in repr(tls())
