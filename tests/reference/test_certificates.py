"""What the emitter's exporters are told of TLS, and how long an export may take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from harness.errors import UsageError
from harness.otlp.model import Protocol, Signal
from harness.reference.certificates import certificates
from harness.reference.timeouts import export_timeout_s

PASSPHRASE = "open sesame"
OTLP = "OTEL_EXPORTER_OTLP_"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """An encrypted key."""
    plain = trustme.CA().issue_cert("client.example").private_key_pem.bytes()
    loaded = load_pem_private_key(plain, None)
    path = tmp_path / "client.key"
    path.write_bytes(
        loaded.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())
        )
    )
    return path


def test_over_http_the_variables_of_the_cli_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    nothing = dict.fromkeys(("certificate_file", "client_certificate_file", "client_key_file"))
    assert certificates(Signal.LOGS, Protocol.HTTP_JSON) == nothing
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "ca")
    monkeypatch.setenv("CLAUDE_CODE_CLIENT_CERT", "cert")
    monkeypatch.setenv("CLAUDE_CODE_CLIENT_KEY", "key")
    assert certificates(Signal.LOGS, Protocol.HTTP_PROTOBUF) == {
        "certificate_file": "ca",
        "client_certificate_file": "cert",
        "client_key_file": "key",
    }


def test_an_encrypted_key_is_opened_for_as_long_as_the_process_lives(key: Path) -> None:
    code = (
        "from harness.otlp.model import Protocol, Signal\n"
        "from harness.reference.certificates import certificates\n"
        "path = certificates(Signal.LOGS, Protocol.HTTP_JSON)['client_key_file']\n"
        "print(path, open(path).readline(), oct(__import__('os').stat(path).st_mode & 0o777))"
    )
    variables = {
        "CLAUDE_CODE_CLIENT_KEY": str(key),
        "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE": PASSPHRASE,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    path, *key_and_mode = done.stdout.split()
    assert key_and_mode == ["-----BEGIN", "PRIVATE", "KEY-----", "0o600"]
    assert path != str(key)
    assert not Path(path).exists()


def test_a_wrong_passphrase_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, key: Path) -> None:
    monkeypatch.setenv("CLAUDE_CODE_CLIENT_KEY", str(key))
    monkeypatch.setenv("CLAUDE_CODE_CLIENT_KEY_PASSPHRASE", "close sesame")
    with pytest.raises(UsageError, match="CLAUDE_CODE_CLIENT_KEY_PASSPHRASE"):
        certificates(Signal.LOGS, Protocol.HTTP_JSON)


def test_without_a_passphrase_the_key_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, key: Path
) -> None:
    """The exporter itself says that the key cannot be opened."""
    monkeypatch.setenv("CLAUDE_CODE_CLIENT_KEY", str(key))
    monkeypatch.setenv("CLAUDE_CODE_CLIENT_KEY_PASSPHRASE", "")
    assert certificates(Signal.LOGS, Protocol.HTTP_JSON)["client_key_file"] == str(key)


def test_over_grpc_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert certificates(Signal.LOGS, Protocol.GRPC) == {"credentials": None}
    monkeypatch.setenv(f"{OTLP}CERTIFICATE", "/no/such/file")
    with pytest.raises(UsageError, match=f"{OTLP}CERTIFICATE"):
        certificates(Signal.LOGS, Protocol.GRPC)


def test_over_grpc_a_signal_may_have_files_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    monkeypatch.setenv(f"{OTLP}CERTIFICATE", "/no/such/file")
    monkeypatch.setenv(f"{OTLP}LOGS_CERTIFICATE", str(authority))
    assert certificates(Signal.LOGS, Protocol.GRPC)["credentials"] is not None
    with pytest.raises(UsageError, match=f"{OTLP}CERTIFICATE"):
        certificates(Signal.METRICS, Protocol.GRPC)


@pytest.mark.parametrize(
    ("general", "own", "seconds"),
    [("", "", 10), ("1500", "", 1.5), ("1500", "700", 0.7), ("soon", "", 10), ("-1", "", 10)],
)
def test_timeouts_are_in_milliseconds(
    monkeypatch: pytest.MonkeyPatch, general: str, own: str, seconds: float
) -> None:
    monkeypatch.setenv(f"{OTLP}TIMEOUT", general)
    monkeypatch.setenv(f"{OTLP}LOGS_TIMEOUT", own)
    assert export_timeout_s(Signal.LOGS) == seconds
