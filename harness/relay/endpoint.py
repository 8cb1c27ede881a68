"""Where the collector under test listens, as ``--cc-collector=URL[,URL]`` names it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from ..errors import UsageError
from ..keeping import folders
from ..otlp.model import Protocol

OPTION = "--cc-collector"

Transport = Literal["grpc", "http"]
#: PEM text, or the path of a file that holds it.
Pem = bytes | str | Path

_EXPECTED = (
    "grpc://host:port, grpcs://host:port, http://host:port[/base], https://host:port[/base] or "
    "grpc+http://host:port, at most one for each of gRPC and HTTP, separated by a comma"
)

#: Scheme -> the transports behind it, and whether they speak TLS.
_SCHEMES: dict[str, tuple[tuple[Transport, ...], bool]] = {
    "grpc": (("grpc",), False),
    "grpcs": (("grpc",), True),
    "http": (("http",), False),
    "https": (("http",), True),
    "grpc+http": (("grpc", "http"), False),
    "grpcs+https": (("grpc", "http"), True),
}

#: As exporters do: a URL without a port means that of its scheme, not 4318.
_DEFAULT_PORTS = {"http": 80, "https": 443}

#: Names of headers that prove who is sending.
_CREDENTIAL = re.compile(r"auth|token|secret|credential|password|key\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClientTls:
    """What a client needs for TLS: whom it trusts, and the certificate that it shows.

    ``ca`` is trusted beside nothing else; without it, the machine's certificates are.
    ``certificate`` and ``key`` belong together.
    """

    ca: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = field(default=None, repr=False)

    def pem(self, name: Literal["ca", "certificate", "key"]) -> bytes | None:
        """Return one of them as PEM text. Raises UsageError for a file that cannot be read."""
        value: Pem | None = getattr(self, name)
        if value is None or isinstance(value, bytes):
            return value
        try:
            return Path(value).read_bytes()
        except OSError as error:
            raise UsageError(
                f"the {name} for the collector", seen=str(error), expected="a file of PEM text"
            ) from error

    def context(self) -> ssl.SSLContext:
        """Make the SSL context of an HTTP client. Raises UsageError for unusable PEM."""
        ca, certificate, key = self.pem("ca"), self.pem("certificate"), self.pem("key")
        try:
            context = ssl.create_default_context(cadata=None if ca is None else ca.decode())
            context.set_alpn_protocols(["http/1.1"])
            if certificate is not None:
                # OpenSSL reads these from files alone; the folder is for our eyes only.
                with folders.temporary("tls", brief=True) as folder:
                    chain, secret = Path(folder, "certificate.pem"), Path(folder, "key.pem")
                    chain.write_bytes(certificate)
                    secret.write_bytes(key or b"")
                    # A password at hand, so that OpenSSL does not ask for one at the terminal.
                    context.load_cert_chain(chain, secret if key else None, password="")
        except (OSError, ValueError) as error:
            raise UsageError(
                "the certificates for the collector",
                seen=str(error),
                expected="PEM texts: a CA, and a certificate with its unencrypted key",
            ) from error
        return context


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One port of the collector under test, and how it is spoken to.

    ``base_path`` stands before ``/v1/logs`` and its like: empty, or with a slash in front and
    none at its end. ``headers`` go with every request (as metadata over gRPC), credentials among
    them.
    """

    transport: Transport
    host: str
    port: int
    base_path: str = ""
    tls: ClientTls | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def authority(self) -> str:
        """Host and port as a URL writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL, as the option takes it."""
        scheme = {"grpc": ("grpc", "grpcs"), "http": ("http", "https")}[self.transport]
        return f"{scheme[self.tls is not None]}://{self.authority}{self.base_path}"

    @property
    def credentials(self) -> tuple[tuple[str, str], ...]:
        """Those of ``headers`` that prove who is sending, by their names."""
        return tuple(pair for pair in self.headers if is_credential(pair[0]))

    @property
    def shown_headers(self) -> tuple[tuple[str, str], ...]:
        """``headers`` as they may be kept and shown: without the credentials."""
        return tuple(map(shown, self.headers))

    @property
    def uncertified(self) -> Endpoint:
        """The same without the certificate that we show."""
        if self.tls is None:
            return self
        return replace(self, tls=replace(self.tls, certificate=None, key=None))

    def speaks(self, protocol: Protocol) -> bool:
        """Return whether ``protocol`` can be spoken to this port."""
        return (self.transport == "grpc") is (protocol is Protocol.GRPC)


def is_credential(name: str) -> bool:
    """Say whether a header of this name proves who is sending."""
    return bool(_CREDENTIAL.search(name))


def shown(header: tuple[str, str]) -> tuple[str, str]:
    """Return a header as it may be kept and shown: a credential without its value."""
    name, value = header
    return name, "<credential>" if is_credential(name) else value


def is_url(text: str) -> bool:
    """Say whether ``text`` is a value of ``--cc-collector``, and no command."""
    return text.partition("://")[0] in _SCHEMES


def parse_endpoints(
    text: str,
    *,
    tls: ClientTls | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    option: str = OPTION,
) -> tuple[Endpoint, ...]:
    """Read the value of ``--cc-collector``: one endpoint for each transport that it names.

    ``tls`` is used for the schemes that ask for TLS (the machine's trusted certificates
    without it), ``headers`` for every endpoint. Raises UsageError, which names ``option``, for
    anything else than URLs of the known forms.
    """
    try:
        return _endpoints(text, tls, headers)
    except ValueError as error:
        raise UsageError(option, seen=str(error), expected=_EXPECTED) from None


def _endpoints(
    text: str, tls: ClientTls | None, headers: tuple[tuple[str, str], ...]
) -> tuple[Endpoint, ...]:
    endpoints = [
        endpoint
        for part in text.split(",")
        for endpoint in _read(part.strip(), tls or ClientTls(), headers)
    ]
    transports = [endpoint.transport for endpoint in endpoints]
    for transport in dict.fromkeys(transports):
        if transports.count(transport) > 1:
            raise ValueError(f"{transports.count(transport)} URLs for {transport} in {text!r}")
    return tuple(endpoints)


def _read(url: str, tls: ClientTls, headers: tuple[tuple[str, str], ...]) -> Iterator[Endpoint]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} ({error})") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"{url!r}")
    transports, secured = _SCHEMES[parts.scheme]
    base_path = _base_path(url, parts, with_grpc="grpc" in transports)
    port = port if port is not None else _DEFAULT_PORTS.get(parts.scheme)
    if not parts.hostname or not port:
        raise ValueError(f"{url!r} without a {'port' if parts.hostname else 'host'}")
    for transport in transports:
        yield Endpoint(
            transport, parts.hostname, port, base_path, tls if secured else None, headers
        )


def _base_path(url: str, parts: SplitResult, *, with_grpc: bool) -> str:
    if parts.username is not None:
        # Not shown: a password may be in it.
        raise ValueError("a URL with a user name; credentials are given as a header")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} with a query or fragment")
    base_path = parts.path.rstrip("/")
    if base_path and with_grpc:
        raise ValueError(f"{url!r} with a path, which gRPC cannot have")
    if re.search(r"/v1/(metrics|logs|traces)\Z", base_path):
        raise ValueError(f"{url!r}, the path of one signal")
    return base_path
