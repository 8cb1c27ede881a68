"""Where the attributes of OTEL_RESOURCE_ATTRIBUTES arrived, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.baggage.pairs import Reading, read
from harness.capture.capture import Capture
from harness.checks.items import Item
from harness.otlp.model import Attributes, Signal

VARIABLE = "OTEL_RESOURCE_ATTRIBUTES"

#: What the resource says of itself, as the documents name it.
_OF_THE_RESOURCE = frozenset(
    {"service.name", "service.version", "os.type", "os.version", "host.arch", "wsl.version"}
)
#: The standard attributes of data points and events.
_STANDARD = frozenset(
    {
        *("session.id", "app.version", "app.entrypoint", "organization.id", "terminal.type"),
        *("user.account_uuid", "user.account_id", "user.id", "user.email"),
    }
)
_KINDS = {"resource": _OF_THE_RESOURCE, "labels": _STANDARD}


def custom_attributes(capture: Capture) -> list[Item]:
    """One item for each place and run with the variable set.

    ``kind`` is ``resource`` or ``labels`` (attributes of data points and events), and
    ``signal`` says whose.  ``quirks`` are the oddities of the text.  ``collides`` are its
    keys that the place has of its own; they are left out of the rest.  Of well-formed
    pairs, ``missing`` are those that some item lacks and ``changed`` those that came as
    something else; ``kept`` are malformed ones that came nevertheless; ``added`` are
    attributes of the resource that nobody speaks of.  ``overridden`` are the colliding
    keys that came with the text's value.  ``others``: whether of the well-formed pairs of
    a malformed text ``all``, ``some`` or ``none`` came.  ``differs``: custom attributes of
    an item's resource that the item has not, or otherwise.  ``encoded``: something in the
    text is percent-encoded.
    """
    text = capture.run.environment.get(VARIABLE)
    if text is None:
        return []
    reading = read(text)
    return [
        Item(
            f"{capture.run.label} · {VARIABLE}={text!r} · {kind} of {signal}",
            {
                **_view(reading, kind, str(signal), [own for own, _ in seen]),
                "encoded": "%" in text,
                "differs": _differences(seen),
            },
        )
        for (kind, signal), seen in _places(capture).items()
        if seen
    ]


#: The attributes of one item at a place, and those of its resource.
_Seen = Sequence[tuple[Attributes, Attributes]]


def _places(capture: Capture) -> Mapping[tuple[str, Signal], _Seen]:
    found: dict[tuple[str, Signal], list[tuple[Attributes, Attributes]]] = {}
    signals = ((Signal.METRICS, capture.data_points()), (Signal.LOGS, capture.events()))
    for signal, items in signals:
        resources = [item.resource.attributes for item in items]
        found["resource", signal] = [(each, each) for each in resources]
        own = [item.attributes for item in items]
        found["labels", signal] = list(zip(own, resources, strict=True))
    return found


def _differences(seen: _Seen) -> list[str]:
    return sorted(
        {
            key
            for own, resource in seen
            for key, value in resource.items()
            if key not in _OF_THE_RESOURCE | _STANDARD and own.get(key) != value
        }
    )


def _view(
    reading: Reading, kind: str, signal: str, seen: Sequence[Attributes]
) -> Mapping[str, Any]:
    own = _KINDS[kind]
    wanted = {key: value for key, value in reading.attributes.items() if key not in own}
    missing = [key for key in wanted if any(key not in each for each in seen)]
    return {
        "kind": kind,
        "signal": signal,
        "quirks": sorted(reading.quirks),
        "collides": sorted(own & {member.key for member in reading.members}),
        "missing": missing,
        "changed": {
            key: values
            for key, value in wanted.items()
            if (values := sorted({str(each[key]) for each in seen if key in each} - {value}))
        },
        "kept": sorted(_kept(reading, wanted, seen)),
        "added": sorted({key for each in seen for key in each} - own - wanted.keys())
        if kind == "resource"
        else [],
        "overridden": sorted(
            member.key
            for member in reading.members
            if member.key in own and any(each.get(member.key) == member.value for each in seen)
        ),
        "others": _others(len(wanted), len(missing)),
    }


def _kept(reading: Reading, wanted: Mapping[str, str], seen: Sequence[Attributes]) -> Iterator[str]:
    for member in reading.members:
        odd = not member.well_formed and member.key not in wanted
        if odd and any(member.key in each for each in seen):
            yield member.key


def _others(wanted: int, missing: int) -> str:
    if not missing:
        return "all"
    return "none" if missing == wanted else "some"
