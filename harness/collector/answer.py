"""Responses of the collector other than full success, as a test can script them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.capture.export import Export
from harness.otlp.model import Protocol


@dataclass(frozen=True, slots=True)
class CollectorResponse:
    """A scripted response to one export request, for OTLP/HTTP and OTLP/gRPC.

    ``http_status`` is the status over OTLP/HTTP, ``grpc_code`` (a number, 0 is OK) the one over
    OTLP/gRPC. ``called`` is the response's name in the capture. ``message`` goes into the
    ``google.rpc.Status`` body of an HTTP error or is the gRPC status message.
    ``headers`` are added to the response headers (HTTP) or sent as trailing metadata
    (gRPC, where values of ``-bin`` names are bytes); their names are in lower case. ``body``
    replaces the response body or response message. The response is sent after ``hold_s``
    seconds, unless the client gives up before that.
    """

    http_status: int = 200
    grpc_code: int = 0
    message: str = ""
    headers: tuple[tuple[str, str | bytes], ...] = ()
    body: bytes | None = None
    called: str = ""
    hold_s: float = 0.0


#: Asked for every well-formed export, after it arrived and before it is stored and
#: answered; ``None`` means full success.  Runs on the server's own thread: it must not
#: block.  An answer that is an error marks the export as rejected.
Responder = Callable[[Export], CollectorResponse | None]


def ask(responder: Responder, export: Export) -> tuple[Export, CollectorResponse | None]:
    """Ask ``responder`` how to answer ``export``; return the export with its status and the answer.

    If the responder raises, the export is kept all the same: the client gets an internal
    error, and the export's ``rejected`` says why.
    """
    try:
        answer = responder(export)
    except Exception as error:
        answer = CollectorResponse(
            http_status=500, grpc_code=13, message=f"responder raised {error!r}"
        )
    if answer is None:
        return export, None
    if export.protocol is Protocol.GRPC:
        status, refused = answer.grpc_code, answer.grpc_code != 0
    else:
        status, refused = answer.http_status, answer.http_status >= 400
    reason = (answer.message or "refused by the responder") if refused else export.rejected
    return replace(export, answered=answer.called, status=status, rejected=reason), answer
