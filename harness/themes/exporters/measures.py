"""Measure what reached the collectors, the console and the Prometheus endpoint."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import median
from typing import Any

from ...capture.capture import Capture
from ...capture.observed import observed
from ...exposition import CONSOLE, PROMETHEUS, is_exposed
from ...exposition.prometheus import label_of, openmetrics_lines, problems
from ...judging.items.item import Item
from ...otlp.model import DataPoint, Event, Signal
from .observed import Endpoint, Scrape


def _worked(capture: Capture) -> bool:
    """Return whether the session did its work: only then could it have exported something."""
    return bool(capture.run.truth.api_calls) and capture.run.exit_code == 0


def leaks_out(capture: Capture) -> list[Item]:
    """Return one item that counts everything that left the session, in whatever way.

    There is none unless the probe connection that was made before the session was observed: only
    then is it known that connections are recorded.
    """
    run = capture.run
    during = [
        connection.opened_unix_nano >= run.started_unix_nano for connection in capture.connections
    ]
    if not _worked(capture) or all(during):
        return []
    endpoint = observed(run, Endpoint)
    view = {
        "connections": sum(during),
        "printed": sum(map(is_exposed, capture.exports)),
        "served": endpoint.served if endpoint else None,
    }
    return [Item(f"{run.label} · what left the session", view)]


def reaches(capture: Capture) -> list[Item]:
    """Return one item for a session whose network was watched: what it tried to reach.

    Its collectors and the model's API are on this machine, and are no part of that.
    """
    truth = capture.run.truth
    if not _worked(capture) or truth.unwatched:
        return []
    return [Item(f"{capture.run.label} · its network", {"reached": list(truth.reached)})]


def arrivals(capture: Capture) -> list[Item]:
    """Return one item with the number of accepted items of each signal."""
    counts = {signal.value: 0 for signal in Signal}
    for export in capture.accepted:
        if export.signal is not None:
            counts[export.signal.value] += len(export.items)
    if not _worked(capture):
        return []
    return [Item(f"{capture.run.label} · what arrived", counts)]


def received(capture: Capture) -> list[Item]:
    """Return one item with what each collector got, the console and the scraper among them.

    For each of them: the items by signal, the requests by protocol, each value of the header
    ``authorization``, in how many ``batches`` (different times) the data points came, and from
    the third batch on the ``usual_gap_s`` between two of them.
    """
    if not _worked(capture):
        return []
    view: dict[str, dict[str, Any]] = {}
    for export in capture.exports:
        got = view.setdefault(
            export.collector,
            {"metrics": 0, "logs": 0, "protocols": {}, "authorization": [], "times": set()},
        )
        got["metrics"] += len(export.data_points)
        got["logs"] += len(export.events)
        got["times"] |= {point.time_unix_nano for point in export.data_points}
        authorization = export.joined_headers.get("authorization", "")
        if authorization not in got["authorization"]:
            got["authorization"].append(authorization)
        if export.protocol is not None:
            protocols = got["protocols"]
            protocols[export.protocol.value] = protocols.get(export.protocol.value, 0) + 1
    for got in view.values():
        times = sorted(got.pop("times"))
        got["batches"] = len(times)
        if len(times) > 2:
            got["usual_gap_s"] = median(b - a for a, b in pairwise(times)) / 1e9
    scrape = observed(capture.run, Scrape)
    scraped = scrape.url if scrape else None
    return [Item(f"{capture.run.label} · what each got", {**view, "scraped": scraped})]


def printed_metrics(capture: Capture) -> list[Item]:
    """Return one item for each stream of data points: its total as exported and as printed."""
    return _alike(capture, CONSOLE)


def served_metrics(capture: Capture) -> list[Item]:
    """Return one item for each stream of data points: its total as exported and as scraped."""
    return _alike(capture, PROMETHEUS)


def _alike(capture: Capture, collector: str) -> list[Item]:
    sent = [export for export in capture.accepted if not is_exposed(export)]
    exported = _totals(point for export in sent for point in export.data_points)
    shown = _totals(
        point
        for export in capture.accepted
        if export.collector == collector
        for point in export.data_points
    )
    if not exported:
        return []
    return [
        Item(
            f"{capture.run.label} · {collector} · {stream[0]} {stream[1]}",
            {
                "metric": stream[0],
                "exported": exported.get(stream),
                "shown": shown.get(stream),
                "difference": shown.get(stream, 0.0) - exported.get(stream, 0.0),
            },
        )
        for stream in sorted({*exported, *shown})
    ]


def _totals(points: Iterable[DataPoint]) -> Mapping[tuple[str, str], float]:
    """Return the total of each stream.

    Attributes are written as Prometheus has them, for its form holds least.
    """
    totals: dict[tuple[str, str], float] = defaultdict(float)
    for point in points:
        stream = (point.metric.name, _labels(point.attributes))
        value = float(point.value or 0)
        if point.metric.temporality == "cumulative":
            totals[stream] = value
        else:
            totals[stream] += value
    return totals


def _labels(attributes: Mapping[str, Any]) -> str:
    texts = {
        label_of(key): str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in attributes.items()
    }
    return json.dumps(texts, sort_keys=True)


def printed_events(capture: Capture) -> list[Item]:
    """Return one item for each event: how many copies of it were exported but not printed."""
    exported = Counter(
        _fingerprint(event)
        for export in capture.accepted
        if not is_exposed(export)
        for event in export.events
    )
    printed = Counter(
        _fingerprint(event)
        for export in capture.accepted
        if export.collector == CONSOLE
        for event in export.events
    )
    if not exported:
        return []
    return [
        Item(
            f"{capture.run.label} · event {fingerprint[:200]}",
            {"missing": exported[fingerprint] - printed[fingerprint]},
        )
        for fingerprint in sorted({*exported, *printed})
    ]


def _fingerprint(event: Event) -> str:
    """Return everything that the console shows of an event, as one text to compare."""
    return json.dumps(
        [
            event.body,
            event.time_unix_nano // 1000,
            _as_javascript(event.attributes),
            event.scope.name,
            event.scope.version,
            _as_javascript(event.resource.attributes),
            event.severity_number,
            event.trace_id,
            event.span_id,
        ],
        default=str,
        sort_keys=True,
    )


def _as_javascript(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write whole floats as integers, as JavaScript prints its only kind of number."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in attributes.items()
    }


def printed_objects(capture: Capture) -> list[Item]:
    """Return one item for each printed object, with the reason why it cannot be read, if any."""
    return [
        Item(
            f"{capture.run.label} · {export.path}",
            {"problem": export.rejected or str(export.decode_error or "")},
        )
        for export in capture.exports
        if export.collector == CONSOLE and is_exposed(export)
    ]


def exposition(capture: Capture) -> list[Item]:
    """Return one item for the text that was scraped, with what is wrong with it."""
    scrape = observed(capture.run, Scrape)
    if scrape is None:
        return []
    view = {
        "content_type": scrape.content_type,
        "problems": problems(scrape.text),
        "openmetrics": openmetrics_lines(scrape.text),
    }
    return [Item(f"{capture.run.label} · {scrape.url}", view)]


MEASURES = (
    arrivals,
    exposition,
    leaks_out,
    reaches,
    printed_events,
    printed_metrics,
    printed_objects,
    received,
    served_metrics,
)
