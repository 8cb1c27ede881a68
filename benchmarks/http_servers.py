"""Which HTTP server the collector stands on: each stores the same bodies, wrk counts.

    python -m pip install --group benchmarks
    python benchmarks/http_servers.py [--rounds 3] [--seconds 3]

Every server does the same: read the whole body, keep it in a bounded deque, answer 200
with an empty protobuf message.  The servers take turns, so that noise of the machine
falls on all of them; the table shows medians.  ``httptools protocol`` is no candidate
(no limits, no pipelining, no error answers): it shows what a server costs at least.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import logging
import os
import socket
import statistics
import sys
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from _load import child, metrics_body, require, wrk

STORED: deque[bytes] = deque(maxlen=1000)
CONTENT_TYPE = "application/x-protobuf"

_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", b"0")],
}
_BODY = {"type": "http.response.body", "body": b""}


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    body = message["body"]
    if message["more_body"]:
        parts = [body]
        while message["more_body"]:
            message = await receive()
            parts.append(message["body"])
        body = b"".join(parts)
    STORED.append(body)
    await send(_START)
    await send(_BODY)


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=128)


def ready(port: int) -> None:
    print(port, flush=True)


def uvicorn_on(loop: str) -> Callable[[], None]:
    def run() -> None:
        import uvicorn

        sock = listener()
        ready(sock.getsockname()[1])
        config = uvicorn.Config(
            asgi,
            loop=loop,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        uvicorn.Server(config).run([sock])

    return run


def hypercorn() -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    sock = listener()
    config = Config()
    config.bind = [f"fd://{sock.fileno()}"]
    config.accesslog = None
    config.errorlog = None
    config.include_date_header = False
    config.include_server_header = False
    ready(sock.getsockname()[1])

    async def never() -> None:
        await asyncio.Event().wait()

    import uvloop

    uvloop.run(serve(asgi, config, shutdown_trigger=never))


def granian() -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server

    # It takes no listening socket and no port 0: a free port has to be guessed.
    with listener() as sock:
        port = sock.getsockname()[1]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asgi(scope, receive, send)

    server = Server(
        app,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.5, ready, port)
        await server.serve()

    import uvloop

    uvloop.run(main())


def aiohttp() -> None:
    from aiohttp import web

    answer = {"Content-Type": CONTENT_TYPE}

    async def store(request: web.BaseRequest) -> web.Response:
        STORED.append(await request.read())
        return web.Response(headers=answer)

    async def main() -> None:
        runner = web.ServerRunner(web.Server(store))
        await runner.setup()
        sock = listener()
        await web.SockSite(runner, sock).start()
        ready(sock.getsockname()[1])
        await asyncio.Event().wait()

    import uvloop

    uvloop.run(main())


def stdlib() -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            STORED.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response_only(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", "0")
            self.end_headers()

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """wrk cuts its connections at the end."""

    server = Quiet(("127.0.0.1", 0), Handler)
    ready(server.server_address[1])
    server.serve_forever()


def httptools_protocol() -> None:
    import httptools
    import uvloop

    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            self.parser = httptools.HttpRequestParser(self)
            self.parts: list[bytes] = []

        def data_received(self, data: bytes) -> None:
            self.parser.feed_data(data)

        def on_body(self, part: bytes) -> None:
            self.parts.append(part)

        def on_message_complete(self) -> None:
            STORED.append(b"".join(self.parts))
            self.parts = []
            self.transport.write(answer)

    async def main() -> None:
        sock = listener()
        await asyncio.get_running_loop().create_server(Protocol, sock=sock)
        ready(sock.getsockname()[1])
        await asyncio.Event().wait()

    uvloop.run(main())


#: name -> (modules it needs, how to run it)
SERVERS: dict[str, tuple[tuple[str, ...], Callable[[], None]]] = {
    "uvicorn + httptools + uvloop": (("uvicorn", "httptools", "uvloop"), uvicorn_on("uvloop")),
    "uvicorn + httptools + asyncio": (("uvicorn", "httptools"), uvicorn_on("asyncio")),
    "aiohttp + uvloop": (("aiohttp", "uvloop"), aiohttp),
    "granian, embedded + uvloop": (("granian", "uvloop"), granian),
    "hypercorn + uvloop": (("hypercorn", "uvloop"), hypercorn),
    "http.server, threads": ((), stdlib),
    "httptools protocol + uvloop (ceiling)": (("httptools", "uvloop"), httptools_protocol),
}


def serve(name: str) -> None:
    """Run one server in this process until standard input ends."""
    logging.disable(logging.CRITICAL)

    def watch() -> None:
        sys.stdin.read()
        # The servers differ in how they stop; the measurement is over, so none is asked to.
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    SERVERS[name][1]()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        serve(chosen.serve)
        return
    require("wrk", "wrk")
    body = metrics_body()
    names = []
    for name, (modules, _) in SERVERS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            print(f"left out: {name} (not installed: {', '.join(missing)})")
        else:
            names.append(name)
    rates: dict[str, list[float]] = {name: [] for name in names}
    cpu_us: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(chosen.rounds):
        for name in names:
            with child(__file__, "--serve", name) as server:
                wrk(server.port, body, connections=chosen.connections, seconds=1)
                rate = wrk(
                    server.port, body, connections=chosen.connections, seconds=chosen.seconds
                )
            rates[name].append(rate)
            cpu_us[name].append(server.cpu_s * 1e6 / (rate * (chosen.seconds + 1)))
    print(
        f"{len(body)} B metrics, wrk -t1 -c{chosen.connections}, "
        f"median [min-max] of {chosen.rounds} rounds of {chosen.seconds} s"
    )
    print(f"{'server':40} {'requests/s':>24} {'server CPU µs/request':>22}")
    for name in sorted(names, key=lambda name: -statistics.median(rates[name])):
        seen = rates[name]
        spread = f"{statistics.median(seen):,.0f} [{min(seen):,.0f}-{max(seen):,.0f}]"
        print(f"{name:40} {spread:>24} {statistics.median(cpu_us[name]):>22.0f}")


if __name__ == "__main__":
    main()
