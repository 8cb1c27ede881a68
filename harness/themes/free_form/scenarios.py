"""Make short sessions with free-form input: the cheapest that export a metric and an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...contract.attribute_keys import resource_keys
from ...env_lists.pairs import read
from ...fakes.script import Say
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ..canaries import CANARIES
from .custom_attributes import MOST_LABELS

#: What is asked where the prompt is not the point.
PROMPT = "Go."

#: Such a session takes a second: one that is still there then hangs.
_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Input:
    """The free-form input of a session: two variables and a prompt.

    ``attributes`` is OTEL_RESOURCE_ATTRIBUTES, ``headers`` OTEL_EXPORTER_OTLP_HEADERS (empty: not
    set); ``labels`` is whether custom attributes may be labels of data points. ``whole`` is false
    for input that may stop telemetry altogether.
    """

    protocol: Protocol
    attributes: str = ""
    headers: str = ""
    prompt: str = PROMPT
    labels: bool = True
    whole: bool = True

    @property
    def environment(self) -> Mapping[str, str]:
        variables = {
            "OTEL_RESOURCE_ATTRIBUTES": self.attributes,
            "OTEL_EXPORTER_OTLP_HEADERS": self.headers,
            "OTEL_METRICS_INCLUDE_RESOURCE_ATTRIBUTES": "" if self.labels else "false",
        }
        return {name: text for name, text in variables.items() if text}


def fuzzed(given: Input) -> Scenario:
    """Make the scenario of one session with this input."""
    hidden = {"prompt": CANARIES["prompt"]}
    return Scenario(
        name="fuzz",
        description="A short session with drawn input",
        prompt=given.prompt,
        script=(Say("Done."),),
        environment=given.environment,
        canaries={name: text for name, text in hidden.items() if text in given.prompt},
        protocols=(given.protocol,),
        limit_s=_LIMIT_S,
        judged_only_by_name=not given.whole or _disturbs(given.attributes),
        drawn=True,
    )


def _disturbs(attributes: str) -> bool:
    """Return whether these attributes leave other promises without the telemetry they need.

    A run with such attributes is judged only by name, so that the same fault is found once.
    """
    keys = [member.key for member in read(attributes).members]
    return len(keys) > MOST_LABELS or any(key in resource_keys().required for key in keys)


#: What stands for all of them where scenarios are listed.
FUZZ = replace(fuzzed(Input(Protocol.GRPC)), protocols=tuple(Protocol))

SCENARIOS = (FUZZ,)
