"""The commands ``judge`` and ``report``: recordings that were kept, judged and rendered again."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ..assessment.assessment import Assessment
from ..assessment.endings import ended_badly
from ..assessment.job import CLAUDE, Job
from ..assessment.kept import day_of, job_of, load_recording
from ..assessment.listings import check_new, read_listing, write_proposals
from ..assessment.power import power_of
from ..assessment.recording import Recording, header_of
from ..assessment.writing import write_whole
from ..capture.run import SubjectFacts
from ..contract.versions import check_promised
from ..errors import UsageError
from ..judging.decision import Decision, decision
from ..judging.listing import NO_LISTING, Listing
from ..judging.verdicts import Row
from ..record import jsonl
from ..record.header import Header, library_versions, tool_version
from ..relay.endpoint import is_url
from ..report import html, page, screen, terminal
from ..report.rerun import rerun
from ..report.summary import Summary
from ..themes.catalogue import SCENARIOS
from .common import FAILED, OK, add_json, print_json, print_line, release_of


def declare_judge(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness judge``."""
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
    add_json(command)
    command.set_defaults(run=_judge)


def declare_report(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness report``."""
    command.add_argument(
        "folder", metavar="DIR", type=Path, help="a folder of --cc-report or --cc-captures"
    )
    command.add_argument(
        "--output", metavar="FILE", type=Path, help="where it is written (DIR/index.html)"
    )
    add_json(command)
    command.set_defaults(run=_render)


def _judge(arguments: argparse.Namespace) -> int:
    started = time.time_ns()
    accept: Path | None = arguments.accept
    given = _given(arguments)
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
    decided = decision(rows, len(summary.undriven), ended)
    code = FAILED if decided.failed else OK
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
    if arguments.json:
        print_json(_plain(summed_up, assessment.release, decided))
    else:
        width = shutil.get_terminal_size().columns
        for line in (terminal if arguments.verbose else screen).render(summed_up, width):
            print_line(line.text)
    return code


def _given(arguments: argparse.Namespace) -> Listing | None:
    """Return the list that was given, and check where proposals are to go.  Raises UsageError."""
    if arguments.accept is not None:
        check_new(arguments.accept, f"--accept {arguments.accept}", arguments.expectations)
    if arguments.expectations is None:
        return None
    return read_listing(arguments.expectations, f"--expectations {arguments.expectations}")


def _plain(summary: Summary, release: str, decided: Decision) -> dict[str, Any]:
    """Return a judgement as JSON's values; a report (--report) has all there is to say."""
    return {
        "subject": summary.header.subject.spec,
        "release": release or None,
        "failed": decided.failed,
        "why": decided.why,
        "written": list(summary.written),
        "rows": [jsonl.row_to_plain(row) for row in summary.rows],
    }


def _judged_as(asked: str | None, subject: SubjectFacts, job: Job) -> str:
    """Return the release by whose contract a recording is judged.  Raises UsageError."""
    version = release_of("--as", asked) or subject.version
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
    if arguments.json:
        print_json({"report": str(output)})
    else:
        print_line(f"report     {output}")
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
