"""Sessions that reach some of their surroundings by a forward proxy only."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import partial

from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol, Signal
from ...running.scenario import Scenario
from ...running.stage import Backend, Stage
from ...subject.process import Completed
from .. import certificates
from ..certificates import OURS
from .observed import API, Asked, Proxied

#: A multicast address for documents (RFC 6676): whoever connects to it directly is refused by this
#: machine itself, without a name to look up or a packet sent.
FAR = "233.252.0.1"
NEAR = "127.0.0.1"
#: What a collector behind the proxy is called over HTTP: no release looks that up itself, and some
#: trust no certificate for an address.
NAME = "collector.invalid"

_USER, _PASSWORD = "somebody", "open-sesame-of-the-proxy"
_CREDENTIALS = "Basic " + base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()

#: The collectors: two behind the proxy, without TLS and with it, and two on this machine, one of
#: which is called by its name.
PLAIN, SECURE, NEARBY, BY_NAME = "plain", "secure", "nearby", "by_name"

_HOSTS = {PLAIN: FAR, SECURE: FAR, NEARBY: NEAR, BY_NAME: "localhost"}

_UPPER = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_LOWER = ("http_proxy", "https_proxy", "no_proxy")


def _backends(collectors: Mapping[Signal, str]) -> Mapping[str, Backend]:
    secure = Backend(tls=partial(certificates.server, FAR, NAME))
    return {name: secure if name == SECURE else Backend() for name in collectors.values()}


def _place(stage: Stage, target: str, api_host: str) -> str:
    """Return the host and port by which the session is to reach a target."""
    host = api_host if target == API else _HOSTS[target]
    if target == SECURE and stage.protocol is not Protocol.GRPC:
        host = NAME
    url = stage.api.base_url if target == API else stage.endpoint(target)
    return f"{host}:{url.rpartition(':')[2]}"


def _configure(
    collectors: Mapping[Signal, str],
    api_host: str,
    variables: tuple[str, str, str],
    exempt: str,
    refused: str,
    stage: Stage,
) -> Mapping[str, str]:
    """Return the variables that send each signal to its collector, and name the proxy."""
    assert stage.forward is not None
    for target in {API, *collectors.values()}:
        place = _place(stage, target, api_host)
        if target == refused:
            stage.forward.refuse(place)
        else:
            stage.forward.lead(place, int(place.rpartition(":")[2]))
    grpc = stage.protocol is Protocol.GRPC
    authority = certificates.Folder(stage.sandbox.root / "certificates").authority_of(OURS)
    proxy = stage.forward.url.replace("://", f"://{_USER}:{_PASSWORD}@")
    settings = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "ANTHROPIC_BASE_URL": f"http://{_place(stage, API, api_host)}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": stage.protocol.value,
        # No session needs to try for longer what will not work.
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
        "OTEL_EXPORTER_OTLP_CERTIFICATE" if grpc else "NODE_EXTRA_CA_CERTS": authority,
        variables[0]: proxy,
        variables[1]: proxy,
    }
    if exempt:
        settings[variables[2]] = exempt
    if Signal.TRACES in collectors:
        settings["CLAUDE_CODE_ENHANCED_TELEMETRY_BETA"] = "1"
    for signal, collector in collectors.items():
        scheme = "https" if collector == SECURE else "http"
        path = "" if grpc else f"/v1/{signal}"
        endpoint = f"{scheme}://{_place(stage, collector, api_host)}{path}"
        settings[f"OTEL_{signal.upper()}_EXPORTER"] = "otlp"
        settings[f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"] = endpoint
    return settings


def _observe(
    collectors: Mapping[Signal, str],
    api_host: str,
    exempt: str,
    stage: Stage,
    completed: Completed,
) -> Proxied:
    assert stage.forward is not None
    targets = {_place(stage, name, api_host): name for name in (API, *collectors.values())}
    hosts = exempt.replace(",", " ").split()
    return Proxied(
        {name: place.rpartition(":")[0] in hosts for place, name in targets.items()},
        tuple(
            Asked(
                targets.get(request.target, request.target),
                request.tunnel,
                request.passed_on,
                request.authorization == _CREDENTIALS,
            )
            for request in stage.forward.requests
        ),
    )


def _scenario(
    name: str,
    description: str,
    protocols: tuple[Protocol, ...],
    collectors: Mapping[Signal, str],
    *,
    api_host: str = NEAR,
    variables: tuple[str, str, str] = _UPPER,
    exempt: str = "",
    refused: str = "",
) -> Scenario:
    return Scenario(
        name=name,
        description=description,
        prompt="Take the long way.",
        script=(UseTool("Bash", {"command": "true", "description": "Do nothing"}), Say("There.")),
        backends=_backends(collectors),
        forward=True,
        configure=partial(_configure, collectors, api_host, variables, exempt, refused),
        observe=partial(_observe, collectors, api_host, exempt),
        protocols=protocols,
        judged_only_by_name=True,
    )


_METRICS, _LOGS, _TRACES = Signal.METRICS, Signal.LOGS, Signal.TRACES
_BOTH = (Protocol.GRPC, Protocol.HTTP_PROTOBUF)

SCENARIOS = (
    _scenario(
        "proxied",
        "A session whose collectors, with and without TLS, and model are behind an HTTP proxy "
        "whose URL has credentials (HTTP_PROXY, HTTPS_PROXY); one collector is on its own machine",
        _BOTH,
        {_METRICS: PLAIN, _LOGS: SECURE, _TRACES: NEARBY},
        api_host=FAR,
    ),
    _scenario(
        "proxy_exempt",
        "A session whose model and collector of metrics NO_PROXY exempts from an HTTP proxy, which "
        "refuses to lead to the collector of events",
        (Protocol.HTTP_PROTOBUF,),
        {_METRICS: NEARBY, _LOGS: PLAIN},
        exempt="localhost,127.0.0.1",
        refused=PLAIN,
    ),
    _scenario(
        "proxy_exempt_by_spaces",
        "A session whose model and collectors NO_PROXY exempts from an HTTP proxy, separated by "
        "spaces",
        (Protocol.HTTP_PROTOBUF,),
        {_METRICS: NEARBY, _LOGS: BY_NAME},
        exempt="localhost 127.0.0.1",
    ),
    _scenario(
        "proxied_in_lower_case",
        "A session whose collectors are behind an HTTP proxy that variables in lower case name "
        "(http_proxy, https_proxy); no_proxy exempts its model",
        (Protocol.GRPC,),
        {_METRICS: PLAIN, _LOGS: SECURE},
        variables=_LOWER,
        exempt="127.0.0.1",
    ),
)
