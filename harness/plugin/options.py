"""Declare, read and check the options of the command line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from ..findings import Impact

DEFAULT_DEADLINE_S = 60.0

_NAMES = (
    *("--cc-binary", "--cc-report", "--cc-captures", "--cc-deadline", "--cc-scenarios"),
    *("--cc-protocols", "--cc-fuzz-seconds", "--cc-expectations", "--cc-accept"),
    *("--cc-baseline", "--cc-fail-on", "--cc-otlp-endpoint", "--cc-otlp-headers"),
)

_MANAGED = "--cc-allow-managed-settings"
EXPECTATIONS = "--cc-expectations"
ACCEPT = "--cc-accept"
DEADLINE = "--cc-deadline"
BASELINE = "--cc-baseline"
_FAIL_ON = "--cc-fail-on"
QUERIES = "--cc-queries"
POWER = "--cc-power"
OTLP, OTLP_HEADERS = "--cc-otlp-endpoint", "--cc-otlp-headers"
#: What differences may fail a run; harness/drift/comparison.py says how.
GRAVITIES = ("privacy", "breaking", "any", "none")
#: Those among them that say nothing of a promise that is broken.
_OF_DIFFERENCES = ("breaking", "any", "none")
#: What is about sessions of a CLI that is judged itself, and nothing else.
OF_THE_CLI_ONLY = ("--cc-slow", "--cc-fuzz-seconds", _MANAGED, BASELINE, _FAIL_ON, QUERIES)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line.

    ``binary`` is as given; the folders are absolute. Empty ``scenarios`` mean all, the ``slow``
    ones only if asked for; empty ``protocols`` mean all.
    """

    binary: str
    report: Path | None
    captures: Path | None
    deadline_s: float
    scenarios: tuple[str, ...] = ()
    slow: bool = False
    allow_managed_settings: bool = False
    fuzz_seconds: float | None = None
    protocols: tuple[str, ...] = ()
    expectations: Path | None = None
    accept: Path | None = None
    baseline: str = ""
    fail_on: str = "breaking"
    queries: tuple[str, ...] = ()
    fail_impacts: tuple[Impact, ...] = ()
    power: bool = False

    @property
    def rerun(self) -> tuple[str, ...]:
        """The options that a rerun must repeat."""
        deadline = () if self.deadline_s == DEFAULT_DEADLINE_S else (f"{self.deadline_s:g}",)
        return (
            f"--cc-binary={self.binary}",
            *(f"--cc-deadline={seconds}" for seconds in deadline),
            *([f"--cc-scenarios={','.join(self.scenarios)}"] if self.scenarios else ()),
            *([f"--cc-protocols={','.join(self.protocols)}"] if self.protocols else ()),
            *(["--cc-slow"] if self.slow else ()),
            *(
                [f"--cc-fuzz-seconds={self.fuzz_seconds:g}"]
                if self.fuzz_seconds is not None
                else ()
            ),
            *(
                [f"{_FAIL_ON}={','.join(impact.option for impact in self.fail_impacts)}"]
                if self.fail_impacts
                else ()
            ),
            *([_MANAGED] if self.allow_managed_settings else ()),
            *([f"{EXPECTATIONS}={self.expectations}"] if self.expectations else ()),
        )


def add(parser: pytest.Parser) -> None:
    """Declare the options of this plugin."""
    group = parser.getgroup("cc-otel", "telemetry of the claude CLI")
    group.addoption(
        "--cc-binary",
        metavar="SPEC",
        help="the claude to judge: a path, a name on PATH, npm:VERSION, npm:latest, or "
        "reference[:VERSION]; without test paths, runs the packaged suite",
    )
    group.addoption(
        "--cc-report",
        metavar="DIR",
        help="write DIR/index.html, a page to be browsed; DIR/record.jsonl: a header, a line for "
        "each requirement, and a footer with the counts; DIR/summary.md, a page for a pull "
        "request; DIR/code-quality.json, for GitLab; and with --cc-baseline diff.json, diff.md "
        "and diff.html",
    )
    group.addoption(
        "--cc-captures",
        metavar="DIR",
        help="keep what the subject exported, as folders of OTLP-JSON lines in DIR, each with a "
        "sidecar of the transport facts; cc-harness judge DIR judges them again",
    )
    group.addoption(
        "--cc-deadline",
        metavar="SECONDS",
        help="how long one run of the subject may take, on top of what it has to wait for (default "
        f"{DEFAULT_DEADLINE_S:g})",
    )
    group.addoption(
        "--cc-scenarios",
        metavar="NAMES",
        help="run these scenarios only, such as working_day,terminal_day; what others would "
        "exercise is then not exercised",
    )
    group.addoption(
        "--cc-protocols",
        metavar="NAMES",
        help="run scenarios over these protocols only: grpc, http/protobuf, http/json; what "
        "others would exercise is then not exercised",
    )
    group.addoption(
        "--cc-slow",
        action="store_true",
        default=None,
        help="run the scenarios that wait for half an hour as well; what they show is not "
        "exercised without it",
    )
    group.addoption(
        "--cc-fuzz-seconds",
        metavar="SECONDS",
        help="for how long input is drawn, instead of what --hypothesis-profile says (quick, "
        "ci, deep); 0: only the inputs that are always tried",
    )
    _add_lists(group)


def _add_lists(group: pytest.OptionGroup) -> None:
    group.addoption(
        EXPECTATIONS,
        metavar="FILE",
        help="a JSON file of known deviations of your own, of a claude or a collector, beside and "
        "over our list: what is listed and seen again does not fail the run, what is gone does",
    )
    group.addoption(
        ACCEPT,
        metavar="FILE",
        help="write such a file, with an entry for each failure and grave difference that no list "
        "excuses; each waits for somebody to say why it is accepted",
    )
    group.addoption(
        POWER,
        action="store_true",
        default=None,
        help="after judging, tell lies about each promise that was kept, in this run's own "
        "recording, and say how many of these promises would have failed a liar; each exception is "
        "named with its reason (some ten seconds)",
    )
    group.addoption(
        OTLP,
        metavar="URL",
        help="send what was found as OTLP metrics and events to a collector of yours, over "
        "http/protobuf, such as http://localhost:4318; one that is away fails nothing",
    )
    group.addoption(
        OTLP_HEADERS,
        metavar="PAIRS",
        help="headers for it, as NAME=VALUE,NAME=VALUE; ${NAME} in a value is a variable of the "
        "environment",
    )
    _add_comparison(group)
    group.addoption(
        _MANAGED,
        action="store_true",
        help="where a run cannot have managed settings of its own (a private mount namespace), "
        "write them to the machine's folder while it goes on, for every session there to see; "
        "what is there already is not touched",
    )


def _add_comparison(group: pytest.OptionGroup) -> None:
    group.addoption(
        BASELINE,
        metavar="SPEC",
        help="compare with this release, and tell what differs: what --cc-binary takes "
        "(npm:2.1.330, recorded side by side), an inventory (NAME.json), or a folder of "
        "--cc-captures",
    )
    group.addoption(
        _FAIL_ON,
        metavar="IMPACTS",
        help="which broken promises fail the run by what people lose, listed or not and whatever "
        f"their level: {', '.join(impact.option for impact in Impact)} (what your own list accepts "
        "stays accepted); and which differences from --cc-baseline: privacy, breaking (or worse; "
        "the default), any, or none",
    )
    group.addoption(
        QUERIES,
        metavar="FILES",
        action="append",
        help="tell which queries depend on what differs from --cc-baseline, and which never "
        "could match: a dashboard (JSON), rules (YAML), SQL or a list of queries, or a pattern "
        "such as grafana/*.json; may be given several times",
    )


def read(config: pytest.Config) -> Options | None:
    """Return the options, or None without ``--cc-binary``.  Raises pytest.UsageError."""
    values = {name: config.getoption(name) for name in _NAMES}
    slow = bool(config.getoption("--cc-slow"))
    allow_managed = bool(config.getoption(_MANAGED))
    given = [name for name, value in values.items() if value is not None]
    empty = [name for name in given if not values[name].strip()]
    queries = tuple(config.getoption(QUERIES) or ())
    power = bool(config.getoption(POWER))
    given += ["--cc-slow"] * slow + [_MANAGED] * allow_managed + [QUERIES] * bool(queries)
    given += [POWER] * power
    if not given:
        return None
    if empty:
        raise pytest.UsageError(f"{empty[0]}: expected a value, saw nothing")
    if values["--cc-binary"] is None:
        raise pytest.UsageError(
            f"{given[0]}: expected --cc-binary=SPEC beside it, saw no --cc-binary"
        )
    fail_on = names(_FAIL_ON, values[_FAIL_ON], "privacy,loss-of-data")
    needs_baseline = (bool({*fail_on} & {*_OF_DIFFERENCES}), bool(queries))
    for option, needs in zip((_FAIL_ON, QUERIES), needs_baseline, strict=True):
        if needs and values[BASELINE] is None:
            raise pytest.UsageError(
                f"{option}: expected {BASELINE}=SPEC beside it, saw no {BASELINE}"
            )
    return Options(
        values["--cc-binary"],
        folder(config, "--cc-report", values["--cc-report"]),
        folder(config, "--cc-captures", values["--cc-captures"]),
        seconds("--cc-deadline", values["--cc-deadline"], DEFAULT_DEADLINE_S),
        names("--cc-scenarios", values["--cc-scenarios"], "working_day"),
        slow,
        allow_managed,
        seconds("--cc-fuzz-seconds", values["--cc-fuzz-seconds"], None, zero=True),
        names("--cc-protocols", values["--cc-protocols"], "grpc"),
        file(config, EXPECTATIONS, values[EXPECTATIONS]),
        new_file(config, values[ACCEPT]),
        values[BASELINE] or "",
        _gravity(fail_on),
        queries,
        tuple(impact for impact in Impact if impact.option in fail_on),
        power,
    )


def _gravity(fail_on: Sequence[str]) -> str:
    """Return which differences fail the run: of several words the one that means the most."""
    among(
        _FAIL_ON,
        fail_on,
        (*GRAVITIES, *(each.option for each in Impact if each.option not in GRAVITIES)),
    )
    if "none" in fail_on and len(fail_on) > 1:
        raise pytest.UsageError(f"{_FAIL_ON}: expected none alone, saw {','.join(fail_on)}")
    return next(
        (word for word in ("any", "breaking", "privacy", "none") if word in fail_on), "breaking"
    )


def names(option: str, text: str | None, example: str) -> tuple[str, ...]:
    """Split a list of names at its commas.  Raises pytest.UsageError for one without any."""
    found = tuple(filter(None, (text or "").replace(" ", "").split(",")))
    if text is not None and not found:
        raise pytest.UsageError(f"{option}={text}: expected names, such as {example}")
    return found


def among(option: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise pytest.UsageError if one of the names ``given`` is not ``known``."""
    known = [*known]
    for name in given:
        if name not in known:
            raise pytest.UsageError(
                f"{option}: expected names among {', '.join(known)}, saw {name!r}"
            )


_Default = TypeVar("_Default", float, None)


def seconds(
    option: str, text: str | None, default: _Default, *, zero: bool = False
) -> float | _Default:
    """Read a positive number of seconds.  Raises pytest.UsageError for anything else."""
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    # No comparison holds for nan.
    if not (0 < number < float("inf") or (zero and number == 0)):
        least = "seconds from 0 on" if zero else "seconds above 0"
        raise pytest.UsageError(f"{option}={text}: expected {least}, such as 30 or 2.5")
    return number


def file(config: pytest.Config, option: str, text: str | None) -> Path | None:
    """Return the absolute path of a file.  Raises pytest.UsageError if there is none."""
    if text is None:
        return None
    path = config.invocation_params.dir / Path(text).expanduser()
    if not path.is_file():
        raise pytest.UsageError(f"{option}={text}: expected a file, saw no such file")
    return path


def new_file(config: pytest.Config, text: str | None) -> Path | None:
    """Return the absolute path of a file that is to be written."""
    return None if text is None else config.invocation_params.dir / Path(text).expanduser()


def folder(config: pytest.Config, option: str, text: str | None) -> Path | None:
    """Return an absolute, writable folder, created if need be."""
    if text is None:
        return None
    # Whoever has us installed and does not use us pays for no import.
    from .. import shortage

    path = config.invocation_params.dir / Path(text).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise pytest.UsageError(
            f"{option}={text}: expected a folder that we can write to, saw: {error}"
        ) from None
    free = shortage.free_in(path)
    if free < shortage.LEAST_LEFT:
        raise pytest.UsageError(
            f"{option}={text}: expected a folder with room for {shortage.LEAST_LEFT} bytes or "
            f"more, saw room for {free:.0f}"
        )
    return path
