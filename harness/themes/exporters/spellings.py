"""Sessions whose exporters are named in other spellings, twice, or not at all known."""

from __future__ import annotations

from ...fakes.script import Say
from ...otlp.model import Protocol
from ...running.scenario import PATIENCE, Scenario

#: Its metrics have an exporter that is named twice.
DOUBLED = "exporter_doubled"

#: 2.1.31 does not end without exporters.
_LIMIT_S = 30.0


def _named(name: str, description: str, metrics: str, logs: str) -> Scenario:
    return Scenario(
        name=name,
        description=description,
        prompt="Say it.",
        script=(Say("Said."),),
        environment={
            **PATIENCE,
            "OTEL_METRICS_EXPORTER": metrics,
            "OTEL_LOGS_EXPORTER": logs,
        },
        protocols=(Protocol.HTTP_PROTOBUF,),
        judged_only_by_name=True,
        limit_s=_LIMIT_S,
    )


SPELLINGS = (
    _named(
        "exporters_in_other_case",
        "A session whose exporters are written in another case than the documented one",
        "OTLP",
        "Otlp",
    ),
    _named(
        "exporter_unknown",
        "A session that names an exporter for metrics that does not exist",
        "pigeon",
        "otlp",
    ),
    _named(
        DOUBLED,
        "A session that names the exporter of metrics twice, and that of events between spaces",
        "otlp,otlp",
        " otlp ",
    ),
)
