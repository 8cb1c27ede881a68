"""Measure what was logged of the plugin of a session, against what it consists of."""

from __future__ import annotations

from collections.abc import Mapping

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from ...otlp.model import Event
from .observed import OF_A_PLUGIN, ConfiguredPlugin, Hooked

#: Of plugins that a release brings with it we know nothing.
_BUNDLED = "default-bundle"

#: What stands for names that are not shown.
_ANY_PLUGIN = "third-party"


def plugins_loaded(capture: Capture) -> list[Item]:
    """Return one item for a session with a plugin: how often it was logged as loaded.

    ``missing`` is a plugin without an event, ``extra`` are events without a plugin; those that come
    with the release are not counted.
    """
    plugin, events = _plugin(capture), _loaded(capture)
    if plugin is None or not capture.run.truth.api_calls:
        return []
    counted = {"missing": max(0, 1 - len(events)), "extra": max(0, len(events) - 1)}
    return [Item(f"{capture.run.label} · plugins", counted)]


def plugins_described(capture: Capture) -> list[Item]:
    """Return one item for each event of a session's own plugin: what it tells rightly."""
    plugin = _plugin(capture)
    if plugin is None:
        return []
    hooks = _hooks(capture, plugin)
    return [
        Item(f"{capture.run.label} · plugin loaded", _described(event, plugin, hooks))
        for event in _loaded(capture)
    ]


def plugin_hooks(capture: Capture) -> list[Item]:
    """Return one item for each hook of a session's own plugin that was logged: how it is named."""
    plugin = _plugin(capture)
    if plugin is None:
        return []
    return [
        Item(f"{capture.run.label} · hook of a plugin", _named(event, plugin))
        for event in _hooks(capture, plugin)
    ]


def other_hooks(capture: Capture) -> list[Item]:
    """Return one item for the hooks of settings files: how many tell of a plugin."""
    events = [
        event
        for event in capture.events("hook_registered")
        if event.attributes.get("hook_source") != OF_A_PLUGIN
    ]
    if _plugin(capture) is None or not events:
        return []
    told = {
        name: sum(key in event.attributes for event in events)
        for name, key in (("named", "plugin.name"), ("hashed", "plugin_id_hash"))
    }
    return [Item(f"{capture.run.label} · hooks of settings files", told)]


def _described(
    event: Event, plugin: ConfiguredPlugin, hooks: tuple[Event, ...]
) -> Mapping[str, bool]:
    told = event.attributes
    counts = {
        "skills": ("skill_path_count", plugin.skill_paths),
        "commands": ("command_path_count", plugin.command_paths),
        "agents": ("agent_path_count", plugin.agent_paths),
    }
    hashes = {hook.attributes.get("plugin_id_hash") for hook in hooks}
    return {
        **_named(event, plugin),
        "marketplace_hidden": told.get("marketplace.name") == _ANY_PLUGIN,
        "marketplace_shown": told.get("marketplace.name") not in (None, "", _ANY_PLUGIN),
        "version_shown": told.get("plugin.version") == plugin.version,
        "version_hidden": "plugin.version" not in told,
        "local": told.get("plugin.scope") == "user-local",
        "installed": told.get("enabled_via") == "user-install",
        "same_hash": hashes == {told.get("plugin_id_hash")},
        "hooks": told.get("has_hooks") is True,
        "no_mcp": told.get("has_mcp") is False,
        "no_host": told.get("host_owned_mcp") is False,
        **{name: told.get(key) == count for name, (key, count) in counts.items()},
        "not_safe": told.get("safe_mode") == "false",
    }


def _named(event: Event, plugin: ConfiguredPlugin) -> dict[str, bool]:
    name = event.attributes.get("plugin.name")
    return {"named": name == plugin.name, "hidden": name == _ANY_PLUGIN}


def _plugin(capture: Capture) -> ConfiguredPlugin | None:
    hooked = observed(capture.run, Hooked)
    return hooked.plugin if hooked else None


def _loaded(capture: Capture) -> tuple[Event, ...]:
    return tuple(
        event
        for event in capture.events("plugin_loaded")
        if event.attributes.get("plugin.scope") != _BUNDLED
    )


def _hooks(capture: Capture, plugin: ConfiguredPlugin) -> tuple[Event, ...]:
    """Return the events of the plugin's hooks; those that come with a release have others."""
    return capture.events("hook_registered", hook_source=OF_A_PLUGIN, hook_event=plugin.hook_event)


MEASURES = (plugins_loaded, plugins_described, plugin_hooks, other_hooks)
