"""Sessions with a headers helper that answers well, late, badly or not at all.

The helper is ours, and prints the number of its run in every header, so that each request shows
which answer it carries.
"""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...capture.export import MAIN, Export
from ...clock import monotonic_s
from ...collector.answer import CollectorResponse
from ...fakes import helper_stub
from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol, Signal
from ...running.scenario import Scenario, Script, Until
from ...running.stage import Backend, Stage
from ...subject.process import Completed
from .experiment import (
    ARGUMENTS,
    DEBOUNCE_S,
    EXPORT_INTERVAL_S,
    GENERATION,
    GOOD,
    GRACE_S,
    INJECTED,
    LONG_STEP_S,
    LONG_STEPS,
    LONG_WAIT_S,
    ROTATIONS,
    SLOW_S,
    STATIC,
    STATIC_KEY,
    STEP_S,
    STEPS,
    TEAM,
    TOKEN,
    TOKEN_LIFE_S,
)
from .observed import HelperLog, HelperRun

DEBOUNCE = "CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS"

_ENVIRONMENT = {"OTEL_EXPORTER_OTLP_HEADERS": f"{STATIC}={STATIC_KEY}"}
_LAST_WORDS = "Everything is done."


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


def _every(seconds: float) -> dict[str, str]:
    names = ("OTEL_METRIC", "OTEL_LOGS", "OTEL_TRACES")
    return {f"{name}_EXPORT_INTERVAL": _milliseconds(seconds) for name in names}


class _OnlyTheCurrentToken:
    """Responder that refuses a request without the static key or, over HTTP, a valid token.

    A token is valid until its life is over, or until shortly after the next one is first used.
    """

    def __init__(self) -> None:
        self._first_used: dict[int, float] = {}
        self._lock = threading.Lock()

    def __call__(self, export: Export) -> CollectorResponse | None:
        if export.header(STATIC) != STATIC_KEY:
            return _turned_away("no key")
        if export.protocol is Protocol.GRPC:
            return None
        token = re.fullmatch(r"Bearer token-(\d+)", export.header(TOKEN) or "")
        if token is None:
            return _turned_away("no token")
        number, now = int(token[1]), monotonic_s()
        with self._lock:
            first = self._first_used.setdefault(number, now)
            newer = [at for other, at in self._first_used.items() if other > number]
        if now - first > TOKEN_LIFE_S or (newer and now - min(newer) > GRACE_S):
            return _turned_away(f"token {number} is no longer in force")
        return None


def _turned_away(why: str) -> CollectorResponse:
    return CollectorResponse(http_status=401, grpc_code=16, message=why)


def _bash(command: str) -> UseTool:
    return UseTool("Bash", {"command": command, "description": "As asked"})


def _wait(seconds: float) -> UseTool:
    return _bash(f"sleep {seconds:g}")


def _folder(stage: Stage) -> Path:
    return stage.sandbox.root / "headers-helper"


def _launcher(root: Path, name: str = "print-headers") -> Path:
    return root / "bin" / name


def _first_tool(root: Path) -> Path:
    return root / "first-tool"


def _arrived(**counts: int) -> Callable[[Stage], bool]:
    """Make a condition: at least so many requests of each signal have arrived."""

    def holds(stage: Stage) -> bool:
        signals = [export.signal for export in stage.main.exports]
        return all(signals.count(Signal(name)) >= wanted for name, wanted in counts.items())

    return holds


def rotated(stage: Stage) -> bool:
    """Return whether metrics came with as many tokens as are to be used, and logs with the last.

    On a busy machine a token can be replaced before anything was sent with it, so that tokens
    are counted and not only numbered; by metrics alone, which come most often, so that what the
    other signals brought is not needed.
    """
    if stage.protocol is Protocol.GRPC:
        return _arrived(metrics=4, logs=2)(stage)
    taken: dict[Signal | None, set[int]] = {}
    for export in stage.main.exports:
        if (number := _generation(export)) and not export.rejected:
            taken.setdefault(export.signal, set()).add(number)
    enough = sorted(taken.get(Signal.METRICS, ()))[ROTATIONS - 1 :]
    return bool(enough) and max(taken.get(Signal.LOGS, (0,))) >= enough[0]


def _asked_again(stage: Stage) -> bool:
    return any(_generation(export) > 1 for export in stage.main.exports)


def _generation(export: Export) -> int:
    """Return the number of the helper run whose answer the request carries; 0 if none is told."""
    told = export.header(GENERATION) or ""
    return int(told) if told.isascii() and told.isdecimal() else 0


def _observe(stage: Stage, completed: Completed) -> HelperLog:
    first_tool = _first_tool(stage.sandbox.root)
    logs = sorted((stage.home / ".claude" / "debug").glob("*.txt"))
    return HelperLog(
        runs=tuple(
            HelperRun(**{**run, "arguments": tuple(run["arguments"])})
            for run in helper_stub.runs(_folder(stage))
        ),
        headers=tuple(sorted(name.lower() for name in GOOD)),
        static=STATIC,
        injected=INJECTED.lower(),
        last_words=_LAST_WORDS,
        at_work_unix_nano=first_tool.stat().st_mtime_ns if first_tool.exists() else 0,
        debug_log=tuple(
            line
            for log in logs
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
            if "helper" in line.lower()
        ),
    )


def _helped(
    name: str,
    description: str,
    protocols: Sequence[Protocol],
    *,
    script: Script = (),
    printed: object = None,
    status: int = 0,
    delay_s: float = 0.0,
    padding: int = 0,
    launcher: str = "print-headers",
    arguments: str = "",
    of_the_project: bool = False,
    further: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    judged_only_by_name: bool = True,
    **fields: object,
) -> Scenario:
    """Make a session with a helper that prints ``printed`` (None: headers as they should be)."""

    def prepare(stage: Stage) -> Sequence[str]:
        path = _launcher(stage.sandbox.root, launcher)
        helper_stub.install(
            path,
            _folder(stage),
            GOOD if printed is None else printed,
            status=status,
            delay_s=delay_s,
            padding=padding,
        )
        settings = (stage.work if of_the_project else stage.home) / ".claude" / "settings.json"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(
            json.dumps({"otelHeadersHelper": f"{path} {arguments}".strip()}), encoding="utf-8"
        )
        # A project's helper is run only where somebody has said that the project is trusted.
        trusted = {"projects": {str(stage.work): {"hasTrustDialogAccepted": True}}}
        (stage.home / ".claude.json").write_text(json.dumps(trusted), encoding="utf-8")
        return further

    def steps(work: Path) -> Sequence[object]:
        return (*(script(work) if callable(script) else script), Say(_LAST_WORDS))

    return Scenario(
        name=name,
        description=description,
        prompt="Do something while headers are needed.",
        script=steps,  # type: ignore[arg-type]
        environment={**_ENVIRONMENT, **(environment or {})},
        prepare=prepare,
        observe=_observe,
        too_late=lambda stage, completed: helper_stub.too_late(
            _folder(stage), completed.ended_unix_nano
        ),
        protocols=tuple(protocols),
        judged_only_by_name=judged_only_by_name,
        **fields,  # type: ignore[arg-type]
    )


def _bad(
    name: str, description: str, protocol: Protocol, printed: object, **fields: object
) -> Scenario:
    whole = f"A session whose headers helper {description}"
    return _helped(name, whole, [protocol], printed=printed, **fields)  # type: ignore[arg-type]


def _while_it_is_lost(work: Path) -> Sequence[UseTool | Until]:
    launcher = _launcher(work.parent)
    return (
        Until(_wait(0.2), _arrived(metrics=1, logs=1), at_most=20),
        _bash(f"chmod 644 {launcher}"),
        *[_wait(0.3)] * 3,
        _bash(f"rm -f {launcher}"),
        *[_wait(0.3)] * 3,
    )


def _at_work(work: Path) -> Sequence[UseTool | Until]:
    return (
        _bash(f"touch {_first_tool(work.parent)}"),
        Until(_wait(0.4), _arrived(metrics=1), at_most=20),
        *[_wait(0.4)] * 2,
    )


_HTTP = (Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON)

ROTATION = _helped(
    "helper_rotation",
    "A busy session whose collector demands a new token every few seconds",
    tuple(Protocol),
    script=(Until(_wait(STEP_S), rotated, at_most=STEPS),),
    environment={
        DEBOUNCE: _milliseconds(DEBOUNCE_S),
        **_every(EXPORT_INTERVAL_S),
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_TRACES_EXPORTER": "otlp",
    },
    backends={MAIN: Backend(responder=_OnlyTheCurrentToken)},
)

SCENARIOS = (
    ROTATION,
    _helped(
        "helper_project",
        "A busy session whose project names a headers helper, as a command line",
        [Protocol.HTTP_JSON],
        script=_at_work,
        arguments=shlex.join(ARGUMENTS),
        of_the_project=True,
        environment=_every(4.0),
        judged_only_by_name=False,
    ),
    _helped(
        "helper_slow",
        "A busy session whose headers helper takes longer than an export interval",
        [Protocol.HTTP_PROTOBUF],
        script=(Until(_wait(0.3), _arrived(metrics=3, logs=1), at_most=20),),
        delay_s=SLOW_S,
        environment=_every(EXPORT_INTERVAL_S),
        judged_only_by_name=False,
    ),
    _helped(
        "helper_lost",
        "A session whose headers helper loses its permission to execute, then is deleted",
        [Protocol.HTTP_JSON],
        script=_while_it_is_lost,
        environment={**_every(0.2), DEBOUNCE: "200"},
    ),
    _helped(
        "helper_spaced",
        "A session whose headers helper has a path with spaces",
        [Protocol.HTTP_JSON],
        launcher="our helpers/print headers",
    ),
    _bad(
        "helper_fails",
        "prints headers and ends with an error",
        Protocol.HTTP_PROTOBUF,
        GOOD,
        status=3,
        further=("--debug",),
    ),
    _bad("helper_not_json", "prints no JSON", Protocol.HTTP_JSON, "token-@"),
    _bad("helper_array", "prints an array", Protocol.HTTP_PROTOBUF, [GOOD]),
    _bad(
        "helper_number",
        "prints a value that is no string",
        Protocol.HTTP_JSON,
        {**GOOD, GENERATION: 1},
    ),
    _bad(
        "helper_newline",
        "prints a value with a line break and a further header",
        Protocol.HTTP_PROTOBUF,
        {**GOOD, TEAM: f"team-@\r\n{INJECTED}: yes"},
    ),
    _bad(
        "helper_huge",
        "prints two megabytes",
        Protocol.HTTP_JSON,
        {**GOOD, TEAM: "~-@"},
        padding=2_000_000,
    ),
    _helped(
        "helper_half_hour",
        "A session of half an hour with the default interval of the headers helper",
        [Protocol.HTTP_JSON],
        script=(Until(_wait(LONG_STEP_S), _asked_again, at_most=LONG_STEPS),),
        environment=_every(5.0),
        waits_s=LONG_WAIT_S,
        slow=True,
    ),
)
