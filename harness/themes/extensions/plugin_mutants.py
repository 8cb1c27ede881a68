"""Lies about the plugin of a session."""

from __future__ import annotations

from collections.abc import Mapping

from ...mutants import editing
from ...mutants.events import Lie, adding, lie, setting
from .plugins import NAME, PLUGIN

_LOADED = {"event.name": "plugin_loaded", "plugin.scope": "user-local"}
_OTHER_HOOK = {"event.name": "hook_registered", "hook_source": "userSettings"}
_HOOK = {"event.name": "hook_registered", "hook_event": PLUGIN.hook_event}


_LIES = (
    lie("plugin_not_logged", "Log no plugin.", _LOADED, editing.remove),
    lie("plugin_logged_twice", "Log a plugin twice.", _LOADED, editing.repeat),
    lie("plugin_name_shown", "Name a plugin.", _LOADED, setting("plugin.name", NAME)),
    lie(
        "another_plugin_name",
        "Hide the name of a plugin that is to be shown.",
        _LOADED,
        setting("plugin.name", "third-party"),
    ),
    lie("marketplace_shown", "Name a marketplace.", _LOADED, setting("marketplace.name", "closet")),
    lie(
        "marketplace_hidden",
        "Hide the name of a marketplace that is to be shown.",
        _LOADED,
        setting("marketplace.name", "third-party"),
    ),
    lie(
        "plugin_version_shown",
        "Give the version of a plugin whose name is hidden.",
        _LOADED,
        setting("plugin.version", PLUGIN.version),
    ),
    lie(
        "another_plugin_version",
        "Give another version of a plugin.",
        _LOADED,
        setting("plugin.version", "0.0.0"),
    ),
    lie(
        "plugin_of_an_organisation",
        "Call a person's plugin one of an organisation.",
        _LOADED,
        setting("plugin.scope", "org"),
    ),
    lie(
        "plugin_by_policy",
        "Call a plugin that a person chose one of a policy.",
        _LOADED,
        setting("enabled_via", "org-policy"),
    ),
    lie(
        "another_plugin_hash",
        "Give a hash that the plugin's hooks do not have.",
        _LOADED,
        setting("plugin_id_hash", "0123456789abcdef"),
    ),
    lie("no_hooks", "Tell of no hooks.", _LOADED, setting("has_hooks", value=False)),
    lie("with_mcp", "Tell of servers of MCP.", _LOADED, setting("has_mcp", value=True)),
    lie(
        "mcp_of_a_host",
        "Tell of a host that manages servers of MCP.",
        _LOADED,
        setting("host_owned_mcp", value=True),
    ),
    lie("skill_folder_more", "Count one folder more.", _LOADED, adding("skill_path_count", 1)),
    lie("command_folder_more", "Count one folder more.", _LOADED, adding("command_path_count", 1)),
    lie("agent_folder_more", "Count one folder more.", _LOADED, adding("agent_path_count", 1)),
    lie("plugin_in_safe_mode", "Tell of safe mode.", _LOADED, setting("safe_mode", "true")),
    lie("plugin_of_hook_shown", "Name a plugin.", _HOOK, setting("plugin.name", NAME)),
    lie(
        "another_plugin_of_hook",
        "Hide the plugin of a hook that is to be shown.",
        _HOOK,
        setting("plugin.name", "third-party"),
    ),
    lie(
        "hook_called_of_a_plugin",
        "Name a plugin of a hook that is of none.",
        _OTHER_HOOK,
        setting("plugin.name", "third-party"),
    ),
    lie(
        "hook_hashed",
        "Give the hash of a plugin with a hook that is of none.",
        _OTHER_HOOK,
        setting("plugin_id_hash", "0123456789abcdef"),
    ),
)

LIES: Mapping[str, Lie] = {each.__name__: each for each in _LIES}
