"""``cc-harness matrix``: judge many releases, and tabulate what changed between them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ..assessment.matrix.cache import Cache, parse_size
from ..assessment.matrix.checking import Standing, check, plain, told
from ..assessment.matrix.chosen import Chosen, choose, sharded
from ..assessment.matrix.folder import MatrixFolder, MatrixPlan, merge
from ..assessment.matrix.making import Making
from ..assessment.matrix.pages import write_pages
from ..assessment.matrix.progress import Progress
from ..assessment.matrix.side_by_side import make_side_by_side
from ..contract.versions import Version
from ..errors import HarnessError, UsageError
from ..keeping.signals import end_with_parent
from ..subject.npm import folder_of, published
from ..themes.catalogue import SCENARIOS
from .common import add_json, print_json
from .telling import tell

_USAGE = """\
cc-harness matrix VERSION... --output FOLDER [options]
       cc-harness matrix merge FOLDER... [--output FOLDER]
       cc-harness matrix check FOLDER"""

#: The exit code of a matrix that was stopped.
_STOPPED = 2

#: The recorder runs the sessions of one release side by side: more releases only fill more cores.
_CORES_PER_JOB = 8


def declare_matrix(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness matrix``."""
    command.usage = _USAGE
    command.add_argument(
        "names",
        metavar="VERSION",
        nargs="+",
        help="a release, A..B (all published ones), last:N (the newest); or merge FOLDER... "
        "(gather the releases of several folders), or check FOLDER (hold the listed deviations "
        "to what was found)",
    )
    command.add_argument("--output", metavar="FOLDER", type=Path, help="where all of it is kept")
    command.add_argument(
        "--every", metavar="K", type=int, default=1, help="of a range, only each K-th release"
    )
    command.add_argument(
        "--as",
        dest="by",
        metavar="V",
        help="the release by whose contract all are compared (default: the newest)",
    )
    command.add_argument(
        "--scenarios", metavar="NAMES", help="the sessions that are made (default: all)"
    )
    command.add_argument(
        "--quick", action="store_true", help="leave out the sessions that wait: export intervals"
    )
    command.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=max(1, (os.cpu_count() or 1) // _CORES_PER_JOB),
        help="releases side by side (default: one for each eight cores)",
    )
    command.add_argument(
        "--cache-limit",
        metavar="SIZE",
        default="5G",
        help="remove releases that the matrix installed when they take more (default: 5G)",
    )
    command.add_argument("--shard", metavar="I/N", help="only a part: the I-th of N")
    command.add_argument(
        "--keep-captures", action="store_true", help="keep the captures of each release as well"
    )
    add_json(command)
    command.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    command.set_defaults(run=_matrix)


def _matrix(arguments: argparse.Namespace) -> int:
    first, *rest = arguments.names
    if first == "merge":
        return _merge(arguments, rest)
    if first == "check":
        return _check(rest, as_json=arguments.json)
    return _make(arguments)


def _merge(arguments: argparse.Namespace, names: Sequence[str]) -> int:
    if not names:
        raise UsageError("matrix merge", seen="no folder", expected="folders of matrices")
    output = arguments.output
    if output is None:
        if len(names) > 1:
            raise UsageError("--output", seen="nothing", expected="a folder for all of them")
        output = Path(names[0])
    into = MatrixFolder(output)
    merge([MatrixFolder(Path(name)) for name in names], into)
    _show(into, as_json=arguments.json)
    return 0


def _check(names: Sequence[str], *, as_json: bool) -> int:
    if len(names) != 1:
        raise UsageError("matrix check", seen=f"{len(names)} folders", expected="one")
    folder = MatrixFolder(Path(names[0]))
    folder.plan()
    found = check(folder.entries())
    if as_json:
        print_json([plain(each) for each in found])
    else:
        sys.stdout.write("".join(f"{line}\n" for line in told(found)))
    return int(any(each.standing is Standing.WRONG for each in found))


def _show(folder: MatrixFolder, *, as_json: bool) -> None:
    entries = folder.entries()
    ran = sum(entry.ran for entry in entries)
    if as_json:
        print_json(
            {
                "ran": [entry.version for entry in entries if entry.ran],
                "not_run": {entry.version: entry.reason for entry in entries if not entry.ran},
                "written": [str(path) for path in write_pages(folder)],
            }
        )
        return
    sys.stdout.write(f"{ran} releases were run, {len(entries) - ran} were not\n")
    for entry in entries:
        if not entry.ran:
            sys.stdout.write(f"  {entry.version}: {entry.reason}\n")
    for path in write_pages(folder):
        sys.stdout.write(f"{path}\n")


def _make(arguments: argparse.Namespace) -> int:
    folder = MatrixFolder(_output(arguments))
    if arguments.jobs < 1:
        raise UsageError("--jobs", seen=str(arguments.jobs), expected="1 or more")
    limit = parse_size(arguments.cache_limit)
    all_of_it = choose(arguments.names, arguments.every, _published)
    plan = MatrixPlan(_by(arguments.by, folder, all_of_it), _scenarios(arguments))
    chosen = sharded(all_of_it, arguments.shard)
    _are_published([] if arguments.worker else chosen)
    folder.open_for(plan)
    making = Making(
        folder,
        plan,
        Cache(folder.path / "installed", limit, folder.is_claimed),
        arguments.keep_captures,
    )
    if arguments.worker:
        end_with_parent()
    with _told_how_to_go_on(folder, chosen, quiet=bool(arguments.worker)):
        if arguments.jobs > 1:
            make_side_by_side(_as_worker(arguments, plan, chosen), arguments.jobs)
        else:
            making.make(chosen, Progress(len(chosen), tell, arguments.worker or 1))
        if not arguments.worker:
            _show(folder, as_json=arguments.json)
            _tell_missing(folder, chosen)
    return 0


def _tell_missing(folder: MatrixFolder, chosen: Sequence[Chosen]) -> None:
    """Say which releases another process is still at work on."""
    there = {entry.version for entry in folder.entries()}
    missing = [each.version for each in chosen if each.version not in there]
    if missing:
        tell(f"another process is at work on {', '.join(missing)}: they are not in the tables")


def _as_worker(
    arguments: argparse.Namespace, plan: MatrixPlan, chosen: Sequence[Chosen]
) -> list[str]:
    return [
        *(each.spec for each in chosen),
        f"--output={arguments.output}",
        f"--as={plan.by}",
        f"--scenarios={','.join(plan.scenarios)}",
        f"--cache-limit={arguments.cache_limit}",
        *(["--keep-captures"] if arguments.keep_captures else []),
    ]


@contextmanager
def _told_how_to_go_on(
    folder: MatrixFolder, chosen: Sequence[Chosen], *, quiet: bool
) -> Iterator[None]:
    """Turn an interruption into an error that says what is kept, once all sessions ended."""
    try:
        yield
    except KeyboardInterrupt:
        if quiet:  # the process that started this one tells it
            raise SystemExit(_STOPPED) from None
        ran = {entry.version for entry in folder.entries() if entry.ran}
        done = sum(each.version in ran for each in chosen)
        raise HarnessError(
            f"interrupted: {done} of {len(chosen)} releases are finished and kept in "
            f"{folder.path}; the same command goes on"
        ) from None


def _output(arguments: argparse.Namespace) -> Path:
    output: Path | None = arguments.output
    if output is None:
        raise UsageError("--output", seen="nothing", expected="a folder for what is found")
    return output


def _by(asked: str | None, folder: MatrixFolder, chosen: Sequence[Chosen]) -> str:
    """Return the release by whose contract all are compared: a folder keeps to its own."""
    if asked is None:
        return folder.plan().by if folder.exists() else chosen[-1].version
    try:
        return str(Version.parse(asked))
    except ValueError:
        raise UsageError("--as", seen=repr(asked), expected="a release such as 2.1.332") from None


def _scenarios(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.scenarios is None:
        return tuple(
            sorted(
                name
                for name, scenario in SCENARIOS.items()
                if not (scenario.slow or scenario.drawn)
                and not (arguments.quick and scenario.waits_s)
            )
        )
    names = tuple(sorted(set(arguments.scenarios.split(","))))
    for name in names:
        if name not in SCENARIOS or SCENARIOS[name].drawn:
            raise UsageError(
                "--scenarios", seen=repr(name), expected=f"names among {', '.join(SCENARIOS)}"
            )
    return names


def _are_published(chosen: Sequence[Chosen]) -> None:
    """Raise UsageError for a release that is not in the cache and was never published."""
    for each in chosen:
        if not each.spec.startswith("npm:") or folder_of(each.version).exists():
            continue
        if each.version not in _published():
            raise UsageError(
                f"release {each.version}",
                seen="npm knows no such release",
                expected="a published one (last:20 are the newest)",
            )


@cache
def _published() -> list[str]:
    return published(tell, "cc-harness matrix")
