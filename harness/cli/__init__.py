"""``cc-harness``: print requirements or a schema, judge recordings and captures, compare, load."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ..assessment.assessment import Assessment, catalogue
from ..assessment.endings import ended_badly
from ..assessment.job import CLAUDE, COLLECTOR, Job
from ..assessment.kept import day_of, job_of, load_recording
from ..assessment.listings import check_new, read_listing, write_proposals
from ..assessment.power import power_of
from ..assessment.recording import Recording, header_of
from ..assessment.relay import sessions_of
from ..assessment.writing import write_whole
from ..capture.run import SubjectFacts
from ..contract.requirement import Requirement
from ..contract.versions import Version, check_promised
from ..errors import HarnessError, UsageError
from ..judging.decision import decision
from ..judging.listing import NO_LISTING
from ..judging.verdicts import Row
from ..keeping.signals import ending_in_order
from ..load import command as load
from ..record import jsonl
from ..record.header import Header, library_versions, tool_version
from ..relay.endpoint import is_url
from ..report import html, markdown, page, screen, terminal
from ..report.rerun import rerun
from ..report.summary import Summary
from ..themes.catalogue import SCENARIOS
from . import drift, fleet, matrix

OK, FAILED, USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 (a requirement fails) or 2 (a wrong call) as exit code.

    A command that a signal broke off ends with 128 and the number of the signal.
    """
    arguments = _parser().parse_args(argv)
    with ending_in_order():
        try:
            code: int = arguments.run(arguments)
        except HarnessError as error:
            sys.stderr.write(f"cc-harness: {error}\n")
            return USAGE
        except KeyboardInterrupt as error:
            name = str(error) or signal.SIGINT.name
            sys.stderr.write(f"cc-harness: broken off by {name}\n")
            # As a shell says of a command that a signal has ended.
            return 128 + signal.Signals[name]
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cc-harness", description=__doc__)
    parser.add_argument("--version", action="version", version=tool_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("requirements", help="print the requirement catalogue")
    command.add_argument("--version", metavar="V", help="only what holds for this release")
    command.add_argument(
        "--collector", action="store_true", help="what is promised of a collector, not of the CLI"
    )
    command.add_argument("--format", choices=("markdown", "json"), default="markdown")
    command.set_defaults(run=_requirements)

    _add_judge(commands)
    command = commands.add_parser("report", help="render a record as a page, of any age, offline")
    command.add_argument(
        "folder", metavar="DIR", type=Path, help="a folder of --cc-report or --cc-captures"
    )
    command.add_argument(
        "--output", metavar="FILE", type=Path, help="where it is written (DIR/index.html)"
    )
    command.set_defaults(run=_render)

    drift.add_commands(commands)
    fleet.add_command(commands)
    matrix.add_command(commands)

    command = commands.add_parser("schema", help="print a schema, resolved for one release")
    command.add_argument(
        "name", metavar="NAME", help="such as events/user_prompt, or a requirement"
    )
    command.add_argument("--version", metavar="V", required=True, help="a release, such as 2.1.31")
    command.set_defaults(run=_schema)

    load.add(commands, sessions_of)
    return parser


def _add_judge(commands: Any) -> None:
    command = commands.add_parser("judge", help="judge captures that --cc-captures kept")
    command.add_argument(
        "folder", metavar="DIR", type=Path, help="a capture, or a folder of captures"
    )
    command.add_argument(
        "--as", dest="version", metavar="V", help="by the contract of this release, not of its own"
    )
    command.add_argument(
        "--report",
        metavar="DIR",
        type=Path,
        help="write DIR/index.html, DIR/record.jsonl and DIR/summary.md, as --cc-report does",
    )
    command.add_argument(
        "--expectations",
        metavar="FILE",
        type=Path,
        help="known deviations of your own, instead of those that the recording was made with "
        "(--cc-expectations)",
    )
    command.add_argument(
        "--accept", metavar="FILE", type=Path, help="propose entries for it, as --cc-accept does"
    )
    command.add_argument(
        "--power",
        action="store_true",
        help="tell lies about each promise that was kept, as --cc-power does",
    )
    command.add_argument(
        "-v", "--verbose", action="store_true", help="print all there is to say, not one screen"
    )
    command.set_defaults(run=_judge)


def _requirements(arguments: argparse.Namespace) -> int:
    wanted = _version("--version", arguments.version)
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
        _print(
            json.dumps(
                [_plain(requirement) for requirement in chosen], indent=1, ensure_ascii=False
            )
        )
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


def _judge(arguments: argparse.Namespace) -> int:
    started = time.time_ns()
    accept: Path | None = arguments.accept
    if accept is not None:
        check_new(accept, f"--accept {accept}", arguments.expectations)
    given = None
    if arguments.expectations is not None:
        given = read_listing(arguments.expectations, f"--expectations {arguments.expectations}")
    recorded_header, subject, recording = load_recording(arguments.folder, None)
    job = job_of(recorded_header, recording)
    version = _judged_as(arguments.version, subject, job)
    if given is None:
        # What was accepted when the recording was made is judged as of then.
        own = recording.plan.expectations or NO_LISTING
        day: date | None = day_of(recorded_header, recording)
    else:
        own, day = given, None
    assessment = Assessment(
        subject.spec, version, lambda: recording, job, own, day, recording.plan.fail_on
    )
    selected = recording.plan.selected
    rows = [
        assessment.row(requirement)
        for requirement in assessment.contract.requirements
        if selected is None or requirement.name in selected
    ]
    summary = recording.summary
    header = _header(recorded_header, subject, recording, assessment, started)
    ended = ended_badly(assessment, rows)
    code = FAILED if decision(rows, len(summary.undriven), ended).failed else OK
    by = f"as release {version}, " if job.has_releases else ""
    written = [f"judged {by}from {arguments.folder}"]
    if accept is not None:
        entries = assessment.proposals(subject, rows)
        written.append(
            write_proposals(accept, f"--accept {accept}", own, entries, assessment.release)
        )
    options = recording.plan.options or (f"{_option_of(job, subject.spec)}={subject.spec}",)
    summed_up = Summary(
        header,
        rows,
        selected=len(rows),
        rerun=lambda row: rerun((*options, *_slow(row)), row, summary.fuzz),
        problem=summary.problem,
        undriven=len(summary.undriven),
        notes=summary.notes,
        written=written,
        shown=len(rows),
        listing=own.file,
        entries=assessment.entries(rows),
        ended=ended,
        power=power_of(assessment, rows) if arguments.power else None,
    )
    if arguments.report is not None:
        written += _report(arguments.report, summed_up, assessment, code)
    width = shutil.get_terminal_size().columns
    for line in (terminal if arguments.verbose else screen).render(summed_up, width):
        _print(line.text)
    return code


def _judged_as(asked: str | None, subject: SubjectFacts, job: Job) -> str:
    """Return the release by whose contract a recording is judged.  Raises UsageError."""
    version = _version("--as", asked) or subject.version
    if job.has_releases:
        check_promised(version, f"--as {asked}" if asked else subject.spec)
    elif asked:
        raise UsageError(
            f"--as {asked}",
            seen=f"a recording of a {job.name}",
            expected="one of the CLI: no other promises depend on a release",
        )
    return version


def _report(folder: Path, summary: Summary, assessment: Assessment, code: int) -> Iterator[str]:
    """Write the record and the page of a recording that was judged again; yield lines about it."""
    recording, own, rows = assessment.recording, assessment.own, tuple(summary.rows)
    footer = jsonl.Footer.of(
        summary.header,
        rows,
        summary.undriven,
        catalogue=len(assessment.contract.requirements),
        exit_code=code,
        also=summary.ended,
    )
    plan = replace(recording.plan, expectations=own if own.file else None)
    path, shown, browsed = (folder / n for n in (jsonl.FILE_NAME, page.FILE_NAME, html.FILE_NAME))
    folder.mkdir(parents=True, exist_ok=True)
    made = recording.summary
    record = jsonl.RunRecord(summary.header, plan, made, rows, footer, power=summary.power)
    jsonl.write(path, record)
    yield f"record     {path}"
    write_whole(browsed, html.page(record), f"file {browsed}")
    yield f"report     {browsed}"
    write_whole(shown, page.page(summary), f"file {shown}")
    yield f"summary    {shown}"


def _render(arguments: argparse.Namespace) -> int:
    """Render a record as a page, whatever version of ours wrote it."""
    given: Path = arguments.folder
    path = given / jsonl.FILE_NAME if given.is_dir() else given
    output: Path = arguments.output or path.parent / html.FILE_NAME
    write_whole(output, html.page(jsonl.read_part(path)), f"--output {output}")
    _print(f"report     {output}")
    return OK


def _header(
    recorded: Header | None,
    subject: SubjectFacts,
    recording: Recording,
    assessment: Assessment,
    started_unix_nano: int,
) -> Header:
    """Return the header of a recording that was judged again."""
    job, contract, summary = assessment.job, assessment.contract, recording.summary
    return replace(
        recorded or header_of(subject, contract.documents, summary, started_unix_nano, job.name),
        documents=contract.documents,
        started_unix_nano=started_unix_nano,
        ended_unix_nano=time.time_ns(),
        # Not this command's time: nothing waits here.
        recording_s=0.0,
        unavoidable_s=0.0,
        canaries=job.canary_table(recording.captures, contract),
        undocumented=job.undocumented_names(recording.captures),
        latencies=job.latencies(recording.captures),
        tool=tool_version(),
        versions=library_versions(),
    )


def _option_of(job: Job, spec: str) -> str:
    """Return the option that named a subject, of which nothing but its name is known."""
    if job is CLAUDE:
        return "--cc-binary"
    return "--cc-collector" if is_url(spec) else "--cc-collector-cmd"


def _slow(row: Row) -> list[str]:
    """Return the option ``--cc-slow`` if the runs of the row's first finding need it."""
    runs = row.findings[0].runs if row.findings else ()
    known = (SCENARIOS[run.scenario] for run in runs if run.scenario in SCENARIOS)
    return ["--cc-slow"] if any(scenario.slow for scenario in known) else []


def _schema(arguments: argparse.Namespace) -> int:
    version = _version("--version", arguments.version)
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
    _print(json.dumps(schema, indent=1, ensure_ascii=False))
    return OK


def _version(option: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(Version.parse(text))
    except ValueError:
        raise UsageError(option, seen=repr(text), expected="a release such as 2.1.31") from None


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
