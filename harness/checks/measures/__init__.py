"""What is measured of a whole run, as items for the schemas of ``schemas/behaviour``.

A measure only measures; the numbers that it is held to stand in the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.capture.capture import Capture
from harness.checks.items import Item
from harness.checks.measures import (
    carried,
    custom_attributes,
    deliveries,
    exporters,
    headers_helper,
    intervals,
    routes,
    session,
    static_headers,
    tls,
)

Measure = Callable[[Capture], Sequence[Item]]

#: The variable whose value a measure reads, for those that do.
ABOUT: Mapping[str, str] = {
    custom_attributes.custom_attributes.__name__: custom_attributes.VARIABLE,
    static_headers.static_headers.__name__: static_headers.VARIABLE,
}

#: By the name that a selector ``{"kind": "measured", "name": …}`` calls it by.
MEASURES: Mapping[str, Measure] = {
    measure.__name__: measure
    for measure in (
        carried.carried,
        custom_attributes.custom_attributes,
        deliveries.deliveries,
        exporters.arrivals,
        exporters.exposition,
        exporters.leaks_out,
        exporters.printed_events,
        exporters.printed_metrics,
        exporters.printed_objects,
        exporters.received,
        exporters.served_metrics,
        headers_helper.helper_exports,
        headers_helper.helper_session,
        intervals.intervals,
        intervals.last_data,
        intervals.last_spans,
        routes.destinations,
        routes.routes,
        session.session,
        static_headers.static_headers,
        tls.tls,
    )
}
