"""Measure by which way a session with a forward proxy reached what it was to reach."""

from __future__ import annotations

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from .observed import API, Asked, Proxied

BY_PROXY, DIRECTLY, IN_VAIN, NOWHERE = "by the proxy", "directly", "in vain", "nowhere"


def proxied(capture: Capture) -> list[Item]:
    """Return one item for each target of a run with a forward proxy: the API, and collectors.

    ``way`` is how requests reached it: ``by the proxy``, ``directly`` (none asked the proxy), or
    ``in vain`` (the proxy was asked, and nothing arrived) and ``nowhere``. ``forms`` are the forms
    of the requests that the proxy got for it, ``authorized`` is whether all of them carried the
    credentials; both are missing where there was none. ``exempt``: NO_PROXY names it.

    A session that asked the model nothing has no item.
    """
    seen = observed(capture.run, Proxied)
    if seen is None or not capture.run.truth.api_calls:
        return []
    arrived = {export.collector for export in capture.accepted} | {API}
    items = []
    for target, exempt in sorted(seen.targets.items()):
        asked = [request for request in seen.asked if request.target == target]
        view: dict[str, object] = {
            "target": target,
            "exempt": exempt,
            "way": _way(asked, arrived=target in arrived),
        }
        if asked:
            view["forms"] = sorted({"tunnel" if a.tunnel else "absolute" for a in asked})
            view["authorized"] = all(request.authorized for request in asked)
        items.append(Item(f"{capture.run.label} · {target}", view))
    return items


def _way(asked: list[Asked], *, arrived: bool) -> str:
    if not asked:
        return DIRECTLY if arrived else NOWHERE
    return BY_PROXY if arrived else IN_VAIN


MEASURES = (proxied,)
