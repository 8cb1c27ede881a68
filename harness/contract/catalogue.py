"""Read and check the catalogue: every ``x-requirements`` entry of ``schemas/``.

A contract file is a JSON Schema of one kind of item. Where a keyword of it is a promise, an
``x-requirements`` entry beside the keyword gives the promise its name, our sentence, its source,
its check and the lies that must be caught.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry, Resource

from ..errors import HarnessError
from ..findings import Impact, Level
from .applicability import applies_to_version
from .files import JsonObject, read_json, schema_root
from .impacts import advice_for, impact_of
from .requirement import MutantSpec, Requirement, Selector, Source
from .resolve import property_range, resolve
from .validated import META, is_validated
from .versions import Version, VersionRange

#: The folders of ``schemas/`` with what the CLI promises, and with what a collector must keep.
CLAUDE_FOLDERS = ("metrics", "events", "spans", "standard", "service", "transport", "behaviour")
COLLECTOR_FOLDERS = ("collector",)


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract resolved for one version.

    ``requirements`` holds every name ever promised, in catalogue order; whether
    one applies is asked with :meth:`applies`.  ``registry`` resolves ``$ref``.
    """

    version: Version
    requirements: tuple[Requirement, ...]
    schemas: dict[str, JsonObject]
    registry: Registry[Any]
    documents: tuple[str, ...]

    def applies(self, requirement: Requirement) -> bool:
        return applies_to_version(requirement, self.version)

    def requirement(self, name: str) -> Requirement:
        for requirement in self.requirements:
            if requirement.name == name:
                return requirement
        raise HarnessError(f"no requirement is called {name!r}")


@dataclass(frozen=True, slots=True)
class _Node:
    """A position in a contract file: what the file selects, the path and its versions."""

    file: Path
    selects: Selector
    source: JsonObject
    path: tuple[str, ...]
    versions: VersionRange
    measured: str = ""


def load(
    version: Version,
    *,
    checks: Collection[str],
    scenarios: Collection[str],
    folders: Sequence[str] = CLAUDE_FOLDERS,
) -> Contract:
    """Read and check the whole catalogue of ``folders``, resolved for ``version``.

    Raises :class:`HarnessError` for a broken catalogue: a duplicate name, an
    unknown check, scenario or document, a section without an anchor, a check that
    no requirement names, a requirement without a mutant, a mutant that breaks an
    unknown name.
    """
    root = schema_root()
    documents = _documents(root)
    files = contract_files(tuple(folders))
    schemas = {}
    for file, data in files:
        with _naming(file):
            schemas[str(data["$id"])] = resolve(data, version)
    registry: Registry[Any] = Registry().with_resources(
        (uri, Resource.from_contents(schema)) for uri, schema in schemas.items()
    )
    requirements = tuple(
        requirement
        for file, data in files
        if "x-selects" in data
        for requirement in _walk(
            data,
            _Node(
                file,
                _selector(data["x-selects"]),
                data["x-source"],
                (),
                property_range(data),
                str(data.get("x-measured", {}).get("evidence", "")),
            ),
            documents,
            version,
        )
    )
    _verify(requirements, frozenset(checks), frozenset(scenarios))
    if tuple(folders) == CLAUDE_FOLDERS:
        _all_named(requirements, frozenset(checks))
    cited = {requirement.source.document for requirement in requirements}
    in_force = tuple(
        f"{document['title']} ({document['dated']})"
        for name, document in documents.items()
        if name in cited and version in VersionRange.of(document)
    )
    return Contract(version, requirements, schemas, registry, in_force)


def contract_files(
    folders: tuple[str, ...] = CLAUDE_FOLDERS,
) -> tuple[tuple[Path, JsonObject], ...]:
    """Return every contract file of ``folders`` with its content, in the order of the catalogue.

    Each is validated against ``contract.schema.json``, unless it is known to have been.
    """
    return _contract_files(folders)


def validate(path: Path, data: JsonObject) -> None:
    """Hold a contract file to JSON Schema and to ours; raise HarnessError that names it."""
    with _naming(path):
        Draft202012Validator.check_schema(data)
    for error in _meta(schema_root() / META).iter_errors(data):
        raise HarnessError(f"{path}: at {error.json_path}: {error.message}")


@cache
def _meta(path: Path) -> Draft202012Validator:
    return Draft202012Validator(read_json(path))


@cache  # by the folders, whether they were named or not
def _contract_files(folders: tuple[str, ...]) -> tuple[tuple[Path, JsonObject], ...]:
    root = schema_root()
    files = []
    for folder in folders:
        for path in sorted((root / folder).glob("*.json")):
            data = read_json(path)
            if not is_validated(root, path):
                validate(path, data)
            files.append((path, data))
    return tuple(files)


def _documents(root: Path) -> JsonObject:
    """Read the documents by name, validated against ``documents.schema.json``."""
    path = root / "documents.json"
    data = read_json(path)
    schema = read_json(root / "documents.schema.json")
    for error in Draft202012Validator(schema).iter_errors(data):
        raise HarnessError(f"{path}: at {error.json_path}: {error.message}")
    documents: JsonObject = data["documents"]
    return documents


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Convert errors to a HarnessError that names the contract file."""
    try:
        yield
    except (ValueError, SchemaError) as error:
        reason = error.message if isinstance(error, SchemaError) else error
        raise HarnessError(f"{file}: {reason}") from error


def _selector(data: JsonObject) -> Selector:
    return Selector(str(data["kind"]), str(data.get("name", "")))


def _walk(
    schema: JsonObject, node: _Node, documents: JsonObject, version: Version
) -> Iterator[Requirement]:
    for entry in schema.get("x-requirements", ()):
        yield _requirement(entry, schema, node, documents, version)
    for name, child in schema.get("properties", {}).items():
        if isinstance(child, dict):
            own = property_range(child)
            inner = node if own == VersionRange() else replace(node, versions=own, measured="")
            if "x-measured" in child:
                inner = replace(inner, measured=str(child["x-measured"]["evidence"]))
            yield from _walk(
                child,
                replace(inner, path=(*node.path, name)),
                documents,
                version,
            )


def _requirement(
    entry: JsonObject, schema: JsonObject, node: _Node, documents: JsonObject, version: Version
) -> Requirement:
    name = str(entry["name"])
    document = str(entry.get("document", node.source["document"]))
    if document not in documents:
        raise HarnessError(f"{node.file}: {name}: unknown document {document!r}")
    section = str(entry.get("section", node.source["section"]))
    with _naming(node.file):
        own = VersionRange.of(entry)
        versions = own if own != VersionRange() else node.versions
        if "measured" in entry:
            versions = versions.measured(entry["measured"])
    evidence = "" if own != VersionRange() else node.measured
    try:
        source = _source(document, section, documents, version)
    except ValueError as error:
        raise HarnessError(f"{node.file}: {name}: {error}") from None
    impact = Impact(entry["impact"]) if "impact" in entry else impact_of(name)
    return Requirement(
        name=name,
        level=Level(entry.get("level", "MUST")),
        statement=str(entry["statement"]),
        source=source,
        versions=versions,
        measured=str(entry["measured"]["evidence"]) if "measured" in entry else evidence,
        selects=_selector(entry["selects"]) if "selects" in entry else node.selects,
        impact=impact,
        advice=str(entry.get("advice", "")) or advice_for(impact),
        check=str(entry["check"]),
        path=node.path,
        schema=resolve(schema, version),
        params=_params(entry.get("params", {}), version),
        scenarios=tuple(entry.get("scenarios", ())),
        given=entry.get("given", {}),
        protocols=tuple(entry.get("protocols", ())),
        mutants=tuple(
            MutantSpec(name, number, lie, (name, *lie.get("also", ())), tuple(lie.get("may", ())))
            for number, lie in enumerate(entry.get("mutants", ()), start=1)
        ),
    )


def _params(params: JsonObject, version: Version) -> JsonObject:
    """Leave out entries of lists whose own versions do not include ``version``."""
    return {
        key: [
            {name: param for name, param in entry.items() if name not in ("since", "until")}
            for entry in value
            if version in VersionRange.of(entry)
        ]
        if isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
        else value
        for key, value in params.items()
    }


def _source(document: str, section: str, documents: JsonObject, version: Version) -> Source:
    """Return the document and section with the promise, as of ``version``.

    That is the named document, or the one that continues it, if that is the one in force.

    Raises :class:`ValueError` for a section without an anchor, in either of them.
    """
    facts = documents[document]
    url = "" if facts.get("measured") else _link(document, section, facts)
    until = VersionRange.of(facts).until
    if until is not None and until <= version and "continued" in facts:
        later = facts["continued"]
        return _source(
            str(later["by"]), str(later["renamed"].get(section, section)), documents, version
        )
    return Source(document, section, str(facts["title"]), str(facts["dated"]), url)


def _link(document: str, section: str, facts: JsonObject) -> str:
    """Return the URL of a section: its document's URL with the section's anchor."""
    anchor = facts["sections"].get(section)
    if anchor is None:
        raise ValueError(
            f"no anchor for the section {section!r}: add it to the sections of {document!r} "
            "in documents.json"
        )
    return urljoin(str(facts["url"]), str(anchor))


def _verify(
    requirements: tuple[Requirement, ...], checks: frozenset[str], scenarios: frozenset[str]
) -> None:
    names = {requirement.name for requirement in requirements}
    names_so_far: set[str] = set()
    for requirement in requirements:
        problems = []
        if requirement.name in names_so_far:
            problems.append("the name is used twice")
        if requirement.check not in checks:
            problems.append(f"unknown check {requirement.check!r}")
        problems += [f"unknown scenario {s!r}" for s in requirement.scenarios if s not in scenarios]
        if not requirement.mutants:
            problems.append("no mutant shows that its check can fail")
        problems += [
            f"mutant {lie.number} breaks the unknown {broken!r}"
            for lie in requirement.mutants
            for broken in (*lie.breaks, *lie.may)
            if broken not in names
        ]
        if problems:
            raise HarnessError(f"requirement {requirement.name}: {'; '.join(problems)}")
        names_so_far.add(requirement.name)


def _all_named(requirements: tuple[Requirement, ...], checks: frozenset[str]) -> None:
    """Raise where a check is named by no requirement: the CLI's name every one."""
    idle = checks - {requirement.check for requirement in requirements}
    if idle:
        raise HarnessError(f"no requirement names the check(s) {', '.join(sorted(idle))}")
