"""TLS settings of the exporters and of the model's client: whom they trust, and what they show.

Over HTTP, the variables of OpenTelemetry are read by the exporters themselves where the
CLI's own are not set. Over gRPC the exporters would take the variables of one signal or
the general ones as a whole; by the documents, each variable is looked up for itself.
"""

from __future__ import annotations

import atexit
import os
import ssl
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..otlp.model import Protocol, Signal

if TYPE_CHECKING:
    import grpc


def certificates(signal: Signal, protocol: Protocol) -> dict[str, Any]:
    """Return the arguments for TLS of an official exporter."""
    return {"credentials": _of_grpc(signal)} if protocol is Protocol.GRPC else _of_http()


def _of_http() -> dict[str, str | None]:
    key = os.environ.get("CLAUDE_CODE_CLIENT_KEY")
    passphrase = os.environ.get("CLAUDE_CODE_CLIENT_KEY_PASSPHRASE")
    return {
        "certificate_file": os.environ.get("NODE_EXTRA_CA_CERTS"),
        "client_certificate_file": os.environ.get("CLAUDE_CODE_CLIENT_CERT"),
        "client_key_file": _unlocked(key, passphrase) if key and passphrase else key,
    }


def api_context() -> ssl.SSLContext:
    """Return the TLS settings of requests to the model, by the same variables as those of HTTP."""
    given = _of_http()
    context = ssl.create_default_context()
    try:
        if given["certificate_file"]:
            context.load_verify_locations(given["certificate_file"])
        if given["client_certificate_file"]:
            context.load_cert_chain(given["client_certificate_file"], given["client_key_file"])
    except OSError as error:
        raise UsageError(
            "environment variables NODE_EXTRA_CA_CERTS, CLAUDE_CODE_CLIENT_CERT and _KEY",
            seen=str(error),
            expected="files of certificates and of their key",
        ) from error
    return context


def _of_grpc(signal: Signal) -> grpc.ChannelCredentials | None:
    authority = _content(signal, "CERTIFICATE")
    key = _content(signal, "CLIENT_KEY")
    chain = _content(signal, "CLIENT_CERTIFICATE")
    if not (authority or key or chain):
        return None
    # A connection that fails says so on stderr otherwise, and the CLI's does not.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc

    return grpc.ssl_channel_credentials(authority, key, chain)


def _content(signal: Signal, what: str) -> bytes | None:
    """Read the file that the signal's own variable names, or the general one."""
    for name in (f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}"):
        if path := os.environ.get(name):
            return _read(name, path)
    return None


def _read(name: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(
            f"environment variable {name}", seen=str(error), expected="a file"
        ) from error


@cache
def _unlocked(path: str, passphrase: str) -> str:
    """Write the decrypted key to a file that is removed when the process ends; return its path."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(_read("CLAUDE_CODE_CLIENT_KEY", path), passphrase.encode())
    except (ValueError, TypeError) as error:
        raise UsageError(
            "environment variable CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
            seen=str(error),
            expected=f"what opens {path}",
        ) from error
    handle, name = tempfile.mkstemp(prefix="cc-otel-key-")
    atexit.register(os.unlink, name)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return name
