"""Name the place of every text in the items of an export."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.export import Export
from ...capture.names import event_name
from ...otlp.model import Attributes, DataPoint, Event, Span, Value

Text = tuple[str, bytes]


def texts_of(export: Export) -> Iterator[Text]:
    """Yield (place, text) of every text that the items of the export hold.

    A place is named as ``logs tool_result attributes.error``.
    """
    signal = str(export.signal)
    for item in export.items:
        yield from _in_owners(item, signal)
    for point in export.data_points:
        yield from _in_value(point.attributes, f"{signal} {point.metric.name} attributes")
        for part in (point.metric.name, point.metric.description, point.metric.unit):
            yield from _in_value(part, f"{signal} {point.metric.name} definition")
        yield from _in_value(point.metric.metadata, f"{signal} {point.metric.name} metadata")
        for exemplar in point.exemplars:
            yield from _in_value(
                exemplar["filtered_attributes"], f"{signal} {point.metric.name} exemplar"
            )
    for event in export.events:
        name = event_name(event) or "(no name)"
        yield from _in_value(event.attributes, f"{signal} {name} attributes")
        yield from _in_value(event.body, f"{signal} {name} body")
        for part in (event.event_name, event.severity_text):
            yield from _in_value(part, f"{signal} {name} definition")
    for span in export.spans:
        yield from _in_span(span, signal)


def _in_span(span: Span, signal: str) -> Iterator[Text]:
    yield from _in_value(span.attributes, f"{signal} {span.name} attributes")
    yield from _in_value(span.name, f"{signal} span name")
    yield from _in_value(span.status_message, f"{signal} {span.name} status")
    for event in span.events:
        yield from _in_value(event.attributes, f"{signal} {span.name} event {event.name}")
        yield from _in_value(event.name, f"{signal} {span.name} event name")
    for link in span.links:
        yield from _in_value(link.attributes, f"{signal} {span.name} link")


def _in_owners(item: DataPoint | Event | Span, signal: str) -> Iterator[Text]:
    resource, scope = item.resource, item.scope
    yield from _in_value(resource.attributes, f"{signal} resource")
    yield from _in_value(scope.attributes, f"{signal} scope attributes")
    for part in (scope.name, scope.version, scope.schema_url, resource.schema_url):
        yield from _in_value(part, f"{signal} scope")


def _in_value(value: Value, place: str) -> Iterator[Text]:
    match value:
        case Attributes():
            for key, member in value.pairs:
                yield from _in_value(member, f"{place}.{key}")
                yield f"{place} (a key)", key.encode("utf-8", "replace")
        case tuple():
            for member in value:
                yield from _in_value(member, place)
        case str():
            yield place, value.encode("utf-8", "replace")
        case bytes():
            yield place, value
