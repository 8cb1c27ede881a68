"""Sessions with collectors that speak TLS: trusted, untrusted, and asking for a certificate.

Each signal of a session may go to a collector of its own, so that one session meets several.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ...collector.tls import Tls
from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol, Signal
from ...running.scenario import Scenario
from ...running.stage import Backend, Stage
from ...subject.process import Completed
from .. import certificates
from ..certificates import OTHER, OURS, PASSPHRASE, STRANGE, Folder
from .observed import TlsCollectors

#: What collectors are called.  The certificates of most are for both.
_NAME, _ADDRESS = "localhost", "127.0.0.1"

_TRUSTED = partial(certificates.server, _NAME, _ADDRESS)
_ASKING = partial(_TRUSTED, asks=True)

#: What a server shows and asks for, by the name of its collector.
_SERVERS = {
    "trusted": _TRUSTED,
    "by_address": _TRUSTED,
    "trusted_for_traces": _TRUSTED,
    "untrusted": partial(_TRUSTED, signed_by=STRANGE),
    "untrusted_for_traces": partial(_TRUSTED, signed_by=STRANGE),
    "wrong_name": partial(certificates.server, "elsewhere.example"),
    "expired": partial(_TRUSTED, expired=True),
    "metrics_certificate": _ASKING,
    "logs_certificate": _ASKING,
    "traces_certificate": partial(_ASKING, signed_by=OTHER),
    "client_certificate": _ASKING,
    "encrypted_key": _ASKING,
    "no_certificate": _ASKING,
    "strange_certificate": _ASKING,
}

_METRICS, _LOGS, _TRACES = Signal.METRICS, Signal.LOGS, Signal.TRACES
_EVERY_PROTOCOL = (Protocol.GRPC, Protocol.HTTP_PROTOBUF)

#: Further variables of a run: where its files are, and its protocol -> the variables.
_Variables = Callable[[Folder, Protocol], Mapping[str, str]]


def _nothing(folder: Folder, protocol: Protocol) -> Mapping[str, str]:
    return {}


def _otel(folder: Folder, name: str, *, of: str = "", signed_by: str = OURS) -> dict[str, str]:
    """Return OpenTelemetry's variables for a client certificate, of one signal or all."""
    prefix = f"OTEL_EXPORTER_OTLP_{of}"
    return {
        f"{prefix}CLIENT_CERTIFICATE": folder.certificate(name, signed_by),
        f"{prefix}CLIENT_KEY": folder.key(name, signed_by),
    }


def _claude_code(folder: Folder, name: str, *, signed_by: str = OURS) -> dict[str, str]:
    """Return the CLI's own variables for a client certificate."""
    return {
        "CLAUDE_CODE_CLIENT_CERT": folder.certificate(name, signed_by),
        "CLAUDE_CODE_CLIENT_KEY": folder.key(name, signed_by),
    }


def _one_for_each_signal(folder: Folder, protocol: Protocol) -> Mapping[str, str]:
    return {
        **_otel(folder, "general"),
        **_otel(folder, "metrics", of="METRICS_"),
        **_otel(folder, "logs", of="LOGS_"),
    }


def _for_metrics(folder: Folder, protocol: Protocol) -> Mapping[str, str]:
    return _otel(folder, "metrics", of="METRICS_")


def _of_the_cli(folder: Folder, protocol: Protocol) -> Mapping[str, str]:
    return _claude_code(folder, "general")


def _locked(folder: Folder, protocol: Protocol) -> Mapping[str, str]:
    return {
        "CLAUDE_CODE_CLIENT_CERT": folder.certificate("locked"),
        "CLAUDE_CODE_CLIENT_KEY": folder.encrypted_key("locked"),
        "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE": PASSPHRASE,
    }


def _for_traces(folder: Folder, protocol: Protocol) -> Mapping[str, str]:
    """Return what traces have of their own; over HTTP, there is no authority for one signal."""
    given = _otel(folder, "traces", of="TRACES_")
    if protocol is Protocol.GRPC:
        return {**given, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": folder.authority_of(OTHER)}
    return {**given, "NODE_EXTRA_CA_CERTS": folder.authority_of(OURS, OTHER)}


def _from_elsewhere(folder: Folder, protocol: Protocol) -> Mapping[str, str]:
    give = _otel if protocol is Protocol.GRPC else _claude_code
    return give(folder, "stranger", signed_by=STRANGE)


def _configure(
    collectors: Mapping[Signal, str], variables: _Variables, stage: Stage
) -> dict[str, str]:
    """Return the variables that send each signal to its collector.

    Which variable names the trusted authority depends on the protocol.
    """
    folder = Folder(stage.sandbox.root / "certificates")
    grpc = stage.protocol is Protocol.GRPC
    authority = folder.authority_of(OURS)
    settings = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_EXPORTER_OTLP_PROTOCOL": stage.protocol.value,
        # No session needs to try for longer what will not work, and its end waits for 2 s only.
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
        "OTEL_EXPORTER_OTLP_CERTIFICATE" if grpc else "NODE_EXTRA_CA_CERTS": authority,
    }
    if _TRACES in collectors:
        settings["CLAUDE_CODE_ENHANCED_TELEMETRY_BETA"] = "1"
    for signal, collector in collectors.items():
        host = _ADDRESS if collector == "by_address" else _NAME
        path = "" if grpc else f"/v1/{signal}"
        endpoint = stage.endpoint(collector).replace(_ADDRESS, host) + path
        settings[f"OTEL_{signal.upper()}_EXPORTER"] = "otlp"
        settings[f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"] = endpoint
    return {**settings, **variables(folder, stage.protocol)}


def _by_the_project(stage: Stage) -> Sequence[str]:
    """Name a client certificate in the settings of the project, which nobody has trusted."""
    folder = Folder(stage.sandbox.root / "certificates")
    give = _otel if stage.protocol is Protocol.GRPC else _claude_code
    settings = stage.work / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"env": give(folder, "project")}), encoding="utf-8")
    return ()


def _observe(stage: Stage, completed: Completed) -> TlsCollectors:
    shown = tuple(sorted(stage.api.certificates)) if stage.api.tls else None
    return TlsCollectors(tuple(sorted(stage.collectors)), shown)


def _api_tls(server: Callable[[], Tls], protocol: Protocol) -> Tls | None:
    return None if protocol is Protocol.GRPC else server()


def _scenario(
    name: str,
    description: str,
    protocols: tuple[Protocol, ...],
    collectors: Mapping[Signal, str],
    variables: _Variables = _nothing,
    *,
    api: Callable[[], Tls] | None = None,
    prepare: Callable[[Stage], Sequence[str]] | None = None,
) -> Scenario:
    """Make a session whose API, over HTTP, is one that ``api`` makes (None: plain text).

    Which variables are for it does not depend on the protocol of the telemetry, but those of gRPC
    are told apart from them.
    """

    return Scenario(
        name=name,
        description=description,
        prompt="Whisper.",
        script=(UseTool("Bash", {"command": "true", "description": "Do nothing"}), Say("Done.")),
        backends={collector: Backend(tls=_SERVERS[collector]) for collector in collectors.values()},
        configure=partial(_configure, collectors, variables),
        observe=_observe,
        prepare=prepare,
        api_tls=partial(_api_tls, api) if api else None,
        protocols=protocols,
        judged_only_by_name=True,
    )


SCENARIOS = (
    _scenario(
        "tls_untrusted",
        "A session whose collectors show a certificate of an unknown authority, and one that "
        "is for another host",
        _EVERY_PROTOCOL,
        {_METRICS: "untrusted", _LOGS: "wrong_name", _TRACES: "untrusted_for_traces"},
    ),
    _scenario(
        "tls_expired",
        "A session whose collectors show a certificate that has expired, and ask for one that "
        "only the settings of an untrusted project name",
        _EVERY_PROTOCOL,
        {_METRICS: "expired", _LOGS: "no_certificate"},
        prepare=_by_the_project,
    ),
    _scenario(
        "tls_trusted",
        "A session with trusted collectors, and one that does not trust the session's certificate; "
        "over HTTP, its model speaks TLS as well",
        _EVERY_PROTOCOL,
        {_METRICS: "strange_certificate", _LOGS: "trusted", _TRACES: "trusted_for_traces"},
        _from_elsewhere,
        api=_TRUSTED,
    ),
    _scenario(
        "tls_by_address",
        "A session with a trusted collector that its endpoint names by IP address, and with a "
        "client certificate and authority of OpenTelemetry's variables for traces",
        _EVERY_PROTOCOL,
        {_METRICS: "by_address", _LOGS: "by_address", _TRACES: "traces_certificate"},
        _for_traces,
    ),
    _scenario(
        "tls_certificates",
        "A session with a client certificate for metrics, one for logs, and one for the rest",
        (Protocol.GRPC,),
        {_METRICS: "metrics_certificate", _LOGS: "logs_certificate", _TRACES: "client_certificate"},
        _one_for_each_signal,
    ),
    _scenario(
        "tls_metrics_certificate",
        "A session with a client certificate of OpenTelemetry's variables for metrics over HTTP",
        (Protocol.HTTP_PROTOBUF,),
        {_METRICS: "metrics_certificate", _LOGS: "trusted"},
        _for_metrics,
    ),
    _scenario(
        "tls_client_certificate",
        "A session with a client certificate of the CLI's own variables, for which its model asks",
        (Protocol.HTTP_PROTOBUF,),
        dict.fromkeys(Signal, "client_certificate"),
        _of_the_cli,
        api=_ASKING,
    ),
    _scenario(
        "tls_encrypted_key",
        "A session whose client certificate has an encrypted key, for which its model asks",
        (Protocol.HTTP_JSON,),
        dict.fromkeys(Signal, "encrypted_key"),
        _locked,
        api=_ASKING,
    ),
    _scenario(
        "tls_api_untrusted",
        "A session whose model shows a certificate of an unknown authority",
        (Protocol.HTTP_JSON,),
        {_METRICS: "trusted"},
        api=partial(_TRUSTED, signed_by=STRANGE),
    ),
)
