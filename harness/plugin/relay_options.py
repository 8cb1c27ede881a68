"""Declare, read and check the options about a collector under test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from .options import (
    ACCEPT,
    DEADLINE,
    DEFAULT_DEADLINE_S,
    EXPECTATIONS,
    OF_THE_CLI_ONLY,
    file,
    folder,
    names,
    new_file,
    seconds,
)

#: For how long nothing may have come out before it counts as all that will.
DEFAULT_SETTLE_S = 5.0

_URL, _COMMAND, _CONFIG = "--cc-collector", "--cc-collector-cmd", "--cc-collector-config"
_OUT, _READY, _HEADERS = "--cc-collector-out", "--cc-collector-ready", "--cc-collector-headers"
_CA, _CERTIFICATE, _KEY = "--cc-collector-ca", "--cc-collector-cert", "--cc-collector-key"
_CHANGES, _RECORDING = "--cc-collector-changes", "--cc-collector-recording"
_SETTLE = "--cc-collector-settle"
_OUT_CERTIFICATE, _OUT_KEY = "--cc-collector-out-cert", "--cc-collector-out-key"
_BINARY = "--cc-binary"
NAMES = (
    *(_URL, _COMMAND, _CONFIG, _OUT, _READY, _HEADERS, _CA, _CERTIFICATE, _KEY, _CHANGES),
    *(_RECORDING, _SETTLE, _OUT_CERTIFICATE, _OUT_KEY),
)

_PEM_FILES = {
    _CA: "the certificate that the collector's is signed by",
    _CERTIFICATE: "the certificate that we show to it",
    _KEY: "the key of that certificate",
    _OUT_CERTIFICATE: "the certificate that we show where we listen with TLS for what comes out",
    _OUT_KEY: "the key of that certificate",
}


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """The options of the command line about a collector under test.

    Texts are as given, paths absolute. Empty ``scenarios`` and ``protocols`` mean all.
    """

    url: str
    command: str
    config: Path | None
    out: tuple[str, ...]
    ready: str
    headers: tuple[tuple[str, str], ...]
    ca: Path | None
    certificate: Path | None
    key: Path | None
    changes: Path | None
    recording: Path | None
    settle_s: float
    out_certificate: Path | None
    out_key: Path | None
    report: Path | None
    captures: Path | None
    binary: str = ""
    deadline_s: float = DEFAULT_DEADLINE_S
    expectations: Path | None = None
    accept: Path | None = None
    scenarios: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def rerun(self) -> tuple[str, ...]:
        """The options that a rerun must repeat."""
        return (
            *self.given,
            *([f"--cc-scenarios={','.join(self.scenarios)}"] if self.scenarios else ()),
            *([f"--cc-protocols={','.join(self.protocols)}"] if self.protocols else ()),
        )


def add(parser: pytest.Parser) -> None:
    """Declare the options about a collector under test."""
    group = parser.getgroup("cc-otel-collector", "a collector for the telemetry of the claude CLI")
    group.addoption(
        _URL,
        metavar="URL[,URL]",
        help="the collector to judge: grpc://HOST:PORT, http://HOST:PORT[/BASE] (grpcs, https "
        "with TLS), one of each, or grpc+http://HOST:PORT; without test paths, sends it recorded "
        "telemetry and judges what comes out",
    )
    group.addoption(
        _COMMAND,
        metavar="COMMAND",
        help="a command that starts the collector to judge, such as 'otelcol --config {config}'; "
        "{grpc_in}, {http_in} and other places are filled in",
    )
    group.addoption(
        _CONFIG,
        metavar="FILE",
        help="the configuration that {config} stands for; ${cc:grpc_in}, ${cc:http_out} and other "
        "places in it are filled in",
    )
    group.addoption(
        _OUT,
        metavar="WHERE[,WHERE]",
        help="where what comes out is seen, for a collector that runs already: "
        "grpc://127.0.0.1:PORT or http://127.0.0.1:PORT (we listen there), file:PATH, "
        "scrape:URL, write:http://127.0.0.1:PORT/PATH (grpcs, https with TLS), or none",
    )
    group.addoption(
        _READY, metavar="URL", help="a URL that answers with success when the collector is ready"
    )
    group.addoption(
        _HEADERS,
        metavar="NAME=VALUE[,...]",
        help="headers for every request to the collector, scrapes included, in the form of "
        "OTEL_EXPORTER_OTLP_HEADERS; ${NAME} in a value stands for a variable of the environment",
    )
    for option, text in _PEM_FILES.items():
        group.addoption(option, metavar="FILE", help=text)
    group.addoption(
        _CHANGES,
        metavar="FILE",
        help="a TOML file: what the collector changes on purpose, and what must not come out of it",
    )
    group.addoption(
        _RECORDING,
        metavar="DIR",
        help="send what --cc-captures kept there, instead of the recordings that come with us",
    )
    group.addoption(
        _SETTLE,
        metavar="SECONDS",
        help="for how long nothing may have come out of the collector before it counts as all "
        f"that will: longer than it batches for (default {DEFAULT_SETTLE_S:g})",
    )


def _of_both(config: pytest.Config) -> dict[str, str | None]:
    """Return the options that are also those of a CLI that is judged itself."""
    both: dict[str, str | None] = {
        name: config.getoption(name) for name in (_BINARY, DEADLINE, EXPECTATIONS, ACCEPT)
    }
    for name, value in both.items():
        if value is not None and not value.strip():
            raise pytest.UsageError(f"{name}: expected a value, saw nothing")
    return both


def read(config: pytest.Config) -> RelayOptions | None:
    """Return the options, or None if none of them is given.  Raises pytest.UsageError."""
    values = {name: config.getoption(name) for name in NAMES}
    given = {name: text for name, text in values.items() if text is not None}
    if not given:
        return None
    for name, text in given.items():
        if not text.strip():
            raise pytest.UsageError(f"{name}: expected a value, saw nothing")
    if (values[_URL] is None) is (values[_COMMAND] is None):
        seen = f"neither, beside {next(iter(given))}" if values[_URL] is None else "both"
        raise pytest.UsageError(f"expected either {_URL} or {_COMMAND}, saw {seen}")
    first = next(iter(given))
    for option in OF_THE_CLI_ONLY:
        if config.getoption(option):
            raise pytest.UsageError(
                f"{option}: expected it without {first}: it is about sessions of a CLI that is "
                "judged itself"
            )
    both = _of_both(config)
    if both[DEADLINE] is not None and both[_BINARY] is None:
        raise pytest.UsageError(
            f"{DEADLINE}: expected {_BINARY}=SPEC beside it: it is for the sessions of a live CLI"
        )
    if values[_CONFIG] is not None and values[_COMMAND] is None:
        raise pytest.UsageError(f"{_CONFIG}: expected {_COMMAND} beside it")
    if values[_KEY] is not None and values[_CERTIFICATE] is None:
        raise pytest.UsageError(f"{_KEY}: expected {_CERTIFICATE} beside it")
    for one, other in ((_OUT_CERTIFICATE, _OUT_KEY), (_OUT_KEY, _OUT_CERTIFICATE)):
        if values[one] is not None and values[other] is None:
            raise pytest.UsageError(f"{one}: expected {other} beside it")
    return RelayOptions(
        url=values[_URL] or "",
        command=values[_COMMAND] or "",
        binary=both[_BINARY] or "",
        deadline_s=seconds(DEADLINE, both[DEADLINE], DEFAULT_DEADLINE_S),
        expectations=file(config, EXPECTATIONS, both[EXPECTATIONS]),
        accept=new_file(config, both[ACCEPT]),
        config=file(config, _CONFIG, values[_CONFIG]),
        out=names(_OUT, values[_OUT], "grpc://127.0.0.1:14317"),
        ready=values[_READY] or "",
        headers=_headers(values[_HEADERS]),
        ca=file(config, _CA, values[_CA]),
        certificate=file(config, _CERTIFICATE, values[_CERTIFICATE]),
        key=file(config, _KEY, values[_KEY]),
        changes=file(config, _CHANGES, values[_CHANGES]),
        recording=_existing(config, _RECORDING, values[_RECORDING]),
        settle_s=seconds(_SETTLE, values[_SETTLE], DEFAULT_SETTLE_S),
        out_certificate=file(config, _OUT_CERTIFICATE, values[_OUT_CERTIFICATE]),
        out_key=file(config, _OUT_KEY, values[_OUT_KEY]),
        report=folder(config, "--cc-report", config.getoption("--cc-report")),
        captures=folder(config, "--cc-captures", config.getoption("--cc-captures")),
        scenarios=names("--cc-scenarios", config.getoption("--cc-scenarios"), "passing"),
        protocols=names("--cc-protocols", config.getoption("--cc-protocols"), "grpc"),
        given=tuple(
            _to_repeat(name, text) for name, text in {**given, **both}.items() if text is not None
        ),
    )


def _headers(text: str | None) -> tuple[tuple[str, str], ...]:
    from ..errors import UsageError
    from ..relay.headers import parse_headers

    try:
        return parse_headers(_HEADERS, text)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def _to_repeat(option: str, text: str) -> str:
    """Return an option for a rerun: a credential is not shown, a variable stands for it."""
    if option != _HEADERS:
        return f"{option}={text}"
    from ..relay.endpoint import is_credential
    from ..relay.headers import VARIABLE, members

    told = [
        f"{name}=${{{re.sub(r'[^A-Z0-9]', '_', name.upper())}}}"
        if is_credential(name) and not VARIABLE.search(value)
        else f"{name}={value}"
        for name, value in members(_HEADERS, text)
    ]
    return f"{option}={','.join(told)}"


def _existing(config: pytest.Config, option: str, text: str | None) -> Path | None:
    if text is None:
        return None
    path = config.invocation_params.dir / Path(text).expanduser()
    if not path.exists():
        raise pytest.UsageError(f"{option}={text}: expected what --cc-captures kept, saw nothing")
    return path
