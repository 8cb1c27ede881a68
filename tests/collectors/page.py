"""Write ``docs/collectors.md``: known pipelines, what is lost in each, and what helps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.report.markdown import escaped
from tests.collectors import otelcol, recordings
from tests.collectors.shapes import SHAPES, Shape

#: The sums of metrics as they were sent, and as a backend behind a pipeline has them.
SUMS = Path(__file__).with_name("sums.golden.json")

#: The numbers of losses, as the pipelines name them.
LOSSES: Mapping[str, str] = {
    "L1": "deltas into the `prometheus` exporter: what does not join onto the point before "
    "replaces the total",
    "L2": "deltas are refused outright, and the sender is told of success",
    "L3": "`increase()` of stored deltas reads a sawtooth",
    "L4": "several processes write one cumulative series, and each overwrites the others",
    "L5": "the first sample of each series is nothing to `increase()`",
    "L6": "series expire while a session pauses, and start anew",
    "L7": "the state of `delta_to_cumulative` is in the memory of one process",
    "L8": "points that became equal, because attributes were removed, are not added up",
    "L9": "names are translated: dots, units, `_total`, a namespace",
    "L10": "attributes of the resource are on `target_info` alone, or twice",
    "L11": "attributes are no labels in a store for logs",
    "L12": "attributes moved to a shared resource: the last record wins",
    "L13": "no pipeline for a signal",
    "L14": "a list of what must not pass does not know what is new",
    "L15": "a list of what may pass does not know what is new",
    "L16": "types: numbers that are strings, stores that know strings only",
    "L17": "events are selected by a name that stands elsewhere",
    "L18": "empty and array values change or vanish",
    "L19": "limits of the number of attributes",
    "L20": "what is sent again comes twice, what is not is lost",
    "L21": "framing and authentication: a receiver that wants a length, headers that do not come",
    "L22": "identity is overwritten",
    "L23": "`service.name` is fixed or filtered",
    "L24": "sampling by what is not known of Claude Code",
    "L25": "a configuration that is applied late, components that were renamed",
}


def page() -> str:
    """Return the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    release = otelcol.release()
    yield "# Collectors: what is lost in them, and what helps"
    yield ""
    yield (
        f"Written by `python docs/generated.py`. Each row is a configuration of the OpenTelemetry "
        f"Collector {release} in `tests/collectors/pipelines/`, in the shape of what people run. "
        f"Our tests send recorded sessions of Claude Code {recordings.release()} through every one "
        "of them, and hold the plugin to exactly these findings. Judge yours with "
        "`pytest --cc-collector-cmd=… --cc-collector-config=…`, as "
        "[Validate a collector](validate_a_collector.md) says."
    )
    yield ""
    yield "## Pipelines"
    yield ""
    yield "| pipeline | what it is | what is lost | what fails | what helps |"
    yield "| --- | --- | --- | --- | --- |"
    for shape in sorted(SHAPES.values(), key=lambda shape: (not shape.fails, shape.name)):
        yield _row(shape)
    yield ""
    yield "## The sums that backends answer with"
    yield ""
    yield (
        "The same sessions, and what stands behind the pipeline: Prometheus 2.42 that scrapes it, "
        "ClickHouse 26.9 that stores it. *sent* is the ground truth."
    )
    yield ""
    yield "| pipeline | backend | metric | sent | stored | missing |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in json.loads(SUMS.read_text(encoding="utf-8")):
        sent, stored = each["sent"], each["stored"]
        cells = (f"`{each['pipeline']}`", each["backend"], f"`{each['metric']}`")
        missing = f"{(sent - stored) / sent:.1%}" if sent != stored else "nothing"
        yield f"| {' | '.join((*cells, f'{sent:,.10g}', f'{stored:,.10g}', missing))} |"
    yield ""
    yield "## The numbers of losses"
    yield ""
    yield "| no. | what happens |"
    yield "| --- | --- |"
    for number, what in LOSSES.items():
        yield f"| {number} | {what} |"


def _row(shape: Shape) -> str:
    fails = ", ".join(f"`{name}`" for name in sorted(shape.fails)) or "nothing"
    if shape.may_fail:
        rest = ", ".join(f"`{name}`" for name in sorted(shape.may_fail))
        fails += f"; {rest}, if a scrape comes between two exports"
    cells = (f"`{shape.name}`", shape.shape, shape.loss, fails, shape.remedy)
    return f"| {' | '.join(map(escaped, cells))} |"
