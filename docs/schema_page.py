"""Render docs/schemas.md, which lists the schemas, and docs/record.md, the form of a record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.contract.files import read_json, schema_root

_KINDS = {
    "metrics": "Metrics, one file each.",
    "events": "Events (log records), one file each.",
    "standard": "The attributes that every metric, event or span carries.",
    "service": "The resource and the scopes.",
    "transport": "The export request itself.",
    "behaviour": "What no single field shows, and is measured: who was heard, when, how often.",
    "collector": "What is promised of a collector under test.",
}

#: What ``$defs`` of the record hold that stands on lines of its own, in the order of the lines.
_LINES = (
    *("header", "run", "recording", "requirement", "power", "comparison", "difference", "query"),
    "footer",
)


def schemas() -> str:
    """Return the page that lists the schemas."""
    return "\n".join(_schemas(schema_root())) + "\n"


def _schemas(root: Path) -> Iterator[str]:
    yield "# Schemas"
    yield ""
    yield (
        "Written by `python docs/generated.py` of `schemas/`, which is installed as well. Each is "
        "a JSON Schema of 2020-12. `cc-harness schema NAME --version V` prints what a release is "
        "held to, with everything resolved; the name of a promise prints the schema of its field:"
    )
    yield ""
    yield "```console"
    yield "cc-harness schema events/user_prompt --version 2.1.332"
    yield "cc-harness schema events.user_prompt.prompt.redacted_by_default --version 2.1.332"
    yield "```"
    yield ""
    yield "## Files that we write or read"
    yield ""
    yield "| schema | of what |"
    yield "| --- | --- |"
    for path in sorted(root.glob("*.schema.json")):
        data = read_json(path)
        about = ". ".join(filter(None, (data["title"], data.get("description", ""))))
        yield f"| [{path.name}](../schemas/{path.name}) | {_cell(about[:1].upper() + about[1:])} |"
    yield ""
    yield "## The contract"
    yield ""
    yield (
        "[Requirements](requirements.md) and [those of a collector](collector_requirements.md) "
        "list every promise; here is where they stand."
    )
    untold = {path.name for path in root.iterdir() if path.is_dir()} ^ set(_KINDS)
    assert not untold, f"say what is in schemas/: {', '.join(sorted(untold))}"
    for kind, about in _KINDS.items():
        yield ""
        yield f"### {kind}"
        yield ""
        yield about
        yield ""
        yield "| file | what it is about | promises |"
        yield "| --- | --- | --- |"
        for path in sorted((root / kind).glob("*.json")):
            data = read_json(path)
            name = f"{kind}/{path.name}"
            title = _cell(str(data.get("title", "")))
            yield f"| [{name}](../schemas/{name}) | {title} | {_promises(data)} |"


def _promises(node: object) -> int:
    """Count the promises in a schema."""
    if isinstance(node, Mapping):
        own = len(node.get("x-requirements", ()))
        return own + sum(_promises(value) for key, value in node.items() if key != "x-requirements")
    if isinstance(node, Sequence) and not isinstance(node, str):
        return sum(map(_promises, node))
    return 0


def record() -> str:
    """Return the page that describes record.jsonl."""
    return "\n".join(_record(read_json(schema_root() / "record.schema.json"))) + "\n"


def _record(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "# The record"
    yield ""
    yield (
        "`--cc-report=DIR` writes `DIR/record.jsonl`, all that is known of a run, as lines of "
        "JSON: `cc-harness report DIR` renders it as a page at any time, offline. Written by "
        "`python docs/generated.py` of [record.schema.json](../schemas/record.schema.json), which "
        "says more of each field. Fields in bold are always there."
    )
    definitions = schema["$defs"]
    for name in _LINES:
        line = definitions[name]
        yield ""
        yield f"## {name}"
        yield ""
        yield f"{line['title']}."
        yield ""
        yield "| field | what it holds | meaning |"
        yield "| --- | --- | --- |"
        needed = line.get("required", ())
        for field, facts in line["properties"].items():
            shown = f"**`{field}`**" if field in needed else f"`{field}`"
            yield f"| {shown} | {_holds(facts, definitions)} | {_meaning(facts, definitions)} |"


def _holds(facts: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Say in a few words what values a field may have."""
    named = facts.get("$ref", "").rpartition("/")[2]
    if named:
        return _holds(definitions[named], definitions)
    if "const" in facts:
        return f"`{json.dumps(facts['const'])}`"
    if "enum" in facts:
        return ", ".join(f"`{json.dumps(value)}`" for value in facts["enum"])
    kinds = facts.get("type", ())
    shown = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if "items" in facts and isinstance(facts["items"], Mapping):
        inner = _holds(facts["items"], definitions)
        return f"{shown} of {inner}" if inner else shown
    if not shown and "oneOf" in facts:
        return " or ".join(_holds(each, definitions) for each in facts["oneOf"])
    return shown


def _meaning(facts: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    named = facts.get("$ref", "").rpartition("/")[2]
    own = facts.get("description", "")
    return _cell(own or (definitions[named].get("description", "") if named else ""))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "\\<")
