"""A collector that asks for a client certificate and a token; run as a process by tests.

    python guarded.py CONFIG

The configuration is JSON: ``http`` (host:port), ``certificate``, ``key``, ``client_ca`` (files) and
``token``.
"""

from __future__ import annotations

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main(path: str) -> None:
    config = json.loads(Path(path).read_text(encoding="utf-8"))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            known = self.headers.get("Authorization") == f"Bearer {config['token']}"
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=config["client_ca"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(config["certificate"], config["key"])
    host, _, port = config["http"].rpartition(":")
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
