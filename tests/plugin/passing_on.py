"""A collector for tests, as a process of its own: it sends on what it gets, as it is.

    python passing_on.py [--grpc-in HOST:PORT] [--http-in HOST:PORT] [--http-out URL]
                         [--drops SIGNAL] [--says TEXT] [--busy N] [--dies-after N]
                         [--refuses TEXT]

What else it is told is wrong with it, or to be seen: it accepts a signal and drops it, prints a
text for each request, answers 503 to the first ones, ends after so many, or at once. Without
``--http-out`` nothing comes out.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
import zlib
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc

_LIMIT = 16 * 1024 * 1024
_OVER_GRPC = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
_PATHS = {
    _OVER_GRPC.format("metrics", "Metrics"): "/v1/metrics",
    _OVER_GRPC.format("logs", "Logs"): "/v1/logs",
    _OVER_GRPC.format("trace", "Trace"): "/v1/traces",
}
_PROTOBUF = "application/x-protobuf"


def log(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Relay:
    """What is done with each request."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._left = options.dies_after
        self._busy = options.busy
        self._lock = threading.Lock()
        # No proxy of the environment stands in between.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answer(self, path: str, media_type: str, body: bytes) -> tuple[int, bytes]:
        """Send a request on; return the status and the body of the answer."""
        if self._options.says:
            log(self._options.says)
        with self._lock:
            self._busy -= 1
            if self._busy >= 0:
                return 503, b""
            self._left -= 1
            if self._left == 0:
                log("out of memory")
                os._exit(3)
        dropped = self._options.drops and path.endswith(self._options.drops)
        if dropped or not self._options.http_out:
            return 200, b"{}" if "json" in media_type else b""
        request = urllib.request.Request(
            self._options.http_out + path, body, {"Content-Type": media_type}
        )
        try:
            with self._opener.open(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError as error:
            log(f"cannot send: {error}")
            return 503, b""


def serve_grpc(relay: Relay, address: str) -> grpc.Server:
    """Take OTLP/gRPC."""

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs only
        def service(self, details: Any) -> Any:
            path = _PATHS.get(details.method)

            def export(body: bytes, context: Any) -> bytes:
                assert path is not None
                status, answered = relay.answer(path, _PROTOBUF, body)
                if status == 200:
                    return answered
                invalid = grpc.StatusCode.INVALID_ARGUMENT
                context.abort(invalid if status == 400 else grpc.StatusCode.UNAVAILABLE, "refused")
                raise AssertionError

            return grpc.unary_unary_rpc_method_handler(export) if path else None

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Handlers()])
    server.add_insecure_port(address)
    server.start()
    return server


def serve_http(relay: Relay, address: str) -> None:
    """Take OTLP/HTTP."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            media_type = self.headers.get("Content-Type", "")
            try:
                if self.headers.get("Content-Encoding") == "gzip":
                    body = zlib.decompressobj(31).decompress(body, _LIMIT)
                full = len(body) == _LIMIT
                status, answered = (413, b"") if full else relay.answer(self.path, media_type, body)
            except zlib.error:
                status, answered = 400, b""
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            self.wfile.write(answered)

        def log_message(self, *arguments: Any) -> None:
            """Print nothing: what is printed is looked at."""

    host, _, port = address.partition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("grpc-in", "http-in", "http-out", "drops", "says", "refuses"):
        parser.add_argument(f"--{name}", default="")
    for name in ("dies-after", "busy"):
        parser.add_argument(f"--{name}", type=int, default=0)
    options = parser.parse_args()
    if options.refuses:
        sys.exit(options.refuses)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    relay = Relay(options)
    server = serve_grpc(relay, options.grpc_in) if options.grpc_in else None
    if options.http_in:
        serve_http(relay, options.http_in)
    log("listening")
    threading.Event().wait()
    del server  # one that nobody holds stops


if __name__ == "__main__":
    main()
