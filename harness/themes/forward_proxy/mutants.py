"""Lies about the target that the requirement names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...capture.capture import Capture
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from .observed import Asked, Proxied

Lie = Callable[[Capture, Requirement], Capture]


def past_the_proxy(capture: Capture, requirement: Requirement) -> Capture:
    """Reach the target without the proxy."""
    target = _target(requirement)
    return edit_observed(
        capture,
        Proxied,
        lambda seen: replace(
            seen, asked=tuple(asked for asked in seen.asked if asked.target != target)
        ),
    )


def by_the_proxy_nevertheless(capture: Capture, requirement: Requirement) -> Capture:
    """Ask the proxy once for a target that is exempt from it."""
    once = Asked(_target(requirement), tunnel=True, passed_on=False, authorized=False)
    return edit_observed(capture, Proxied, lambda seen: replace(seen, asked=(*seen.asked, once)))


def once_without_credentials(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the credentials out of one more request for the target."""
    once = Asked(_target(requirement), tunnel=True, passed_on=True, authorized=False)
    return edit_observed(capture, Proxied, lambda seen: replace(seen, asked=(*seen.asked, once)))


def lost_at_the_proxy(capture: Capture, requirement: Requirement) -> Capture:
    """Export nothing to the collector that only the proxy leads to."""
    target = _target(requirement)
    if not any(export.collector == target for export in capture.exports):
        raise ValueError(f"{capture.run.label} exported nothing to {target}")
    others = tuple(export for export in capture.exports if export.collector != target)
    return replace(capture, exports=others)


def _target(requirement: Requirement) -> str:
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    return str(where["target"])


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        by_the_proxy_nevertheless,
        lost_at_the_proxy,
        once_without_credentials,
        past_the_proxy,
    )
}
