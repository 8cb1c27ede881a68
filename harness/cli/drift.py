"""The commands of ``cc-harness`` that compare releases: ``inventory``, ``diff``, ``bisect``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ..assessment.assessment import catalogue
from ..assessment.bisecting import Inspect, Log, bisect, releases_between
from ..assessment.comparing import ask, compare, make_sides
from ..assessment.listings import check_new, read_listing, write_proposals
from ..assessment.looking import (
    at_command,
    at_difference,
    at_promise,
    requirement_named,
)
from ..assessment.query_files import read_all
from ..assessment.reporting import check_folder, write_reports
from ..assessment.sides import SOON, Side, find_side, left_out_if_quick
from ..contract.versions import Version
from ..drift.accepted import proposed
from ..drift.comparison import FAILING, Comparison
from ..drift.facts import Topic
from ..errors import UsageError
from ..judging.listing import NO_LISTING, Listing, known_names, names_in
from ..report import drift as report
from ..report.drift_page import page
from ..subject.npm import published
from ..themes.catalogue import SCENARIOS
from .common import add_json, add_json_format, print_json
from .telling import tell

#: Renderers by the name of their format.
_FORMATS: dict[str, Callable[[Comparison], str]] = {
    "terminal": report.terminal,
    "markdown": report.markdown,
    "json": report.as_json,
    "html": page,
}

#: How the names of differences begin.
_SUBJECTS = (
    *("attribute ", "event ", "metric ", "span ", "secret ", "signal ", "scope ", "requests"),
    *(f"{topic} " for topic in Topic),
)

_SIDE = (
    "a binary as --cc-binary takes it (npm:2.1.332), a folder of --cc-captures, an inventory, or a "
    "capture of production data (a file or folder of a Collector's file exporter)"
)


def declare_inventory(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness inventory``."""
    command.add_argument("side", metavar="RELEASE", help=_SIDE)
    command.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="write it there, as NAME.json, not to the screen",
    )
    _add_quick(command)
    command.set_defaults(run=_inventory)


def declare_diff(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness diff``."""
    command.add_argument("old", metavar="OLD", help=_SIDE)
    command.add_argument("new", metavar="NEW", help="the same, of the newer release")
    command.add_argument(
        "--format",
        choices=_FORMATS,
        default="terminal",
        help="how to print it (default: %(default)s); html is one page that needs no network",
    )
    add_json_format(command)
    command.add_argument(
        "--queries",
        metavar="FILE",
        nargs="+",
        default=[],
        help="dashboards (JSON), rules (YAML), SQL or lists of queries: tell which of them depend "
        "on what changed, and which never could match",
    )
    command.add_argument(
        "--fail-on",
        choices=FAILING,
        default="none",
        help="exit with 1 on a difference that is so grave (breaking: or worse)",
    )
    command.add_argument(
        "--report",
        metavar="DIR",
        type=Path,
        help="write diff.json, diff.md and diff.html there, beside what is printed",
    )
    command.add_argument(
        "--expectations",
        metavar="FILE",
        type=Path,
        help="accept the differences that this list names (--cc-expectations)",
    )
    command.add_argument(
        "--accept",
        metavar="FILE",
        type=Path,
        help="propose entries for such a list: for each difference that fails it, and without "
        "--fail-on for all",
    )
    _add_quick(command)
    command.set_defaults(run=_diff)


def declare_bisect(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness bisect``."""
    command.add_argument("--good", metavar="V", required=True, help="a release before the change")
    command.add_argument("--bad", metavar="V", required=True, help="a release after it")
    command.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        default="",
        help="a requirement, or a difference as diff prints it, such as 'event at_mention'",
    )
    command.add_argument(
        "--run",
        metavar="COMMAND",
        dest="command",
        default="",
        help="instead of NAME: exit code 0 is good, 125 cannot tell, any other is bad; {version} "
        "and {binary} are filled in",
    )
    command.add_argument(
        "--scenarios",
        metavar="NAMES",
        default=",".join(SOON),
        help="the sessions in which a difference is looked for (default: %(default)s)",
    )
    command.add_argument(
        "--log", metavar="FILE", type=Path, help="note each step, and go on where it ended"
    )
    add_json(command)
    command.set_defaults(run=_bisect)


def _add_quick(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--quick",
        action="store_true",
        help="leave out the sessions that wait (export intervals) and most others; those that show "
        "most of what is sent are left: half a minute instead of two",
    )


def _inventory(arguments: argparse.Namespace) -> int:
    output: Path | None = arguments.output
    if output is not None and output.suffix != ".json":
        raise UsageError("--output", seen=str(output), expected="a name that ends in .json")
    side = find_side(arguments.side, tell, quick=arguments.quick)
    text = json.dumps(side.inventory, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--output {output}", seen=str(error), expected="a file that can be written"
        ) from error
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    queries = read_all(arguments.queries, "--queries", Path())
    own = _accepted_before(arguments)
    folder: Path | None = arguments.report
    if folder is not None:
        check_folder(folder, "--report")
    # Both, before a minute is spent on one of them.
    asked = [ask(name, tell) for name in (arguments.old, arguments.new)]
    old, new = make_sides(asked[0], asked[1], tell, quick=arguments.quick)
    left_out = [left_out_if_quick()] if arguments.quick else []
    fail_on = arguments.fail_on
    found = compare(old, new, queries=queries, fail_on=fail_on, left_out=left_out, own=own)
    _print(_FORMATS[arguments.format](found))
    if folder is not None:
        for path in write_reports(folder, found):
            tell(f"wrote {path}")
    if arguments.accept is not None:
        tell(_propose(arguments, own, found, old, new))
    return int(bool(found.failure))


def _propose(
    arguments: argparse.Namespace, own: Listing, found: Comparison, old: Side, new: Side
) -> str:
    """Write entries for what fails the comparison, or for all; return what was done."""
    chosen = found.differences if found.fail_on == "none" else found.grave
    evidence = f"{found.old} -> {found.new}, compared on {datetime.now(UTC).date()}"
    versions = (Version.parse(old.version), Version.parse(new.version))
    entries = proposed(chosen, *versions, evidence)
    path: Path = arguments.accept
    return write_proposals(path, f"--accept {path}", own, entries, new.version)


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        raise UsageError(
            "standard output", seen=str(error), expected="something that takes what is printed"
        ) from error


def _accepted_before(arguments: argparse.Namespace) -> Listing:
    """Return the list that was given, if there is one, and check where proposals are to go."""
    path, accept = arguments.expectations, arguments.accept
    if accept is not None:
        check_new(accept, f"--accept {accept}", path)
    if path is None:
        return NO_LISTING
    own = read_listing(path, f"--expectations {path}")
    if [*names_in(own)]:
        known_names(own, [requirement.name for requirement in catalogue().requirements])
    return own


def _bisect(arguments: argparse.Namespace) -> int:
    good, bad, name = arguments.good, arguments.bad, arguments.name
    if bool(name) is bool(arguments.command):
        raise UsageError(
            "NAME or --run", seen="both" if name else "neither", expected="one of the two"
        )
    releases = releases_between(good, bad, published(tell, "cc-harness bisect"))
    log = Log(arguments.log, f"{good} {bad} {name or arguments.command}")
    found = bisect(releases, _inspection(arguments), log, tell)
    if arguments.json:
        print_json(
            {
                "good": _seen(found.good),
                "bad": _seen(found.bad),
                "skipped": [_seen(each) for each in found.skipped],
            }
        )
    else:
        sys.stdout.write(report.neighbours(found.good, found.bad, found.skipped))
    return 0


def _seen(look: report.Seen) -> dict[str, str]:
    return {"release": look.version, "evidence": look.evidence}


def _inspection(arguments: argparse.Namespace) -> Inspect:
    """Return what looks at each release, as the arguments say."""
    if arguments.command:
        return at_command(arguments.command, tell)
    newer = str(max(map(Version.parse, (arguments.good, arguments.bad))))
    requirement = requirement_named(arguments.name, newer)
    if requirement is not None:
        return at_promise(requirement, arguments.good, newer, tell)
    scenarios = arguments.scenarios.split(",")
    unknown = [each for each in scenarios if each not in SCENARIOS]
    if unknown:
        raise UsageError(
            "--scenarios", seen=repr(unknown[0]), expected=f"names among {', '.join(SCENARIOS)}"
        )
    if not arguments.name.startswith(_SUBJECTS):
        raise UsageError(
            f"NAME {arguments.name!r}",
            seen="no requirement of that name",
            expected=f"one, or a difference that begins with {', '.join(_SUBJECTS)}",
        )
    return at_difference(arguments.name, arguments.good, scenarios, tell)
