"""Serve ClickHouse's HTTP interface in front of the engine that the package chdb-core brings.

The engine, its tables and its SQL are ClickHouse's own (a release of this year); only the HTTP
server is not in that package, so it is made here, as far as the collector's exporter uses it.
Run as a program: ``clickhouse_front.py LIBRARY DATA PORT_FILE``.
"""

from __future__ import annotations

import re
import struct
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: What the exporter's driver asks first. The answer decides in which revision of the protocol
#: blocks are written; the engine writes them as files have them, which is revision 0.
_HELLO = "SELECT displayName(), version(), revision(), timezone()"
_FILE_REVISION = 0
_FORMAT = re.compile(r"\s+FORMAT\s+Native\s*;?\s*$", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)")


class Engine:
    """One session of the engine, used by one thread at a time."""

    def __init__(self, data: Path) -> None:
        from chdb import session  # type: ignore[import-not-found]

        self._session: Any = session.Session(str(data))
        self._lock = threading.Lock()
        self._database = ""

    def answer(self, query: str, body: bytes, database: str, form: str) -> bytes:
        """Return what ``query`` gives, in the format ``form``; ``body`` is what it inserts."""
        with self._lock:
            if database and database != self._database:
                self._session.query(f"USE `{database}`")
                self._database = database
            if query.strip() == _HELLO:
                return self._hello()
            if body:
                return self._insert(query, body)
            return bytes(self._session.query(query, form).bytes())

    def _insert(self, query: str, body: bytes) -> bytes:
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            file.write(body)
            file.flush()
            into = _FORMAT.sub("", query)
            self._session.query(f"{into} FROM INFILE '{file.name}' FORMAT Native")
        return b""

    def _hello(self) -> bytes:
        said = str(self._session.query("SELECT displayName(), version(), timezone()", "TSV"))
        name, version, zone = said.strip().split("\t")
        columns = (
            ("displayName()", "String", _text(name)),
            ("version()", "String", _text(version)),
            ("revision()", "UInt32", struct.pack("<I", _FILE_REVISION)),
            ("timezone()", "String", _text(zone)),
        )
        # The header of a block as the driver expects it here: not an overflow, no bucket.
        block = b"\x01\x00\x02" + struct.pack("<i", -1) + b"\x00" + bytes((len(columns), 1))
        for title, kind, value in columns:
            block += _text(title) + _text(kind) + b"\x00" + value
        return block


def _text(value: str) -> bytes:
    encoded = value.encode()
    assert len(encoded) < 0x80, "one byte tells the length"
    return bytes((len(encoded),)) + encoded


class Front(BaseHTTPRequestHandler):
    """Take queries as ClickHouse does: in the address or in the body."""

    protocol_version = "HTTP/1.1"
    engine: Engine

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *args: object) -> None:
        """Say nothing of what went well."""

    def _serve(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
        body = self._body()
        if address.path == "/ping":
            self._send(200, b"Ok.\n")
            return
        query, data = (asked["query"], body) if "query" in asked else (body.decode(), b"")
        form = asked.get("default_format", "TabSeparated")
        try:
            self._send(200, self.engine.answer(query, data, asked.get("database", ""), form))
        except Exception as error:  # whatever the engine raises is the answer
            code = _CODE.search(str(error))
            sys.stderr.write(f"{query[:2000]}\n{error}\n")
            self._send(500, f"{error}\n".encode(), code[1] if code else "1")

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if code:
            self.send_header("x-clickhouse-exception-code", code)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    library, data, port_file = (Path(each) for each in sys.argv[1:])
    sys.path.insert(0, str(library))
    Front.engine = Engine(data)
    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        # Whole or not at all: it is read as soon as it is there.
        part = port_file.with_suffix(".part")
        part.write_text(str(server.server_address[1]), encoding="ascii")
        part.rename(port_file)
        server.serve_forever()


if __name__ == "__main__":
    main()
