"""Check what items of one session say together, in a bounded memory of sessions and streams.

A session is known by ``session.id``. Its events may come in any order; what is missing between
them is told when the session is forgotten or the capture ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from ..findings import Finding
from .files import Message

#: So many sessions are remembered; the one that was heard of first is forgotten first.
MOST_SESSIONS = 20_000
#: So many events of a session may wait for those before them.
_MOST_WAITING = 2_000
#: So many streams, and so many values that must differ, are remembered.
MOST_STREAMS = 100_000

#: Takes a finding of a check (and of a part of it), or says by None that it has enough of them.
Note = Callable[[tuple[str, ...], Callable[[], Finding]], None]

#: A message, and what the item in it is called.
Where = tuple[Message, object]


class Session:
    """The numbers of a session's events that follow each other without a gap, and the others."""

    __slots__ = ("first", "first_time", "id", "last", "last_time", "users", "waiting")

    def __init__(self, id_: str) -> None:
        self.id = id_
        #: The number of the first event; less than all numbers while there is none.
        self.first = self.last = -2
        self.first_time = self.last_time = 0
        self.waiting: dict[int, int] | None = None
        self.users: dict[str, object] = {}


class Sessions:
    """What is known of the sessions of one release; ``looked_at`` counts by check."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._sessions: dict[str, Session] = {}
        self._streams: dict[int, tuple[int, int]] = {}
        self._values: dict[str, dict[int, None]] = {}
        self.looked_at: Counter[tuple[str, ...]] = Counter()
        self.forgotten = 0
        self._numbers = 0
        self._users = {"events": 0, "metrics": 0}

    def heard(self, kind: str, id_: str, user: object, where: Where) -> Session:
        """Return a session of which an item came; ``user`` is who the item says its user is.

        All items of a kind (events, metrics) say the same.
        """
        session = self._sessions.get(id_)
        if session is None:
            session = self._new(id_)
        if user is not None:
            self._users[kind] += 1
            known = session.users.get(kind)
            if known != user:
                if known is None:
                    session.users[kind] = user
                else:
                    self._note(("constant", kind), lambda: _other_user(id_, known, user, where))
        return session

    def _new(self, id_: str) -> Session:
        session = self._sessions[id_] = Session(id_)
        if len(self._sessions) > MOST_SESSIONS:
            oldest = self._sessions.pop(next(iter(self._sessions)))
            self._settle(oldest)
            self.forgotten += 1
        return session

    def number(self, session: Session, number: int, time: int, where: Where) -> None:
        """Note the number of an event of a session."""
        self._numbers += 1
        if number == session.last + 1 and session.waiting is None:
            if time < session.last_time:
                self._early(number, session.last, where)
            session.last, session.last_time = number, time
        elif session.first == -2:
            session.first = session.last = number
            session.first_time = session.last_time = time
        else:
            self._out_of_order(session, number, time, where)

    def _out_of_order(self, session: Session, number: int, time: int, where: Where) -> None:
        if number == 0 and session.first == 0 and time > session.last_time:
            # A session that was resumed counts from the start again.
            self._settle(session)
            session.first = session.last = number
            session.first_time = session.last_time = time
            return
        waiting = session.waiting if session.waiting is not None else {}
        if session.first <= number <= session.last or number in waiting:
            self._note(("increasing",), lambda: _repeated(number, where))
            return
        waiting[number] = time
        self._absorb(session, waiting, where)
        session.waiting = waiting or None
        if len(waiting) > _MOST_WAITING:
            self._settle(session)

    def _absorb(self, session: Session, waiting: dict[int, int], where: Where) -> None:
        """Take in the events whose neighbours have come."""
        while (time := waiting.pop(session.last + 1, None)) is not None:
            if time < session.last_time:
                self._early(session.last + 1, session.last, where)
            session.last, session.last_time = session.last + 1, time
        while (time := waiting.pop(session.first - 1, None)) is not None:
            if time > session.first_time:
                self._early(session.first, session.first - 1, where)
            session.first, session.first_time = session.first - 1, time

    def _early(self, number: int, before: int, where: Where | str) -> None:
        self._note(("increasing",), lambda: _too_early(number, before, where))

    def _settle(self, session: Session) -> None:
        """Tell what is missing between the events of a session."""
        if session.waiting is None:
            return
        known = sorted(
            [
                (session.first, session.first_time),
                (session.last, session.last_time),
                *session.waiting.items(),
            ]
        )
        whole = (session.first, session.last)
        for (low, earlier), (high, later) in pairwise(known):
            if later < earlier:
                self._early(high, low, f"session {session.id}")
            if (low, high) != whole and high - low > 1:
                self._note(("without_gaps",), _gap(session.id, low, high))
        session.last, session.last_time = known[-1]
        session.waiting = None

    def window(self, stream: int, start: int, time: int, where: Where) -> None:
        """Note the window of a delta point of a stream."""
        known = self._streams.pop(stream, None)
        if known is not None:
            self.looked_at["windows_apart",] += 1
            if start < known[1] and known[0] < time:
                self._note(("windows_apart",), _overlap(known, (start, time), where))
            if known[1] > time:
                start, time = known
        self._streams[stream] = (start, time)
        if len(self._streams) > MOST_STREAMS:
            del self._streams[next(iter(self._streams))]

    def unique(self, name: str, session: str, value: object, where: Where) -> None:
        """Note a value that no other item of the session may have."""
        self.looked_at["one_for_each", name] += 1
        seen = self._values.setdefault(name, {})
        key = hash((session, str(value)))
        if key in seen:
            self._note(
                ("one_for_each", name),
                lambda: Finding("a value of its own", f"{value!r} once more", _place(where)),
            )
        seen[key] = None
        if len(seen) > MOST_STREAMS:
            del seen[next(iter(seen))]

    def end(self) -> None:
        """Tell what is missing of the sessions that are still remembered."""
        for session in self._sessions.values():
            self._settle(session)
        for kind, times in self._users.items():
            self.looked_at["constant", kind] = times
        self.looked_at["increasing",] = self.looked_at["without_gaps",] = self._numbers


def _place(where: Where | str) -> str:
    return where if isinstance(where, str) else f"{where[0].where} · {where[1]}"


def _other_user(id_: str, known: object, user: object, where: Where) -> Finding:
    return Finding(f"{known!r}, as before in session {id_}", f"{user!r}", _place(where))


def _repeated(number: int, where: Where) -> Finding:
    return Finding("each number once in a session", f"{number} twice", _place(where))


def _too_early(number: int, before: int, where: Where | str) -> Finding:
    return Finding(
        "a later event has a higher number", f"{number} is earlier than {before}", _place(where)
    )


def _gap(id_: str, low: int, high: int) -> Callable[[], Finding]:
    missing = f"{low + 1}" if high - low == 2 else f"{low + 1} to {high - 1}"
    return lambda: Finding(f"every number from {low} to {high}", f"no {missing}", f"session {id_}")


def _overlap(known: tuple[int, int], seen: tuple[int, int], where: Where) -> Callable[[], Finding]:
    return lambda: Finding(
        "a start that is not before the last point's time "
        f"(start {known[0]}, time {known[1]} before)",
        f"start {seen[0]}, time {seen[1]}",
        _place(where),
    )
