"""Tell what becomes of each kind of odd input in the free-form variables."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...contract.requirement import DRAWN
from ...drift.facts import Fact, Topic
from . import custom_attributes, static_headers

_MEASURES = {
    custom_attributes.VARIABLE: custom_attributes.custom_attributes,
    static_headers.VARIABLE: static_headers.static_headers,
}


def arrived(capture: Capture) -> Iterator[Fact]:
    """Yield for each kind of odd input whether what is sound in it arrives, and unchanged.

    Only texts with one kind of oddity tell of it: otherwise another one may be at fault.
    """
    if DRAWN not in capture.run.traits:
        return
    for variable, measure in _MEASURES.items():
        for item in measure(capture):
            view = item.view
            if view["kind"] == "session" or len(view.get("quirks", ())) > 1:
                continue
            (quirk,) = view.get("quirks") or ("nothing",)
            place = f"{view['kind']} of {view.get('signal', 'events')}"
            about = f"{variable} with {quirk} odd: {place}"
            for value in _values(dict(view)):
                yield Fact(Topic.INPUT, about, value)


def _values(view: dict[str, object]) -> Iterator[str]:
    if view.get("arrived") == 0:
        yield "nothing is sent"
        return
    if "others" in view:
        yield f"{view['others']} of the sound pairs"
    for name, words in (("wrong", "another value"), ("kept", "odd pairs"), ("lost", "loses own")):
        if view.get(name):
            yield words
    if not view.get("wrong"):
        yield "as it was"


FACTS = (arrived,)
