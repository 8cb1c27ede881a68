"""TLS settings of the collector's servers, and the certificates that clients present."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import grpc

from ..errors import UsageError
from ..keeping import folders

_EXPECTED = "PEM texts that belong together: a certificate (chain) and its unencrypted key"


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate, key and client CA of a collector's two servers, all as PEM.

    ``certificate`` is the server's, followed by its chain without the root. With
    ``client_ca`` every client must present a certificate that one of these signed; without
    it, no client certificate is requested.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes = b""

    def context(self) -> ssl.SSLContext:
        """Make the SSL context of the HTTP server.

        Raises UsageError for PEM texts that are no certificate or key.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        # OpenSSL reads them from files alone; mkdtemp makes a folder for our eyes only.
        with folders.temporary("tls", brief=True) as folder:
            chain, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
            chain.write_bytes(self.certificate)
            key.write_bytes(self.key)
            try:
                # A password at hand, so that OpenSSL does not ask for one at the terminal.
                context.load_cert_chain(chain, key, password="")
                if self.client_ca:
                    context.verify_mode = ssl.CERT_REQUIRED
                    context.load_verify_locations(cadata=self.client_ca.decode())
            except (OSError, ValueError) as error:
                raise UsageError(
                    "tls of the collector", seen=str(error), expected=_EXPECTED
                ) from error
        return context

    def credentials(self) -> grpc.ServerCredentials:
        """Make the credentials of the gRPC server.

        gRPC does not report unusable PEM; :meth:`context`, called before, does.
        """
        return grpc.ssl_server_credentials(
            [(self.key, self.certificate)],
            root_certificates=self.client_ca or None,
            require_client_auth=bool(self.client_ca),
        )


def http_client(connection: ssl.SSLObject) -> str:
    """Name the certificate that an HTTP client presented (``""``: none); see :func:`_called`."""
    der = connection.getpeercert(binary_form=True)
    if not der:
        return ""
    subject: Any = (connection.getpeercert() or {}).get("subject", ())
    return _called((value for ((kind, value),) in subject if kind == "commonName"), der)


def grpc_client(context: grpc.ServicerContext) -> str:
    """Name the certificate that a gRPC client presented (``""``: none); see :func:`_called`."""
    shown: Any = context.auth_context()  # the stubs are wrong: the values are lists
    return _grpc_client(
        tuple(shown.get("x509_common_name", ())), tuple(shown.get("x509_pem_cert", ()))
    )


@lru_cache(maxsize=256)
def _grpc_client(names: tuple[bytes, ...], certificates: tuple[bytes, ...]) -> str:
    if not certificates:
        return ""
    der = ssl.PEM_cert_to_DER_cert(certificates[0].decode())
    return _called((name.decode("utf-8", "replace") for name in names), der)


def _called(common_names: Iterable[str], der: bytes) -> str:
    """Return the common name, or the fingerprint of a certificate without one."""
    return next(iter(common_names), "") or f"sha256:{hashlib.sha256(der).hexdigest()}"
