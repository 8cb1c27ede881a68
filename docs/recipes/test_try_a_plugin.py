"""Try a plugin and hooks: the session loads both, and its telemetry tells that they ran."""

import json

MANIFEST = {"name": "greeter", "version": "1.0.0"}


def hook(event, command):
    return {event: [{"hooks": [{"type": "command", "command": command}]}]}


def test_hooks_of_a_plugin_and_of_settings_run(claude, tmp_path):
    plugin = tmp_path / "greeter"  # in place of the folder of yours; the session gets a copy
    copied = f'cp "$CLAUDE_PLUGIN_ROOT/.claude-plugin/plugin.json" "{tmp_path}/loaded"'
    files = {
        ".claude-plugin/plugin.json": MANIFEST,
        "hooks/hooks.json": {"hooks": hook("UserPromptSubmit", copied)},
    }
    for name, content in files.items():
        (plugin / name).parent.mkdir(parents=True)
        (plugin / name).write_text(json.dumps(content))

    session = claude(
        plugins=[plugin],
        settings={"hooks": hook("SessionStart", f'touch "{tmp_path}/started"')},
    )

    assert json.loads((tmp_path / "loaded").read_text()) == MANIFEST
    assert (tmp_path / "started").exists()
    sources = {event.attributes["hook_source"] for event in session.events("hook_registered")}
    assert sources >= {"pluginHook", "flagSettings"}
    ended = {event.attributes["hook_name"] for event in session.events("hook_execution_complete")}
    assert ended >= {"SessionStart:startup", "UserPromptSubmit"}
