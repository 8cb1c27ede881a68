"""Send all probes of a protocol to a collector under test, and tell how each was answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from ...otlp.messages import ENCODINGS, Encoding
from ...otlp.model import Protocol, Signal
from ...relay import answer_bodies
from ...relay.answer import Answer, Deadline
from ...relay.client import EXPORT_METHODS, GrpcClient, HttpClient, unreachable
from ...relay.endpoint import Endpoint
from ...relay.scenario import RelayScenario
from ...relay.senders import send_half_closed, send_pipelined, send_slowly
from ...relay.stage import RelayStage
from ...relay.wire import Connection, request_bytes
from .observed import Probed, Probes, Request
from .probes import PLAIN, PROBES, Group, Manner, Probe, Sending
from .telemetry import Draft, Markers, odd

#: The name of the scenario in runs.
SCENARIO = "receiving"

#: Probes under way at the same time.
_AT_ONCE = 12

#: How long an answer may take, in seconds, and how long once several probes got none.
TIMEOUT_S = 5.0
_IMPATIENT_S = 0.5
_HANGS = 4

#: What grpcio compresses in a second at least, on a machine that is busy with other things.
_PACKED_BYTES_PER_S = 8 * 1024 * 1024

#: What an impostor sends in the place of each credential.
_WRONG = "Bearer wrong-credentials"


def observe(
    endpoint: Endpoint,
    protocol: Protocol,
    *,
    signals: Collection[Signal] = tuple(Signal),
    timeout_s: float = TIMEOUT_S,
) -> Probes:
    """Send every probe of ``protocol`` to ``endpoint`` and return what was answered.

    ``signals`` are those that the collector is for: no others are sent. The plain requests tell
    which of them it takes, and the other probes are sent with these; with all of them if it takes
    none. What was accepted comes out later; :func:`due` says what to wait for.
    """
    if not endpoint.speaks(protocol):
        raise ValueError(f"{endpoint.url} does not speak {protocol}")
    session = _Session(endpoint, protocol, timeout_s)
    markers = Markers()

    def planned(
        probes: Iterable[Probe], carriers: Collection[Signal]
    ) -> list[tuple[Probe, list[Draft]]]:
        return [
            (probe, [Draft(protocol, signal, markers.next()) for _ in range(probe.requests)])
            for probe in probes
            if protocol in probe.protocols and _concerns(probe, endpoint)
            for signal in [next((each for each in probe.signals if each in carriers), None)]
            if signal is not None
        ]

    plain = [probe for probe in PROBES if probe.name in PLAIN]
    others = [probe for probe in PROBES if probe.name not in PLAIN]
    with session, ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="probe") as threads:

        def sent(plans: Iterable[tuple[Probe, list[Draft]]]) -> list[list[Probed]]:
            return list(threads.map(lambda each: session.probe(*each), plans))

        probed = sent(planned(plain, signals))
        taken = [PLAIN[one.probe] for (one,) in probed if _accepted(one)]
        plans = planned(others, taken or signals)
        probed += sent(each for each in plans if not each[0].ends)
        # One after the other: each may hurt, and the last one sees whether one did.
        probed += [session.probe(*each) for each in plans if each[0].ends]
    return Probes(tuple(one for several in probed for one in several))


def due(probes: Probes) -> frozenset[str]:
    """Return the markers of the accepted requests: they are to come out, and may be waited for.

    A malformed request that was accepted is not among them: nobody knows what becomes of it.
    """
    return frozenset(
        one.marker
        for one in probes.probed
        if one.marker and _accepted(one) and one.group != Group.MALFORMED
    )


def _accepted(one: Probed) -> bool:
    return one.status in ("OK", "200")


def _concerns(probe: Probe, endpoint: Endpoint) -> bool:
    if not probe.certified:
        return endpoint.tls is not None and endpoint.tls.certificate is not None
    if probe.group is Group.UNAUTHENTICATED:
        return bool(endpoint.credentials)
    return probe.manner is not Manner.HALF_CLOSED or endpoint.tls is None


def _packing_s(sending: Sending) -> float:
    """Return how long grpcio may take to compress a message, which is within the call's time."""
    return len(sending.body or b"") / _PACKED_BYTES_PER_S if sending.compressed else 0.0


class _Session:
    """The connections to one endpoint, and the patience with it."""

    def __init__(self, endpoint: Endpoint, protocol: Protocol, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._uncertified = endpoint.uncertified
        self._protocol = protocol
        self._timeout_s = timeout_s
        self._hangs = 0
        self._calls = GrpcClient(endpoint) if protocol is Protocol.GRPC else None

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *error: object) -> None:
        if self._calls is not None:
            self._calls.close()

    def probe(self, probe: Probe, drafts: Sequence[Draft]) -> list[Probed]:
        """Send the requests of one probe."""
        sendings = [probe.make(draft) for draft in drafts]
        if self._calls is not None:
            found = self._call(probe, drafts, sendings)
        else:
            found = self._send(probe, drafts, sendings)
        self._hangs += any(answer.timed_out for answer in found)
        return [
            self._probed(probe, number, *each)
            for number, each in enumerate(zip(drafts, sendings, found, strict=True), start=1)
        ]

    @property
    def _patience_s(self) -> float:
        return self._timeout_s if self._hangs < _HANGS else min(_IMPATIENT_S, self._timeout_s)

    def _call(
        self, probe: Probe, drafts: Sequence[Draft], sendings: Sequence[Sending]
    ) -> Sequence[Answer]:
        assert self._calls is not None
        if not probe.certified:
            with GrpcClient(self._uncertified) as client:
                return [
                    self._call_one(client, *each) for each in zip(drafts, sendings, strict=True)
                ]
        if probe.manner is not Manner.TOGETHER:
            return [
                self._call_one(self._calls, *each) for each in zip(drafts, sendings, strict=True)
            ]
        with ExitStack() as stack, ThreadPoolExecutor(len(drafts)) as threads:
            clients = [stack.enter_context(GrpcClient(self._endpoint)) for _ in drafts]
            return list(threads.map(self._call_one, clients, drafts, sendings))

    def _call_one(self, client: GrpcClient, draft: Draft, sending: Sending) -> Answer:
        return client.call(
            sending.path or EXPORT_METHODS[draft.signal],
            sending.body or b"",
            self._impostor(sending),
            compressed=sending.compressed,
            timeout_s=self._patience_s + _packing_s(sending),
            anonymous=sending.anonymous or sending.impostor,
        )

    def _send(
        self, probe: Probe, drafts: Sequence[Draft], sendings: Sequence[Sending]
    ) -> Sequence[Answer]:
        def written() -> list[bytes]:
            return [
                request_bytes(
                    self._endpoint,
                    sending.method,
                    _path(draft, sending),
                    (*self._headers(sending), *self._endpoint.headers),
                    sending.body,
                    sending.chunk_bytes,
                )
                for draft, sending in zip(drafts, sendings, strict=True)
            ]

        match probe.manner:
            case Manner.TOGETHER:
                return self._together(written())
            case Manner.PIPELINED:
                return send_pipelined(self._endpoint, written(), timeout_s=self._patience_s)
            case Manner.SLOWLY:
                return [send_slowly(self._endpoint, *written(), timeout_s=self._patience_s)]
            case Manner.HALF_CLOSED:
                return [send_half_closed(self._endpoint, *written(), timeout_s=self._patience_s)]
        with HttpClient(self._endpoint if probe.certified else self._uncertified) as client:
            return [self._send_one(client, *each) for each in zip(drafts, sendings, strict=True)]

    def _send_one(self, client: HttpClient, draft: Draft, sending: Sending) -> Answer:
        return client.send(
            _path(draft, sending),
            sending.body,
            self._headers(sending),
            method=sending.method,
            chunk_bytes=sending.chunk_bytes,
            timeout_s=self._patience_s,
            anonymous=sending.anonymous or sending.impostor,
        )

    def _together(self, requests: Sequence[bytes]) -> Sequence[Answer]:
        """Open a connection for each request, then send all of them, then read the answers."""
        deadline = Deadline(self._patience_s)
        opened: list[Connection | Answer] = []
        with ExitStack() as stack:
            for _ in requests:
                try:
                    opened.append(stack.enter_context(Connection(self._endpoint, deadline)))
                except OSError as error:
                    opened.append(unreachable(error, deadline))
            for connection, request in zip(opened, requests, strict=True):
                if isinstance(connection, Connection):
                    connection.send(request, deadline)
            return [
                each.answer(deadline) if isinstance(each, Connection) else each for each in opened
            ]

    def _headers(self, sending: Sending) -> list[tuple[str, str]]:
        media_type = sending.content_type
        if media_type is None:
            media_type = ENCODINGS[self._protocol].value
        headers = [*sending.headers, *self._impostor(sending)]
        if media_type and sending.body is not None:
            headers.append(("Content-Type", media_type))
        if sending.content_encoding:
            headers.append(("Content-Encoding", sending.content_encoding))
        return headers

    def _impostor(self, sending: Sending) -> list[tuple[str, str]]:
        if not sending.impostor:
            return []
        secret = {name for name, _ in self._endpoint.credentials}
        return [(k, _WRONG if k in secret else value) for k, value in self._endpoint.headers]

    def _probed(
        self, probe: Probe, number: int, draft: Draft, sending: Sending, answer: Answer
    ) -> Probed:
        request = self._request(draft, sending)
        status = answer.code or ("" if answer.status is None else str(answer.status))
        content = _content(draft.signal, request, status, answer)
        return Probed(
            probe=probe.name,
            group=probe.group.value,
            number=number,
            signal=draft.signal.value,
            marker=draft.marker if probe.marked else "",
            odd=odd(draft.marker) if probe.odd else "",
            request=request,
            status=status,
            content_type=answer.header("content-type") or "" if answer.status else "",
            content_encoding=answer.header("content-encoding") or "" if answer.status else "",
            retry_after=answer.header("retry-after") or "" if answer.status else "",
            body=content.value,
            body_error=content.error,
            error=answer.error,
            seconds=answer.seconds,
            reused=answer.reused,
        )

    def _request(self, draft: Draft, sending: Sending) -> Request:
        size = len(sending.body or b"")
        if self._calls is not None:
            path = sending.path or EXPORT_METHODS[draft.signal]
            return Request("", path, "", "gzip" if sending.compressed else "", "message", size)
        headers = dict(self._headers(sending))
        framing = "chunked" if sending.chunk_bytes else "content-length"
        return Request(
            sending.method,
            self._endpoint.base_path + _path(draft, sending),
            headers.get("Content-Type", ""),
            sending.content_encoding,
            "none" if sending.body is None else framing,
            size,
        )


def _path(draft: Draft, sending: Sending) -> str:
    return sending.path or f"/v1/{draft.signal}"


def _content(
    signal: Signal, request: Request, status: str, answer: Answer
) -> answer_bodies.Content:
    """Read the body of an answer in the encoding of its request."""
    if not status:
        return answer_bodies.Content()
    if status == "OK":
        return answer_bodies.success(signal, Encoding.PROTOBUF, answer.body)
    if not status.isdecimal():
        return answer_bodies.refusal(answer.details, answer.status_details)
    media_type = request.content_type.partition(";")[0]
    encodings = [each for each in Encoding if each.value == media_type]
    if not encodings:
        return answer_bodies.Content(error="the request has no encoding of OTLP")
    coding = answer.header("content-encoding") or ""
    if 200 <= int(status) < 300:
        return answer_bodies.success(signal, encodings[0], answer.body, coding)
    return answer_bodies.failure(encodings[0], answer.body, coding)


def _receiving(stage: RelayStage) -> Probes:
    """Send every probe, and wait for what is to come out of those that were accepted."""
    probes = observe(stage.endpoint, stage.protocol)
    stage.settle(len(due(probes)))
    return probes


SCENARIOS = (RelayScenario(SCENARIO, _receiving),)
