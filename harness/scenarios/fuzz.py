"""One short session with free-form input: the cheapest that exports a metric and an event."""

from __future__ import annotations

from dataclasses import dataclass

from harness.otlp.model import Protocol
from harness.scenarios.scenario import Scenario
from harness.subject.script import Say

#: What every run of drawn input is called.
FUZZ = "fuzz"


@dataclass(frozen=True, slots=True)
class Input:
    """What a session is given: OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS (empty:
    not set) and a prompt."""

    protocol: Protocol
    attributes: str = ""
    headers: str = ""
    prompt: str = "Go."


def fuzzed(given: Input) -> Scenario:
    """The scenario of one session with this input."""
    variables = {
        "OTEL_RESOURCE_ATTRIBUTES": given.attributes,
        "OTEL_EXPORTER_OTLP_HEADERS": given.headers,
    }
    return Scenario(
        name=FUZZ,
        says="A short session with drawn input",
        prompt=given.prompt,
        script=(Say("Done."),),
        environment={name: text for name, text in variables.items() if text},
        protocols=(given.protocol,),
    )
