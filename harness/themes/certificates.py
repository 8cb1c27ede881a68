"""Create certificates for collectors and sessions, in memory, when first asked for."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ..collector.tls import Tls

#: The authorities: the one that sessions are told to trust, one that some are told to trust as
#: well, and one that nobody knows.
OURS, OTHER, STRANGE = "ours", "other", "strange"

#: Opens the encrypted form of every key.
PASSPHRASE = "open sesame"

P = ParamSpec("P")
T = TypeVar("T")

_MAKING = threading.RLock()

_LONG_AGO = datetime.datetime(2001, 1, 1), datetime.datetime(2001, 1, 2)


def _once(make: Callable[P, T]) -> Callable[P, T]:
    """Cache ``make`` for all threads: runs side by side must have the same authority."""
    known = cache(make)

    @wraps(make)
    def get(*args: P.args, **kwargs: P.kwargs) -> T:
        with _MAKING:
            return known(*args, **kwargs)  # type: ignore[arg-type] # all are hashable

    return get


@_once
def authority(name: str) -> trustme.CA:
    return trustme.CA(organization_name=f"the authority {name}")


@_once
def server(*names: str, signed_by: str = OURS, expired: bool = False, asks: bool = False) -> Tls:
    """Make a server certificate for ``names``.

    With ``asks``, the server demands a client certificate that our own authority signed.
    """
    first, last = _LONG_AGO if expired else (None, None)
    leaf = authority(signed_by).issue_cert(*names, not_before=first, not_after=last)
    client_ca = authority(OURS).cert_pem.bytes() if asks else b""
    return Tls(_chain(leaf), leaf.private_key_pem.bytes(), client_ca)


@_once
def client(name: str, signed_by: str) -> trustme.LeafCert:
    """Make the certificate of a client whose common name is ``name``."""
    return authority(signed_by).issue_cert(f"{name}@example.org", common_name=name)


class Folder:
    """Writes certificates to files, for the variables that name them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(exist_ok=True)

    def authority_of(self, *names: str) -> str:
        """Return the path of the certificates of these authorities."""
        certificates = b"".join(authority(name).cert_pem.bytes() for name in names)
        return self._file(f"authority_{'_'.join(names)}.pem", certificates)

    def certificate(self, name: str, signed_by: str = OURS) -> str:
        return self._file(f"{name}.pem", _chain(client(name, signed_by)))

    def key(self, name: str, signed_by: str = OURS) -> str:
        return self._file(f"{name}.key", client(name, signed_by).private_key_pem.bytes())

    def encrypted_key(self, name: str) -> str:
        """Write the client's key, encrypted with :data:`PASSPHRASE`; return its path."""
        key = load_pem_private_key(client(name, OURS).private_key_pem.bytes(), None)
        locked = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())
        )
        return self._file(f"{name}.encrypted.key", locked)

    def _file(self, name: str, content: bytes) -> str:
        path = self._path / name
        path.write_bytes(content)
        return str(path)


def _chain(leaf: trustme.LeafCert) -> bytes:
    return b"".join(certificate.bytes() for certificate in leaf.cert_chain_pems)
