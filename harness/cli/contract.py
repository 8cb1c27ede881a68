"""The commands ``requirements`` and ``schema``: what is promised of which release."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..assessment.assessment import catalogue
from ..assessment.job import CLAUDE, COLLECTOR
from ..contract.requirement import Requirement
from ..errors import UsageError
from ..report import markdown
from .common import OK, add_json_format, print_json, release_of


def declare_requirements(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness requirements``."""
    command.add_argument("--version", metavar="V", help="only what holds for this release")
    command.add_argument(
        "--collector", action="store_true", help="what is promised of a collector, not of the CLI"
    )
    command.add_argument("--format", choices=("markdown", "json"), default="markdown")
    add_json_format(command)
    command.set_defaults(run=_requirements)


def declare_schema(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness schema``."""
    command.add_argument(
        "name", metavar="NAME", help="such as events/user_prompt, or a requirement"
    )
    command.add_argument("--version", metavar="V", required=True, help="a release, such as 2.1.31")
    command.set_defaults(run=_schema)


def _requirements(arguments: argparse.Namespace) -> int:
    wanted = release_of("--version", arguments.version)
    if arguments.collector and wanted is not None:
        raise UsageError(
            "--version",
            seen=f"{wanted} beside --collector",
            expected="one of the two: what is promised of a collector depends on no release",
        )
    job = COLLECTOR if arguments.collector else CLAUDE
    contract = job.contract(wanted or "0.0.0")
    chosen = [
        requirement
        for requirement in contract.requirements
        if wanted is None or contract.applies(requirement)
    ]
    if arguments.format == "json":
        print_json([_plain(requirement) for requirement in chosen])
    elif arguments.collector:
        sys.stdout.write(markdown.collector_requirements(chosen))
    else:
        sys.stdout.write(markdown.requirements(chosen, wanted))
    return OK


def _plain(requirement: Requirement) -> dict[str, Any]:
    source, versions = requirement.source, requirement.versions
    return {
        "requirement": requirement.name,
        "level": requirement.level.value,
        "statement": requirement.statement,
        "source": {
            "title": source.title,
            "dated": source.dated,
            "section": source.section,
            "url": source.url or None,
        },
        "since": None if versions.since is None else str(versions.since),
        "until": None if versions.until is None else str(versions.until),
        "scenarios": list(requirement.scenarios),
        "protocols": list(requirement.protocols),
        "given": dict(requirement.given),
    }


def _schema(arguments: argparse.Namespace) -> int:
    version = release_of("--version", arguments.version)
    assert version is not None
    contract = catalogue(version)
    urn = f"urn:cc-otel:{arguments.name.replace('/', ':').replace('.', ':')}"
    schema: object = contract.schemas.get(urn)
    if schema is None:
        for requirement in contract.requirements:
            if requirement.name == arguments.name:
                schema = requirement.schema
    if schema is None:
        names = (uri.removeprefix("urn:cc-otel:").replace(":", "/") for uri in contract.schemas)
        raise UsageError(
            f"schema {arguments.name}",
            seen="no schema and no requirement of that name",
            expected=f"a requirement, or one of {', '.join(sorted(names))}",
        )
    print_json(schema)
    return OK
