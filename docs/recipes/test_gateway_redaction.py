"""Check a gateway's redaction: what goes in must not come out, in whatever place it stood."""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_cc_otel import Say

SECRET = "correct horse battery staple"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url, body):
    headers = {"Content-Type": "application/json"}
    with DIRECT.open(urllib.request.Request(url, body, headers), timeout=60) as answer:
        return answer.read()


@pytest.fixture
def gateway(otlp_collector):
    """Stand in for your gateway: start it here, with ``otlp_collector`` as its backend."""

    class Redacting(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            redacted = body.replace(SECRET.encode(), b"***")
            answer = post(otlp_collector.http_endpoint + self.path, redacted)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redacting) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_no_prompt_gets_through(claude, gateway, otlp_collector):
    session = claude(
        prompt=f"The password is {SECRET}.",
        script=[Say("I keep it to myself.")],
        env={"OTEL_LOG_USER_PROMPTS": "1"},
    )
    assert SECRET in session.event("user_prompt").attributes["prompt"]  # it can leak at all

    for export in session.exports:
        post(gateway + export.path, export.body)
    otlp_collector.wait_for_event("user_prompt", deadline_s=60)
    assert len(otlp_collector.exports) == len(session.exports)
    assert not [export for export in otlp_collector.exports if SECRET.encode() in export.body]
