"""Run the processes that send, and gather what they have counted."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from ..errors import HarnessError
from ..serving.server import new_event_loop
from .counts import Counts, joined
from .order import Order, Prepared
from .sending import Sending

#: What a process says besides its counts: that it is ready, or what is wrong with the order.
_READY = "ready"

#: How long a process may take to prepare the sessions, and to end when it is asked to, in seconds.
_PREPARED_S = 60.0
_ENDED_S = 5.0
#: From the last process's being ready to the first session, in seconds.
_LEAD_S = 0.1
_PROGRESS_S = 1.0
#: How long it may take until it is seen that it is to end early, in seconds.
_STOP_SEEN_S = 0.2


@dataclass(frozen=True, slots=True)
class Sent:
    """What all processes have sent: the counts, the notes, and whether it was ended early."""

    counts: Counts
    notes: array[int]
    ended_early: bool = False


@dataclass(slots=True)
class _Process:
    """A process that sends, what it is told through, and the last that it has told."""

    process: BaseProcess
    commands: Connection
    tells: Connection
    counts: Counts = field(default_factory=Counts)
    notes: array[int] = field(default_factory=lambda: array("q"))
    ended: bool = False

    def said(self) -> object:
        """Return what the process says next. Raises HarnessError if it has died or gave up."""
        try:
            said: object = self.tells.recv()
        except (EOFError, OSError):
            self.process.join(_ENDED_S)
            raise HarnessError(
                f"a process of the load generator died (exit code {self.process.exitcode})"
            ) from None
        if isinstance(said, HarnessError):
            raise said
        return said


def send(
    order: Order,
    progress: Callable[[float, Counts], None],
    stopped: Callable[[], bool] = lambda: False,
) -> Sent:
    """Send everything of an order from processes of its own, and return what was counted.

    ``progress`` gets the seconds since the start and the counts, every second. When ``stopped``
    answers yes, it ends early, with what was sent until then. Raises HarnessError for an order
    that cannot be sent, or if a process dies.
    """
    with _started(order) as processes:
        _await_ready(processes)
        begins = time.monotonic() + _LEAD_S
        for each in processes:
            each.commands.send(begins)
        ended_early = _gather(processes, begins, progress, stopped)
    notes = array("q")
    for each in processes:
        notes.extend(each.notes)
    return Sent(joined([each.counts for each in processes]), notes, ended_early)


@contextlib.contextmanager
def _started(order: Order) -> Iterator[list[_Process]]:
    # Nothing is forked: threads of gRPC may run here, and a fork would not have them.
    context = multiprocessing.get_context("spawn")
    processes: list[_Process] = []
    try:
        for share in range(order.processes):
            # One for each direction: the loop that waits for one end makes it non-blocking.
            read_command, commands = context.Pipe(duplex=False)
            tells, tell = context.Pipe(duplex=False)
            process = context.Process(
                target=_serve,
                args=(order, share, read_command, tell),
                name=f"load-{share}",
                daemon=True,
            )
            process.start()
            read_command.close()
            tell.close()
            processes.append(_Process(process, commands, tells))
        yield processes
    finally:
        for each in processes:
            # The end of its commands ends a process, whatever it does.
            each.commands.close()
            each.tells.close()
        for each in processes:
            each.process.join(_ENDED_S)
            if each.process.is_alive():
                each.process.kill()
                each.process.join()


def _await_ready(processes: list[_Process]) -> None:
    end = time.monotonic() + _PREPARED_S
    for each in processes:
        if not each.tells.poll(max(0.0, end - time.monotonic())):
            raise HarnessError(f"the load generator is not ready after {_PREPARED_S:g} s")
        each.said()


def _gather(
    processes: list[_Process],
    begins: float,
    progress: Callable[[float, Counts], None],
    stopped: Callable[[], bool],
) -> bool:
    """Take what the processes tell until all have ended; return whether they were to end early."""
    shown = begins
    ended_early = False
    while waiting := {each.tells: each for each in processes if not each.ended}:
        if stopped() and not ended_early:
            ended_early = True
            for each in waiting.values():
                with contextlib.suppress(OSError):
                    each.commands.send(None)
        left = min(shown + _PROGRESS_S - time.monotonic(), _STOP_SEEN_S)
        for connection in wait(list(waiting), max(0.0, left)):
            assert isinstance(connection, Connection)
            each = waiting[connection]
            said = each.said()
            if isinstance(said, Counts):
                each.counts = said
            else:
                assert isinstance(said, array)
                each.notes, each.ended = said, True
        now = time.monotonic()
        if now >= shown + _PROGRESS_S:
            shown = now
            progress(now - begins, joined([each.counts for each in processes]))
    return ended_early


def _serve(order: Order, share: int, commands: Connection, tell: Connection) -> None:
    """Prepare, say so, and send from the moment that we are told (in the process)."""
    # Ctrl-C goes to everybody at the terminal; when to end is said by the one that started us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        prepared = Prepared.of(order)
    except HarnessError as error:
        tell.send(error)
        return
    tell.send(_READY)
    try:
        begins: float = commands.recv()
    except EOFError:
        return
    sending = Sending(order, prepared, share)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_send(sending, begins, commands, tell))
    tell.send(sending.counts)
    tell.send(sending.notes)


async def _send(sending: Sending, begins: float, commands: Connection, tell: Connection) -> None:
    loop = asyncio.get_running_loop()
    run = asyncio.ensure_future(sending.run(begins, tell.send))

    def told() -> None:
        try:
            commands.recv()
        except EOFError:
            # Nobody is left to whom it could be told.
            run.cancel()
            loop.remove_reader(commands.fileno())
        else:
            sending.stop()

    loop.add_reader(commands.fileno(), told)
    try:
        await run
    finally:
        loop.remove_reader(commands.fileno())
