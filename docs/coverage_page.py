"""Render which requirements hold each statement of the documents: docs/coverage.md."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from harness.contract import files
from harness.contract.requirement import Requirement
from harness.report.markdown import escaped

DATA = Path(__file__).resolve().parent / "coverage.json"

#: What became of a statement, in the order of the columns of the counts.
HELD, PART, OPEN = "held", "held in part", "not yet held"
WHYS: Mapping[str, str] = {
    "open": OPEN,
    "offline": "cannot be provoked offline",
    "explains": "explains, promises nothing",
    "elsewhere": "about another product",
}
STATUSES = (HELD, PART, *WHYS.values())


@dataclass(frozen=True, slots=True)
class Statement:
    """What a document says in one place, and which requirements hold it."""

    document: str
    section: str
    says: str
    lines: str = ""
    held: tuple[str, ...] = ()
    why: str = ""
    note: str = ""

    @property
    def status(self) -> str:
        if self.held:
            return PART if self.why else HELD
        return WHYS[self.why]

    @property
    def span(self) -> range:
        """The numbers of its lines; empty where no copy of the text was kept."""
        return numbers(self.lines) if self.lines else range(0)


def numbers(lines: str) -> range:
    """Return the numbers of one line, or of the first to the last."""
    first, _, last = lines.partition("-")
    return range(int(first), int(last or first) + 1)


def stands_for(pattern: str, name: str) -> bool:
    """Whether a pattern stands for a name: ``*`` is any text without a dot."""
    return pattern == name or ("*" in pattern and bool(_expression(pattern).fullmatch(name)))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile("[^.]*".join(map(re.escape, pattern.split("*"))))


def _standing(coverage: Coverage, requirements: Sequence[Requirement]) -> dict[str, set[str]]:
    """Return the names that each pattern stands for."""
    patterns = {pattern for each in coverage.statements for pattern in each.held}
    names = [requirement.name for requirement in requirements]
    return {pattern: {name for name in names if stands_for(pattern, name)} for pattern in patterns}


@dataclass(frozen=True, slots=True)
class Coverage:
    """What docs/coverage.json holds."""

    statements: tuple[Statement, ...]
    #: The sections of each document, in its order; and those without a known difference.
    sections: Mapping[str, tuple[str, ...]]
    unchanged: Mapping[str, tuple[str, ...]]
    #: The numbers of the lines of each document that hold text.
    text: Mapping[str, frozenset[int]]

    @classmethod
    def read(cls, path: Path = DATA) -> Coverage:
        """Read the file; its schema stands beside it."""
        data = files.read_json(path)
        schema = files.read_json(path.with_suffix(".schema.json"))
        Draft202012Validator(schema).validate(data)
        documents = data["documents"]
        return cls(
            tuple(
                Statement(document, section, **{**each, "held": tuple(each.get("held", ()))})
                for document, facts in documents.items()
                for section, several in facts["sections"].items()
                for each in several
            ),
            {name: tuple(facts["sections"]) for name, facts in documents.items()},
            {name: tuple(facts.get("unchanged", ())) for name, facts in documents.items()},
            {
                name: frozenset(number for lines in facts["text"] for number in numbers(lines))
                for name, facts in documents.items()
                if "text" in facts
            },
        )

    def of(self, document: str, section: str | None = None) -> list[Statement]:
        """Return the statements of a document, or of one section of it."""
        return [
            each
            for each in self.statements
            if each.document == document and section in (None, each.section)
        ]


def problems(coverage: Coverage, requirements: Sequence[Requirement]) -> list[str]:
    """Return what must be mended in docs/coverage.json: one sentence for each."""
    standing = _standing(coverage, requirements)
    placed: dict[tuple[str, str], set[str]] = defaultdict(set)
    found = []
    for each in coverage.statements:
        where = f"docs/coverage.json, {each.document}, {each.section!r}, {each.says!r}"
        for pattern in each.held:
            placed[each.document, each.section] |= standing[pattern]
            if not standing[pattern]:
                found.append(f"{where}: no requirement is called {pattern}")
    for document, sections in coverage.sections.items():
        known = {*sections, *coverage.unchanged[document]}
        found += [
            f"docs/coverage.json, {document}: add the section {section!r} (and its statements)"
            for section in _documents()[document].get("sections", ())
            if section not in known
        ]
    for requirement in requirements:
        document, section = requirement.source.document, requirement.source.section
        if document in coverage.sections and requirement.name not in placed[document, section]:
            found.append(
                f"docs/coverage.json, {document}: add {requirement.name} to the `held` of the "
                f"statement of section {section!r} that it holds (and take away the `why` of that "
                "statement if nothing is missing any more), then run python docs/generated.py"
            )
    for document, text in coverage.text.items():
        spoken = {number for each in coverage.of(document) for number in each.span}
        found += [
            f"docs/coverage.json, {document}: line {number} of the text has no statement"
            for number in sorted(text - spoken)
        ]
    return found


@cache
def _documents() -> Mapping[str, Any]:
    documents: Mapping[str, Any] = files.read_json(files.schema_root() / "documents.json")[
        "documents"
    ]
    return documents


_PREAMBLE = """# What of the documents is held

Written by `python docs/generated.py`; change `docs/coverage.json`, not this page. Each paragraph of
the documents, each row of their tables, each item of their lists and each example is one statement
here or several, in words of this project. Beside it stand the requirements that hold it
([requirements.md](requirements.md) says what each asks), or why none does. `*` stands for any text
within one part of a name. The lines are those of the text that was read on the day that
`schemas/documents.json` says, where its digest stands as well. Of the edition of October 2026 no
copy was kept: only what differs from the one before is listed, without lines.

A statement that is held may still be broken by a release: `schemas/expectations.json` lists where.
"""


def page(coverage: Coverage, requirements: Sequence[Requirement]) -> str:
    """Return the page."""
    return "\n".join(_page(coverage, requirements)) + "\n"


def _page(coverage: Coverage, requirements: Sequence[Requirement]) -> Iterator[str]:
    documents = _documents()
    standing = _standing(coverage, requirements)
    yield _PREAMBLE
    yield from _counts(coverage, documents)
    yield from _not_yet(coverage, documents)
    for document, sections in coverage.sections.items():
        facts = documents[document]
        yield f"\n## {_title(facts)}"
        for section in sections:
            statements = coverage.of(document, section)
            anchor = facts["sections"].get(section)
            told = f"[{section}]({facts['url']}{anchor})" if anchor else section
            yield f"\n### {told}\n"
            if not statements:
                yield "A heading without a text of its own."
                continue
            yield "| line | statement | held by |"
            yield "| --- | --- | --- |"
            for each in statements:
                yield f"| {each.lines} | {escaped(each.says)} | {escaped(_held(each, standing))} |"
        if unchanged := coverage.unchanged[document]:
            yield f"\nNo difference from the edition before is known of {_listed(unchanged)}."


def _counts(coverage: Coverage, documents: Mapping[str, Any]) -> Iterator[str]:
    yield "## Counts\n"
    yield f"| document | statements | {' | '.join(STATUSES)} |"
    yield f"| --- |{' ---: |' * (1 + len(STATUSES))}"
    total: Counter[str] = Counter()
    for document in coverage.sections:
        counts = Counter(each.status for each in coverage.of(document))
        total += counts
        yield _count(_title(documents[document]), counts)
    yield _count("together", total)


def _count(title: str, counts: Counter[str]) -> str:
    cells = " | ".join(str(counts[status]) for status in STATUSES)
    return f"| {title} | {counts.total()} | {cells} |"


def _not_yet(coverage: Coverage, documents: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Not yet held\n"
    yield "What is held in part says what is missing."
    for document, sections in coverage.sections.items():
        yield f"\n**{_title(documents[document])}**\n"
        for section in sections:
            lacking = [each for each in coverage.of(document, section) if each.why == "open"]
            if lacking:
                yield f"* {section}: {'; '.join(map(_lacking, lacking))}"


def _lacking(each: Statement) -> str:
    return f"{each.says} ({each.note})" if each.note else each.says


def _title(facts: Mapping[str, Any]) -> str:
    return f"{facts['title']} ({facts['dated']})"


def _listed(sections: Sequence[str]) -> str:
    return ", ".join(f"“{section}”" for section in sections)


def _held(each: Statement, standing: Mapping[str, set[str]]) -> str:
    told = ", ".join(
        f"`{pattern}` ({len(standing[pattern])})" if "*" in pattern else f"`{pattern}`"
        for pattern in each.held
    )
    if not each.why:
        return told
    why = f"*{WHYS[each.why]}*{f': {each.note}' if each.note else ''}"
    return f"{told}; {why}" if told else why
