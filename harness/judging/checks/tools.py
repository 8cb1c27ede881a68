"""Checks of events about tools against what the tools were asked and did."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ...capture.run import ToolRun
from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import shown
from ..items.item import MISSING, Item
from ..items.view import CaptureView
from .accounting import total
from .fields import chosen, matches, nothing_seen, number
from .matching import MCP_TOOL, paired, reported_name
from .truth import EDIT_TOOLS

_SLEEP = re.compile(r"\bsleep (\d+(?:\.\d+)?)")

#: Extension -> the language that the documents name for it.
LANGUAGES = {".py": "Python", ".ts": "TypeScript", ".js": "JavaScript", ".md": "Markdown"}
UNKNOWN = "unknown"


def decided(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that each permission decision by ``params.source`` has an event that says so.

    The event must name the source, and whether the tool was accepted or rejected.
    """
    source = str(requirement.params["source"])
    made = [decision for decision in view.truth.decisions if decision.source == source]
    if not made:
        return NotExercised(f"the run saw no decision by {source}")
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    events = {decision.tool_use_id: item for decision, item in paired(view.truth.decisions, items)}
    findings = []
    for decision in made:
        item = events.get(decision.tool_use_id)
        wanted = ("accept" if decision.accepted else "reject", source)
        if item is None:
            findings.append(
                Finding(f"{decision.name}: {wanted[0]} by {source}", "no event", view.run.label)
            )
            continue
        reported = (item.at(("attributes", "decision")), item.at(("attributes", "source")))
        if reported != wanted:
            findings.append(
                Finding(
                    f"{decision.name}: {wanted[0]} by {source}",
                    f"{reported[0]} by {reported[1]}",
                    item.where,
                )
            )
    return Judged(len(made), tuple(findings))


def edits_decided(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the counter of decisions about edits agrees with those made, by tool and language.

    ``params.decision`` and ``params.language`` (``known``, ``unknown``) select some of the
    decisions; with ``params.sources``, only those by these sources are counted, and by source;
    with ``params.all``, all are, by tool, decision, language and source.
    """
    items = view.select(requirement.selects)
    if not items:
        return nothing_seen(requirement, [])
    wanted: Counter[tuple[str, ...]] = Counter()
    for decision in view.truth.decisions:
        answer = "accept" if decision.accepted else "reject"
        key = (decision.name, answer, language_of(decision.input), decision.source)
        if decision.name in EDIT_TOOLS and _asked_for(requirement, key):
            wanted[_grouping_key(requirement, key)] += 1
    if not wanted:
        return NotExercised("the run saw no such decision about an edit")
    counted: defaultdict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        attributes = item.view["attributes"]
        # The first document called it `tool`, every release `tool_name`.
        tool = str(attributes.get("tool_name", attributes.get("tool")))
        rest = (str(attributes.get(name)) for name in ("decision", "language", "source"))
        point_key = (tool, *rest)
        if _asked_for(requirement, point_key):
            counted[_grouping_key(requirement, point_key)].append(item)
    sums = {group: total(members) for group, members in counted.items()}
    findings = tuple(
        Finding(
            f"{wanted[group]} of {', '.join(group)}",
            f"{sums.get(group, 0):g}",
            f"{view.run.label} · {requirement.selects}",
        )
        for group in sorted(wanted.keys() | sums.keys())
        if wanted[group] != sums.get(group, 0)
    )
    return Judged(wanted.total(), findings)


def language_of(tool_input: Mapping[str, object]) -> str:
    """Return the language of the file in an edit tool's input, by its extension.

    The documents say nothing of notebooks, and no release knows their extension.
    """
    path = tool_input.get("file_path") or tool_input.get("notebook_path") or ""
    return LANGUAGES.get(PurePath(str(path)).suffix, UNKNOWN)


def _asked_for(requirement: Requirement, key: tuple[str, ...]) -> bool:
    """Return whether the requirement is about a (tool, decision, language, source)."""
    _, decision, language, source = key
    params = requirement.params
    sources = params.get("sources", [source])
    assert isinstance(sources, list)
    if params.get("decision", decision) != decision or source not in sources:
        return False
    asked = params.get("language")
    return asked is None or (language == UNKNOWN) == (asked == UNKNOWN)


def _grouping_key(requirement: Requirement, key: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key by which decisions are counted.

    It includes the source only for requirements with ``params.sources`` or ``params.all``.
    """
    return key if {"sources", "all"} & requirement.params.keys() else key[:-1]


def tool_outcome(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is ``true`` for a tool that succeeded, ``false`` for one that failed."""
    return _of_each_run(
        requirement, view, lambda run: ("true" if run.ok else "false",), lambda value: value
    )


def tool_name(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the name of the tool that ran (``mcp_tool`` for an MCP server's)."""
    return _of_each_run(
        requirement,
        view,
        lambda run: (reported_name(run.name),),
        lambda value: reported_name(str(value)),
    )


def input_size(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the length of the tool's input as compact JSON.

    Only tools of ``params.tools`` are judged, whose input the CLI does not complete with
    defaults, and only input in ASCII, for which every unit of length is the same.
    """
    tools = requirement.params["tools"]
    assert isinstance(tools, list)

    def size(run: ToolRun) -> tuple[object, ...]:
        text = json.dumps(run.input, ensure_ascii=False, separators=(",", ":"))
        return (len(text),) if reported_name(run.name) in tools and text.isascii() else ()

    return _of_each_run(requirement, view, size, number)


def result_size(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is the length of the tool's result, where that is plain text.

    The length is in bytes, or in UTF-16 code units unless ``params.units`` is false.

    Only tools of ``params.tools`` are judged: for a command that prints nothing, the CLI makes up
    a text.
    """
    tools = requirement.params["tools"]
    assert isinstance(tools, list)

    def sizes(run: ToolRun) -> tuple[object, ...]:
        if not run.ok or run.name not in tools or run.result_bytes is None:
            return ()
        lenient = requirement.params.get("units", True)
        return (run.result_bytes, *([run.result_units] if lenient else []))

    return _of_each_run(requirement, view, sizes, number)


def slept(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field, a duration in milliseconds, is not shorter than the command's sleep."""
    findings = []
    looked_at = 0
    for run, item in paired(view.truth.tools_that_ran, _of_accepted(chosen(requirement, view))):
        slept = _SLEEP.findall(str(run.input.get("command", "")))
        took = number(item.at(requirement.path))
        if not slept or took is None:
            continue
        looked_at += 1
        least = sum(map(float, slept)) * 1000
        if took < least:
            findings.append(
                Finding(f"at least {least:g} ms", shown(item.at(requirement.path)), item.where)
            )
    if not looked_at:
        return NotExercised("no event told of a command that slept")
    return Judged(looked_at, tuple(findings))


def parameters(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is JSON that repeats what the tool ``params.tool`` was asked to do."""
    wanted_tool = str(requirement.params["tool"])
    keys = requirement.params.get("keys", ["timeout", "description"])
    assert isinstance(keys, list)
    findings = []
    looked_at = 0
    for run, item in _told_of(requirement, view):
        if reported_name(run.name) != wanted_tool:
            continue
        looked_at += 1
        value = item.at(requirement.path)
        wanted = expected_parameters(run.name, run.input, keys)
        if value is MISSING:
            findings.append(Finding(json.dumps(wanted), "nothing", item.where))
            continue
        parsed = _parsed(value)
        wrong = not isinstance(parsed, dict) or any(
            parsed.get(key, MISSING) != argument for key, argument in wanted.items()
        )
        if wrong:
            findings.append(Finding(json.dumps(wanted), shown(value), item.where))
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def parameters_of_the_input(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is a JSON object whose ``params.keys`` repeat the tool's input."""
    keys = requirement.params.get("keys", ["subagent_type"])
    assert isinstance(keys, list)
    findings = []
    looked_at = 0
    for run, item in _told_of(requirement, view):
        wanted = {key: run.input[key] for key in keys if key in run.input}
        if not wanted:
            continue
        looked_at += 1
        value = item.at(requirement.path)
        parsed = _parsed(value)
        if not isinstance(parsed, dict) or any(
            parsed.get(key, MISSING) != argument for key, argument in wanted.items()
        ):
            seen = "nothing" if value is MISSING else shown(value)
            findings.append(Finding(json.dumps(wanted), seen, item.where))
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def input_repeated(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field is JSON that holds every argument of the tool's input."""
    findings = []
    looked_at = 0
    for run, item in paired(view.truth.tools_that_ran, _of_accepted(_having(requirement, view))):
        looked_at += 1
        value = item.at(requirement.path)
        parsed = _parsed(value)
        if not isinstance(parsed, dict) or any(
            parsed.get(key, MISSING) != argument for key, argument in run.input.items()
        ):
            findings.append(Finding(json.dumps(run.input), shown(value), item.where))
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def expected_parameters(
    name: str, tool_input: Mapping[str, object], keys: Sequence[str]
) -> dict[str, object]:
    """Return what ``tool_parameters`` of a tool must hold by the documents, given its input.

    ``keys`` are the optional arguments of a command that are repeated if they were given.
    """
    if reported_name(name) == MCP_TOOL:
        _, server, tool = name.split("__", 2)
        return {"mcp_server_name": server, "mcp_tool_name": tool}
    if name == "Skill":
        return {"skill_name": tool_input["skill"]}
    command = str(tool_input.get("command", ""))
    given = {key: tool_input[key] for key in keys if key in tool_input}
    return {"bash_command": command.split()[0], "full_command": command, **given}


def _of_each_run(
    requirement: Requirement,
    view: CaptureView,
    allowed: Callable[[ToolRun], tuple[object, ...]],
    read: Callable[[Any], object],
) -> Outcome:
    """Check that the field of each tool's event is one of the values ``allowed(run)``.

    A tool for which no value is allowed is not judged.
    """
    findings = []
    looked_at = 0
    for run, item in paired(view.truth.tools_that_ran, _of_accepted(_having(requirement, view))):
        values = allowed(run)
        if not values or not matches(requirement, item):
            continue
        looked_at += 1
        if read(item.at(requirement.path)) not in values:
            findings.append(
                Finding(
                    f"{shown(values[0])}, as {run.name} did",
                    shown(item.at(requirement.path)),
                    item.where,
                )
            )
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def _told_of(requirement: Requirement, view: CaptureView) -> Sequence[tuple[Any, Item]]:
    """Pair the tools that ran, or the decisions, with the chosen events about them."""
    items = chosen(requirement, view)
    if requirement.selects.name == "tool_decision":
        return paired(view.truth.decisions, items)
    return paired(view.truth.tools_that_ran, _of_accepted(items))


def _of_accepted(items: list[Item]) -> list[Item]:
    """Leave out results of rejected tools, which the oldest document describes."""
    return [item for item in items if item.at(("attributes", "decision")) != "reject"]


def _having(requirement: Requirement, view: CaptureView) -> list[Item]:
    return [
        item
        for item in view.select(requirement.selects)
        if item.at(requirement.path) is not MISSING
    ]


def _parsed(value: Any) -> Any:
    """Parse the field as JSON; return None if it is not JSON."""
    try:
        return json.loads(str(value))
    except (ValueError, RecursionError):
        return None
