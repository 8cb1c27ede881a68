"""Where exports go and how they travel: general variables and those of one signal.

Each signal has a collector of its own name for where its own variables lead; ``main``
is where the general endpoint leads, ``overridden`` where it must lead nobody.

What decides, for metrics (m), logs (l) and traces (t):

* general variables alone: m and l over each protocol;
* a signal's own alone: m over protobuf, l over gRPC;
* endpoint and protocol of its own: under general gRPC m over JSON, l over protobuf; under
  protobuf m over gRPC, l over JSON and gRPC; under JSON m and t over protobuf, l over gRPC;
* only an endpoint of its own: m under gRPC and protobuf, l under JSON;
* only a protocol of its own: m (protobuf) under JSON, l (JSON) under protobuf;
* variables of its own that are empty: m.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from ...capture.export import MAIN
from ...fakes.script import Say
from ...otlp.model import Protocol, Signal
from ...running.scenario import PROTOCOLS_BY_SIGNAL, Scenario
from ...running.stage import Backend, Stage
from ...subject.process import Completed
from .observed import ApiHeaders

OVERRIDDEN = "overridden"

#: All headers that these scenarios set begin so, but for one that a document shows.
HEADER = "cc-"
_DOCUMENTED = "Authorization=Bearer a-made-up-token"

_OTLP = "OTEL_EXPORTER_OTLP_"
_ON = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
}

#: Wherever a request goes, it can be seen what it was.
_ANY = {f"*{signal}*": signal for signal in Signal}
_BACKENDS = {
    MAIN: Backend(paths=_ANY),
    OVERRIDDEN: Backend(paths=_ANY),
    **{signal.value: Backend(paths={**_ANY, "*": signal}) for signal in Signal},
}

#: A session that would hang, as old releases do, is not waited for any longer.  One that
#: works takes a second, on a busy machine ten.
_LIMIT_S = 40.0

Variables = Callable[[Stage], Mapping[str, str]]


def _general(
    stage: Stage, protocol: str, path: str = "", *, to: str = MAIN, **more: str
) -> dict[str, str]:
    """Return the general variables; ``more`` are named without their common beginning."""
    endpoint = stage.endpoint(to, Protocol(protocol.lower())) + path
    values = {"PROTOCOL": protocol, "ENDPOINT": endpoint, **more}
    return {f"{_OTLP}{name}": value for name, value in values.items()}


def _own(
    stage: Stage, signal: Signal, protocol: str, path: str = "", **more: str
) -> dict[str, str]:
    """Return the variables of ``signal``, which name the collector of the same name."""
    endpoint = stage.endpoint(signal.value, Protocol(protocol.lower())) + path
    values = {"PROTOCOL": protocol, "ENDPOINT": endpoint, **more}
    return {f"{_OTLP}{signal.upper()}_{name}": value for name, value in values.items()}


def _own_headers(signal: Signal) -> str:
    """Return three headers: the signal's own, an encoded one, and one that is also general."""
    return f"cc-{signal}=its-own,cc-encoded=one%20two%2Cthree,cc-both=own"


_GENERAL_HEADERS = "cc-general=for all,cc-both=general"


def _headers_at_the_api(stage: Stage, completed: Completed) -> ApiHeaders:
    """Count the requests to the Messages API with a header that is meant for collectors."""
    carrying = [
        headers
        for headers in stage.api.headers
        if any(name.startswith(HEADER) for name in headers)
        or "a-made-up-token" in " ".join(headers.values())
    ]
    return ApiHeaders(api_requests=len(stage.api.headers), with_otlp_headers=len(carrying))


def _scenario(
    name: str,
    description: str,
    variables: Variables,
    *protocols: Protocol,
    judged_only_by_name: bool = False,
) -> Scenario:
    return Scenario(
        name=name,
        description=description,
        prompt="Where does this go?",
        script=(Say("There."),),
        backends=_BACKENDS,
        configure=lambda stage: {**_ON, **variables(stage)},
        observe=_headers_at_the_api,
        traits=() if name == "general_settings" else (PROTOCOLS_BY_SIGNAL,),
        protocols=protocols,
        judged_only_by_name=judged_only_by_name,
        limit_s=_LIMIT_S if judged_only_by_name else None,
        waits_s=_LIMIT_S if judged_only_by_name else 0.0,
    )


def _all_general(stage: Stage) -> Mapping[str, str]:
    headers = (
        _DOCUMENTED,
        "cc-one=1",
        "Cc-Two=2",
        " cc-spaced = around ",
        "cc-equals=a=b==",
        "cc-encoded=one%20two%2Cthree",
    )
    return _general(
        stage,
        stage.protocol,
        "" if stage.protocol is Protocol.GRPC else "/tenant/7/",
        HEADERS=",".join(headers),
        COMPRESSION="gzip",
    )


def _one_variable_each(stage: Stage) -> Mapping[str, str]:
    """Set an endpoint alone for metrics, a protocol alone for logs."""
    own = {
        **_own(
            stage, Signal.METRICS, "http/protobuf", "/custom/metrics", HEADERS="cc-metrics=its-own"
        ),
        f"{_OTLP}LOGS_PROTOCOL": "http/json",
    }
    del own[f"{_OTLP}METRICS_PROTOCOL"]
    return {**_general(stage, "http/protobuf", "/tenant/7", HEADERS=_GENERAL_HEADERS), **own}


def _one_variable_mirrored(stage: Stage) -> Mapping[str, str]:
    """Set a protocol alone for metrics, an endpoint alone for logs."""
    own = {
        **_own(stage, Signal.LOGS, "http/json", "/custom/logs", HEADERS="cc-logs=its-own"),
        f"{_OTLP}METRICS_PROTOCOL": "http/protobuf",
    }
    del own[f"{_OTLP}LOGS_PROTOCOL"]
    return {**_general(stage, "http/json", "/", HEADERS=_GENERAL_HEADERS), **own}


def _one_endpoint_over_grpc(stage: Stage) -> Mapping[str, str]:
    """Set an endpoint alone for metrics."""
    own = _own(stage, Signal.METRICS, "grpc", HEADERS="cc-metrics=its-own")
    del own[f"{_OTLP}METRICS_PROTOCOL"]
    return {**_general(stage, "grpc", "/", HEADERS=_GENERAL_HEADERS), **own}


def _logs_differ(stage: Stage) -> Mapping[str, str]:
    unset = ("ENDPOINT", "PROTOCOL", "HEADERS", "COMPRESSION")
    return {
        **_general(stage, "http/protobuf", "/tenant/7", HEADERS=_GENERAL_HEADERS),
        **_own(stage, Signal.LOGS, "grpc", HEADERS="cc-logs=its-own"),
        **{f"{_OTLP}METRICS_{name}": "" for name in unset},
    }


def _traces_differ(stage: Stage) -> Mapping[str, str]:
    return {
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_TRACES_EXPORTER": "otlp",
        **_general(stage, "http/json", HEADERS=_GENERAL_HEADERS),
        **_own(
            stage, Signal.TRACES, "http/protobuf", "/custom/traces", HEADERS="cc-traces=its-own"
        ),
    }


def _both_differ(
    metrics: tuple[str, str], logs: tuple[str, str], stage: Stage
) -> Mapping[str, str]:
    """Configure protocol and path of each signal; the general variables must lead nobody."""
    return {
        **_general(stage, stage.protocol, to=OVERRIDDEN, HEADERS=_GENERAL_HEADERS),
        f"{_OTLP}COMPRESSION": "gzip",
        **_own(stage, Signal.METRICS, *metrics, HEADERS=_own_headers(Signal.METRICS)),
        **_own(stage, Signal.LOGS, *logs, HEADERS=_own_headers(Signal.LOGS), COMPRESSION="none"),
    }


def _nothing_general(stage: Stage) -> Mapping[str, str]:
    """Configure each signal alone, as the documents show it for different backends."""
    return {
        **_own(stage, Signal.METRICS, "http/protobuf", "/v1/metrics", HEADERS=_DOCUMENTED),
        **_own(stage, Signal.LOGS, "grpc"),
    }


def _other_case(stage: Stage) -> Mapping[str, str]:
    return {
        **_general(stage, "Http/Json"),
        **_own(stage, Signal.METRICS, "GRPC"),
    }


def _one_protocol(stage: Stage) -> Mapping[str, str]:
    variables = {
        **_general(stage, "http/protobuf"),
        **_own(stage, Signal.METRICS, "http/json", "/"),
    }
    del variables[f"{_OTLP}PROTOCOL"]
    return variables


SCENARIOS = (
    _scenario(
        "general_settings",
        "A session whose general endpoint has a path that ends with a slash, with several "
        "headers, and compressed",
        _all_general,
        *Protocol,
    ),
    _scenario(
        "one_variable_each",
        "A session with an endpoint of its own for metrics, a protocol of its own for logs, and "
        "the general ones for the rest",
        _one_variable_each,
        Protocol.HTTP_PROTOBUF,
    ),
    _scenario(
        "one_variable_mirrored",
        "A session with a protocol of its own for metrics, an endpoint of its own for logs, and "
        "the general ones for the rest, whose endpoint has the path `/`",
        _one_variable_mirrored,
        Protocol.HTTP_JSON,
    ),
    _scenario(
        "one_endpoint_over_grpc",
        "A session with an endpoint of its own for metrics, and a general one for gRPC that "
        "ends with a slash",
        _one_endpoint_over_grpc,
        Protocol.GRPC,
    ),
    _scenario(
        "logs_differ",
        "A session with an endpoint, a protocol and headers of its own for logs, and general "
        "ones for metrics, whose own variables are empty",
        _logs_differ,
        Protocol.HTTP_PROTOBUF,
    ),
    _scenario(
        "general_grpc_overridden",
        "A session whose metrics are sent over HTTP in JSON and logs in protobuf, to endpoints "
        "with a path, in spite of general settings for gRPC",
        partial(_both_differ, ("http/json", "/custom/metrics"), ("http/protobuf", "/custom/logs/")),
        Protocol.GRPC,
    ),
    _scenario(
        "general_protobuf_overridden",
        "A session whose metrics are sent over gRPC and logs over HTTP in JSON, to endpoints "
        "without a path, in spite of general settings for protobuf",
        partial(_both_differ, ("grpc", ""), ("http/json", "")),
        Protocol.HTTP_PROTOBUF,
    ),
    _scenario(
        "general_json_overridden",
        "A session whose metrics are sent over HTTP in protobuf and logs over gRPC, to endpoints "
        "without a path, in spite of general settings for JSON",
        partial(_both_differ, ("http/protobuf", ""), ("grpc", "")),
        Protocol.HTTP_JSON,
    ),
    _scenario(
        "nothing_general",
        "A session with endpoints and protocols for metrics and for logs, and no general ones",
        _nothing_general,
        Protocol.HTTP_PROTOBUF,
    ),
    _scenario(
        "traces_differ",
        "A session with an endpoint, a protocol and headers of its own for traces",
        _traces_differ,
        Protocol.HTTP_JSON,
        judged_only_by_name=True,
    ),
    _scenario(
        "protocols_in_other_case",
        "A session whose protocols are written in another case than the documented one",
        _other_case,
        Protocol.HTTP_JSON,
        judged_only_by_name=True,
    ),
    _scenario(
        "one_protocol",
        "A session that sets a protocol for metrics and none for logs",
        _one_protocol,
        Protocol.HTTP_JSON,
        judged_only_by_name=True,
    ),
)
