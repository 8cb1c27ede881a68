"""The catalogue as shipped, and what its loader refuses."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.assessment.jobs import COLLECTOR
from harness.contract import catalogue, files
from harness.contract.catalogue import Contract, load
from harness.contract.versions import Version, VersionRange
from harness.errors import HarnessError
from harness.judging.judge import CHECKS
from harness.mutants import named as lies
from harness.themes.catalogue import SCENARIOS
from harness.themes.catalogue import lies as theme_lies

HERE = Path(__file__).parent
VERSIONS = ("2.1.31", "2.1.85", "2.1.122", "2.1.172", "2.1.239", "2.1.240", "2.1.330")

#: What the first document promises, and every later one after it.
METRICS = {
    "claude_code.session.count",
    "claude_code.lines_of_code.count",
    "claude_code.pull_request.count",
    "claude_code.commit.count",
    "claude_code.cost.usage",
    "claude_code.token.usage",
    "claude_code.code_edit_tool.decision",
    "claude_code.active_time.total",
}
EVENTS = {"user_prompt", "tool_result", "api_request", "api_error", "tool_decision"}


def contract_for(version: str) -> Contract:
    return load(Version.parse(version), checks=CHECKS, scenarios=SCENARIOS)


def collector_contract(version: str) -> Contract:
    """Load what is promised of a collector."""
    return COLLECTOR.contract(version)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return contract_for("2.1.31")


@pytest.mark.parametrize(
    ("golden_names", "load_contract"),
    [
        ("requirements.golden.txt", contract_for),
        ("collector_requirements.golden.txt", collector_contract),
    ],
)
def test_names_never_change_unseen(
    golden_names: str, load_contract: Callable[[str], Contract]
) -> None:
    """Every added, renamed or lost requirement is a line of the golden list's diff."""
    names = [requirement.name for requirement in load_contract("2.1.31").requirements]
    golden = (HERE / golden_names).read_text(encoding="utf-8").split()
    assert sorted(names) == golden, "run: python docs/generated.py"


def promised(version: Version) -> set[str]:
    """The names that the files promise for ``version``: a reading apart from the loader's."""

    def own_range(schema: Any) -> VersionRange:
        bounds = {key: schema.get(f"x-{key}") for key in ("since", "until")}
        return VersionRange.of({**bounds, **_edge(schema.get("x-measured"))})

    def walk(schema: Any, range_: VersionRange) -> Iterator[str]:
        for entry in schema.get("x-requirements", ()):
            own = {key: entry[key] for key in ("since", "until") if key in entry}
            edge = _edge(entry.get("measured"))
            held = VersionRange.of({**own, **edge}) if own else range_
            if edge and not own:
                held = replace(held, since=Version.parse(edge["since"]))
            if version in held:
                yield entry["name"]
        for child in schema.get("properties", {}).values():
            if isinstance(child, dict):
                childs = own_range(child)
                yield from walk(child, childs if childs != VersionRange() else range_)

    found = [
        name
        for folder in catalogue.CLAUDE_FOLDERS
        for path in (files.schema_root() / folder).glob("*.json")
        for schema in [files.read_json(path)]
        for name in walk(schema, own_range(schema))
    ]
    assert len(found) == len(set(found))
    return set(found)


def _edge(measured: dict[str, str] | None) -> dict[str, str]:
    return {"since": measured["since"]} if measured else {}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_its_contract(version: str) -> None:
    contract = contract_for(version)
    applying = [each for each in contract.requirements if contract.applies(each)]
    assert {each.name for each in applying} == promised(Version.parse(version))
    assert {each.selects.name for each in applying if each.selects.kind == "metric"} >= METRICS
    assert {each.selects.name for each in applying if each.selects.kind == "event"} >= EVENTS
    for schema in contract.schemas.values():
        Draft202012Validator.check_schema(schema)
        assert "x-" not in {key[:2] for key in _keys(schema)}


def test_a_later_document_replaces_the_earlier_fact() -> None:
    def tool_attribute(version: str) -> set[str]:
        schema = contract_for(version).schemas["urn:cc-otel:metrics:code_edit_tool_decision"]
        return {"tool", "tool_name"} & set(schema["properties"]["attributes"]["properties"])

    assert tool_attribute("2.1.31") == {"tool"}
    # It was measured before the later document, and the earlier one holds until then.
    assert tool_attribute("2.1.50") == tool_attribute("2.1.239") == {"tool", "tool_name"}
    assert tool_attribute("2.1.240") == {"tool_name"}


def test_a_measured_edge_keeps_the_document_as_its_source() -> None:
    contract = contract_for("2.1.239")
    promise = contract.requirement("events.tool_result.error_type.present")
    assert str(promise.versions) == "from 2.1.116"
    assert (promise.source.document, promise.source.dated) == ("monitoring-2026-08", "2026-08")
    assert "2.1.113" in promise.measured
    assert contract.requirement("events.tool_result.success.present").measured == ""


def test_a_changelog_line_dates_its_fact() -> None:
    def tokens(version: str) -> Any:
        contract = contract_for(version)
        name = "events.api_request.input_tokens.value"
        schema = contract.requirement(name).schema
        return Draft202012Validator(schema, registry=contract.registry).is_valid("13")

    assert tokens("2.1.121") is True
    assert tokens("2.1.122") is False


def test_every_promise_can_be_traced_and_understood(contract: Contract) -> None:
    for requirement in contract.requirements:
        assert requirement.statement.endswith("."), requirement.name
        assert requirement.source.section, requirement.name
        assert requirement.mutants, requirement.name


def test_mutants_call_known_lies_and_every_lie_is_called(contract: Contract) -> None:
    called = {
        str(lie.operation["named"])
        for requirement in contract.requirements
        for lie in requirement.mutants
        if "named" in lie.operation
    }
    assert called == lies.NAMES | theme_lies().keys()


def _keys(value: object) -> Iterator[str]:
    """Keywords, at any depth; the names of properties (headers among them) are none."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            named = key == "properties" and isinstance(each, dict)
            yield from _keys(list(each.values()) if named else each)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each)


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Load a copy of the schemas in which one file was edited."""
    original = files.schema_root()
    copy = tmp_path / "schemas"
    shutil.copytree(original, copy)
    monkeypatch.setattr(catalogue, "schema_root", lambda: copy)
    # The files are read once per process; the edited ones must not stay.
    monkeypatch.setattr(catalogue, "_contract_files", catalogue._contract_files.__wrapped__)

    def load_edited(
        edit: Callable[[dict[str, Any]], object],
        file: str = "metrics/session_count.json",
        version: str = "2.1.31",
    ) -> None:
        path = copy / file
        data = json.loads(path.read_text(encoding="utf-8"))
        edit(data)
        path.write_text(json.dumps(data), encoding="utf-8")
        contract_for(version)

    return load_edited


def _first(data: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = data["x-requirements"][0]
    return entry


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda d: d["x-requirements"].append(dict(_first(d))), "the name is used twice"),
        (lambda d: _first(d).update(check="guess"), "unknown check 'guess'"),
        (lambda d: _first(d).update(scenarios=["holiday"]), "unknown scenario 'holiday'"),
        (lambda d: _first(d).update(document="hearsay"), "unknown document 'hearsay'"),
        (
            lambda d: _first(d).update(section="Rumours"),
            "session_count.json: metrics.session_count.exported: "
            "no anchor for the section 'Rumours': add it to the sections of "
            "'monitoring-2026-02' in documents.json",
        ),
        (lambda d: _first(d).pop("mutants"), "no mutant shows that its check can fail"),
        (
            lambda d: _first(d)["mutants"][0].update(also=["no.such"]),
            "mutant 1 breaks the unknown 'no.such'",
        ),
        (lambda d: _first(d).update(since="2.1.9", until="2.1.8"), "empty version range"),
        (
            lambda d: _first(d).update(measured={"since": "2.1.9", "evidence": "seen on each"}),
            "session_count.json: measured from 2.1.9, documented all versions: expected an earlier",
        ),
        (
            lambda d: _first(d).update(since="2.1.240", measured={"since": "2.1.9"}),
            "'evidence' is a required property",
        ),
        (lambda d: _first(d).update(level="OUGHT"), "'OUGHT' is not one of"),
        (
            lambda d: _first(d).pop("check"),
            "session_count.json: at $['x-requirements'][0]: 'check' is a required property",
        ),
        (lambda d: d.update(type="thing"), "is not valid under any of the given schemas"),
    ],
    ids=[
        "duplicate",
        "check",
        "scenario",
        "document",
        "section",
        "no mutant",
        "mutant",
        "range",
        "measured",
        "no evidence",
        "level",
        "no check",
        "no schema",
    ],
)
def test_a_broken_catalogue_is_refused(
    edited: Callable[..., None],
    edit: Callable[[dict[str, Any]], object],
    complaint: str,
) -> None:
    with pytest.raises(HarnessError, match=re.escape(complaint)):
        edited(edit)


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (
            lambda d: d["monitoring-2026-08"]["sections"].pop("Metrics"),
            "no anchor for the section 'Metrics': add it to the sections of 'monitoring-2026-08'",
        ),
        (lambda d: d["changelog"].pop("url"), "documents.json: at $.documents.changelog"),
        (lambda d: d["changelog"].update(measured=True), "documents.json: at $.documents"),
        (lambda d: d["changelog"].update(retrieved="lately"), "documents.json: at $.documents"),
        (lambda d: d["changelog"].update(digest="2f7c"), "documents.json: at $.documents"),
        (lambda d: d["changelog"]["sections"].update({"2.1.41": "2141"}), "documents.json: at"),
        (lambda d: d["measured"].pop("measured"), "documents.json: at $.documents.measured"),
    ],
    ids=["section of the later edition", "no url", "both", "date", "digest", "anchor", "neither"],
)
def test_broken_documents_are_refused(
    edited: Callable[..., None], edit: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    with pytest.raises(HarnessError, match=re.escape(complaint)):
        edited(lambda data: edit(data["documents"]), "documents.json", "2.1.330")


def test_a_check_that_nobody_names_is_refused() -> None:
    with pytest.raises(HarnessError, match=r"no requirement names the check\(s\) idle"):
        load(Version(2, 1, 31), checks={*CHECKS, "idle"}, scenarios=SCENARIOS)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(HarnessError, match=r"broken\.json"):
        files.read_json(path)


def test_the_document_in_force_is_the_one_that_is_cited() -> None:
    def cited(name: str, version: str) -> str:
        return str(contract_for(version).requirement(name).source)

    same, renamed = "metrics.commit_count.unit", "privacy.api_key"
    assert cited(same, "2.1.239") == (
        "Claude Code documentation, Monitoring (2026-02), section “Metrics”"
    )
    assert cited(same, "2.1.240") == (
        "Claude Code documentation, Monitoring (2026-08), section “Metrics”"
    )
    assert "Security/privacy considerations" in cited(renamed, "2.1.31")
    assert "(2026-08), section “Security and privacy”" in cited(renamed, "2.1.295")
    # A document that is continued may be continued itself.
    assert "(2026-10), section “Security and privacy”" in cited(renamed, "2.1.330")


@pytest.mark.parametrize("version", VERSIONS)
def test_each_promise_leads_to_its_paragraph(version: str) -> None:
    documents = files.read_json(files.schema_root() / "documents.json")["documents"]
    for contract in (contract_for(version), collector_contract(version)):
        for requirement in contract.requirements:
            source = requirement.source
            document = documents[source.document]
            if document.get("measured"):
                assert source.url == "", requirement.name
                continue
            url, _, anchor = source.url.partition("#")
            assert url.startswith(document["url"]), requirement.name
            # A .proto file has no anchors.
            pattern = "" if url.endswith(".proto") else r"[a-z0-9_.-]+"
            assert re.fullmatch(pattern, anchor), requirement.name


#: These name every section that they have, so that a promise can be added without them.
COMPLETE = {"monitoring-2026-08", "monitoring-2026-10", "changelog"}


def test_every_anchor_is_cited() -> None:
    documents = files.read_json(files.schema_root() / "documents.json")["documents"]
    cited = {
        (requirement.source.document, requirement.source.section)
        for version in VERSIONS
        for contract in (contract_for(version), collector_contract(version))
        for requirement in contract.requirements
    }
    kept = {
        (name, section)
        for name, document in documents.items()
        for section in document.get("sections", ())
        if name not in COMPLETE
    }
    measured = {name for name, document in documents.items() if document.get("measured")}
    assert kept == {each for each in cited if each[0] not in {*measured, *COMPLETE}}


@pytest.mark.parametrize("folder", ["metrics", "events"])
def test_each_file_speaks_of_the_item_that_it_is_named_after(
    contract: Contract, folder: str
) -> None:
    for path in (files.schema_root() / folder).glob("*.json"):
        schema = files.read_json(path)
        own = re.sub(r"\W", "_", schema["x-selects"]["name"].removeprefix("claude_code."))
        assert path.stem == own
        assert contract.requirement(f"{folder}.{own}.exported").selects.name


@pytest.mark.parametrize(
    ("name", "version", "url"),
    [
        (
            "events.user_prompt.exported",
            "2.1.31",
            "https://code.claude.com/docs/en/monitoring-usage#user-prompt-event",
        ),
        (
            "privacy.api_key",
            "2.1.330",
            "https://code.claude.com/docs/en/monitoring-usage#security-and-privacy",
        ),
        (
            "metrics.lines_of_code_count.model.present",
            "2.1.330",
            "https://github.com/anthropics/claude-code/blob/main/CHANGELOG.md#21172",
        ),
        (
            "endpoints.base_path",
            "2.1.31",
            "https://github.com/open-telemetry/opentelemetry-specification/blob/v1.60.0/"
            "specification/protocol/exporter.md#endpoint-urls-for-otlphttp",
        ),
        ("scopes.logs.name", "2.1.31", ""),
    ],
    ids=["document", "later edition", "changelog", "a page of several", "measured"],
)
def test_the_link_of_a_promise(name: str, version: str, url: str) -> None:
    assert contract_for(version).requirement(name).source.url == url
