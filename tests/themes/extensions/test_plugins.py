"""What was logged of the plugin of a session, against what it consists of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.themes.extensions import plugin_measures
from harness.themes.extensions.observed import ConfiguredPlugin, Hooked

if TYPE_CHECKING:
    from tests.conftest import Viewer

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))
PLUGIN = ConfiguredPlugin("tidy", "1.2.3", "SubagentStop", 1, 1, 1)
TOLD = {
    "plugin.name": "tidy",
    "marketplace.name": "inline",
    "plugin.version": "1.2.3",
    "plugin.scope": "user-local",
    "enabled_via": "user-install",
    "plugin_id_hash": "0a1b",
    "has_hooks": True,
    "has_mcp": False,
    "host_owned_mcp": False,
    "skill_path_count": 1,
    "command_path_count": 1,
    "agent_path_count": 1,
    "safe_mode": "false",
}
BUNDLED = {**TOLD, "plugin.scope": "default-bundle", "plugin.name": "other"}
HOOK = {"hook_event": "SubagentStop", "hook_source": "pluginHook", "plugin_id_hash": "0a1b"}


def event(name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}


def views(
    viewer: Viewer, measure: str, *events: dict[str, Any], plugin: ConfiguredPlugin | None = PLUGIN
) -> list[Mapping[str, Any]]:
    capture = viewer(
        events=list(events), truth=ASKED, observed=as_observed(Hooked((), (), 1000, plugin))
    ).capture
    return [item.view for item in getattr(plugin_measures, measure)(capture)]


@pytest.mark.parametrize(
    ("told", "missing", "extra"),
    [
        ((), 1, 0),
        ((TOLD,), 0, 0),
        ((TOLD, BUNDLED), 0, 0),
        ((BUNDLED,), 1, 0),
        ((TOLD, TOLD), 0, 1),
    ],
)
def test_plugins_that_come_with_a_release_are_not_counted(
    viewer: Viewer, told: tuple[Mapping[str, Any], ...], missing: int, extra: int
) -> None:
    events = [event("plugin_loaded", each) for each in told]
    assert views(viewer, "plugins_loaded", *events) == [{"missing": missing, "extra": extra}]


def test_what_is_shown_is_not_hidden(viewer: Viewer) -> None:
    (view,) = views(
        viewer, "plugins_described", event("plugin_loaded", TOLD), event("hook_registered", HOOK)
    )
    assert {name for name, right in view.items() if not right} == {
        "hidden",
        "marketplace_hidden",
        "version_hidden",
    }


def test_what_is_hidden_is_not_shown(viewer: Viewer) -> None:
    hidden = {**TOLD, "plugin.name": "third-party", "marketplace.name": "third-party"}
    del hidden["plugin.version"]
    (view,) = views(
        viewer, "plugins_described", event("plugin_loaded", hidden), event("hook_registered", HOOK)
    )
    assert {name for name, right in view.items() if not right} == {
        "named",
        "marketplace_shown",
        "version_shown",
    }


@pytest.mark.parametrize("hooks", [(), (HOOK, {**HOOK, "plugin_id_hash": "ffff"})])
def test_a_hash_that_no_hook_has_or_only_one_is_not_the_same(
    viewer: Viewer, hooks: tuple[Mapping[str, Any], ...]
) -> None:
    logged = [event("hook_registered", hook) for hook in hooks]
    (view,) = views(viewer, "plugins_described", event("plugin_loaded", TOLD), *logged)
    assert view["same_hash"] is False


def test_hooks_of_settings_files_that_tell_of_a_plugin_are_counted(viewer: Viewer) -> None:
    own = {"hook_event": "Stop", "hook_source": "userSettings", "plugin.name": "third-party"}
    logged = [event("hook_registered", each) for each in (own, HOOK)]
    assert views(viewer, "other_hooks", *logged) == [{"named": 1, "hashed": 0}]


def test_a_session_without_a_plugin_has_nothing(viewer: Viewer) -> None:
    events = [event("plugin_loaded", TOLD), event("hook_registered", HOOK)]
    assert not any(
        views(viewer, measure.__name__, *events, plugin=None)
        for measure in plugin_measures.MEASURES
    )
