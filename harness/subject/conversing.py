"""Drive the subject without a terminal through several prompts of one session.

It exchanges JSON lines with the CLI (``--input-format stream-json``), as the SDKs do, and
sends each prompt after the result of the one before.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import pexpect
from pexpect import fdpexpect

from ..clock import monotonic_s, time_ns
from ..errors import SubjectError
from ..keeping.cells import Kept
from . import outputs, process
from .binary import Binary
from .process import Completed, ProcessGroups
from .sandbox import Sandbox

#: What the process started may hold its output open for longer than it lives.
_LOOK_S = 0.25

#: So many lines are kept, and so much is read in search of the end of one.
_MOST_LINES = 2_000
_LONGEST_LINE = 32 * 1024 * 1024
#: So many lines are read once the deadline has passed; one that prints without end has more.
_LAST_WORDS = 100

ARGUMENTS = (
    *("-p", "--verbose"),
    *("--input-format", "stream-json", "--output-format", "stream-json"),
)


def run_conversation(
    binary: Binary,
    sandbox: Sandbox,
    prompts: Sequence[str],
    *,
    api_url: str,
    env: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
    deadline_s: float = 60.0,
    groups: ProcessGroups | None = None,
) -> Completed:
    """Run ``claude -p`` with ``args`` through ``prompts``, one after another.

    A run that reaches the deadline is ended and returned with ``timed_out`` set. Raises
    SubjectError if the process cannot be started, or ends before it has answered every prompt.
    """
    argv = [*binary.argv, *ARGUMENTS, *args]
    errors = sandbox.output / "stderr"
    started = time_ns()
    end_s = monotonic_s() + deadline_s
    environment = sandbox.env(env, api_url=api_url, path_entries=binary.path_entries)
    running = _started(argv, sandbox, environment, errors)
    lines: list[str] = []
    try:
        with (groups or ProcessGroups()).track(running.process.pid):
            timed_out = not _answered_all(running, prompts, lines, end_s, errors)
    finally:
        process.kill_group(running.process)
        for stream in (running.stdin, running.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    return Completed(
        argv=tuple(argv),
        exit_code=running.process.returncode,
        stdout="\n".join(lines)[-outputs.OUTPUT_TAIL_BYTES :],
        stderr=outputs.tail(errors),
        started_unix_nano=started,
        ended_unix_nano=time_ns(),
        timed_out=timed_out,
        deadline_s=deadline_s,
    )


@dataclass(frozen=True, slots=True)
class _Running:
    """A process, and our ends of the pipes to its input and from its output."""

    process: Kept
    stdin: IO[bytes]
    stdout: IO[bytes]


def _started(
    argv: Sequence[str], sandbox: Sandbox, environment: Mapping[str, str], errors: Path
) -> _Running:
    """Start the process with pipes for its input and output, and the file ``errors`` for stderr."""
    read, to_write = os.pipe()
    to_read, written = os.pipe()
    stdin, stdout = os.fdopen(to_write, "wb"), os.fdopen(to_read, "rb", buffering=0)
    try:
        with outputs.opened(errors) as (stderr,):
            started = process.start(
                sandbox.cell,
                argv,
                cwd=sandbox.work,
                env=environment,
                stdin=read,
                stdout=written,
                stderr=stderr.fileno(),
            )
    except BaseException:
        stdin.close()
        stdout.close()
        raise
    finally:
        os.close(read)
        os.close(written)
    return _Running(started, stdin, stdout)


def _answered_all(
    running: _Running,
    prompts: Sequence[str],
    lines: list[str],
    end_s: float,
    errors: Path,
) -> bool:
    """Send all prompts; say whether they were answered and the process ended before ``end_s``.

    The lines that it prints are appended to ``lines``.
    """
    try:
        _converse(running, prompts, lines, end_s, lambda: outputs.bound(errors))
    except pexpect.TIMEOUT:
        return False
    except pexpect.EOF as error:
        raise SubjectError(
            "the session ended before it had answered every prompt",
            output="\n".join([*lines[-5:], outputs.tail(errors)]),
        ) from error
    return process.wait(running.process, max(end_s - monotonic_s(), 0))


def _converse(
    running: _Running,
    prompts: Sequence[str],
    lines: list[str],
    end_s: float,
    look: Callable[[], None],
) -> None:
    """Send each prompt and read up to its result; then close the input and read the rest.

    ``look`` is called every so often.
    """
    channel = fdpexpect.fdspawn(running.stdout.fileno(), timeout=None)

    last_words = _LAST_WORDS

    def next_line() -> str:
        nonlocal last_words
        while True:
            look()
            has_ended = running.process.ended()  # asked before reading what is left
            left = max(end_s - monotonic_s(), 0)
            matched = channel.expect([rb"\n", pexpect.EOF, pexpect.TIMEOUT], min(left, _LOOK_S))
            at_end = matched == 1 or (matched == 2 and has_ended)
            if matched == 0 or (at_end and channel.before):
                lines.append(cast(bytes, channel.before).decode("utf-8", "replace"))
                _keep_the_last(lines)
            elif len(channel.buffer) > _LONGEST_LINE:
                channel.buffer = cast(str, b"")  # of bytes, which the stubs do not know
            if at_end:
                raise pexpect.EOF("it has ended")
            last_words -= not left
            if not left and (matched or not last_words):
                raise pexpect.TIMEOUT("the deadline has passed")
            if matched == 0:
                return lines[-1]

    for prompt in prompts:
        content = [{"type": "text", "text": prompt}]
        message = {"type": "user", "message": {"role": "user", "content": content}}
        with contextlib.suppress(BrokenPipeError):  # it has ended: reading will tell
            running.stdin.write(json.dumps(message).encode() + b"\n")
            running.stdin.flush()
        while not _is_result(next_line()):
            pass
    with contextlib.suppress(BrokenPipeError):
        running.stdin.close()
    with contextlib.suppress(pexpect.EOF):
        while True:
            next_line()


def _keep_the_last(lines: list[str]) -> None:
    """Forget the first lines if they are many: nobody reads more than the end of an output."""
    if len(lines) > _MOST_LINES or len(lines[-1]) > outputs.OUTPUT_TAIL_BYTES:
        kept = 1
        size = len(lines[-1])
        while kept < min(len(lines), _MOST_LINES // 2) and size < outputs.OUTPUT_TAIL_BYTES:
            kept += 1
            size += len(lines[-kept])
        del lines[:-kept]


def _is_result(line: str) -> bool:
    try:
        message = json.loads(line)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("type") == "result"
