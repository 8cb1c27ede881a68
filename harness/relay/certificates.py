"""Make the certificates of a run: for the collector under test, for our outlets, and for us.

One authority signs them all. It exists in memory, for as long as this process does.
"""

from __future__ import annotations

import secrets
import threading
from functools import cache

import trustme

from ..collector.tls import Tls
from .endpoint import ClientTls

#: Everything that a certificate of a server is good for.
_NAMES = ("127.0.0.1", "::1", "localhost")

#: Runs side by side must have the same authority.
_MAKING = threading.RLock()


def authority() -> bytes:
    """Return the certificate of the authority, as PEM."""
    with _MAKING:
        return _authority().cert_pem.bytes()


def server(*, asks: bool = False) -> Tls:
    """Return the certificate of a server on this machine; ``asks``: it wants one of its clients."""
    with _MAKING:
        return Tls(*_server(), authority() if asks else b"")


def client(*, certified: bool) -> ClientTls:
    """Return what a client needs to trust such a server; ``certified``: to be known by it, too."""
    certificate, key = known() if certified else (None, None)
    return ClientTls(authority(), certificate, key)


def known() -> tuple[bytes, bytes]:
    """Return the certificate of a client, and its key."""
    with _MAKING:
        return _client()


@cache
def token() -> str:
    """Return a token that only this process knows."""
    return secrets.token_urlsafe(24)


@cache
def _authority() -> trustme.CA:
    return trustme.CA(organization_name="pytest-cc-otel")


@cache
def _server() -> tuple[bytes, bytes]:
    return _pems(_authority().issue_cert(*_NAMES))


@cache
def _client() -> tuple[bytes, bytes]:
    return _pems(_authority().issue_cert("pytest-cc-otel@localhost", common_name="pytest-cc-otel"))


def _pems(leaf: trustme.LeafCert) -> tuple[bytes, bytes]:
    chain = b"".join(certificate.bytes() for certificate in leaf.cert_chain_pems)
    return chain, leaf.private_key_pem.bytes()
