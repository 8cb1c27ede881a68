"""A collector that is watched, from its first line to its summary; and its page."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness import cli
from harness.collector.collector import Collector
from harness.errors import UsageError
from harness.fleet.files import Message, find, messages
from harness.watching.entry import Entry
from harness.watching.session import run
from harness.watching.view import View
from tests.watching.bodies import logs

DEADLINE_S = 300
#: What axe finds that keeps somebody from reading the page.
GRAVE = ("serious", "critical")
JSON = {"content-type": "application/json"}


def ask(
    url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] = JSON
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=DEADLINE_S)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_what_arrives_is_told_until_it_is_ended(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    output = tmp_path / "otel.json"

    def heard(line: str) -> None:
        lines.append(json.loads(line))
        match lines[-1]:
            case {"kind": "collector"} as begun:
                assert ask(begun["http"], "POST", "/v1/logs", logs(1))[0] == 200
                assert ask(begun["http"], "POST", "/v1/logs", b"{")[0] == 400
            case {"kind": "export", "number": 2}:
                page = lines[0]["page"]
                told = json.loads(ask(page, "GET", "/entries?after=0")[2])
                assert told == {"next": 2, "entries": lines[1:]}
                # One that comes when it is ended is told all the same.
                assert ask(lines[0]["http"], "POST", "/v1/logs", logs(2))[0] == 200
                raise KeyboardInterrupt

    run(Collector(), heard, as_json=True, output=output)
    assert [line["kind"] for line in lines] == ["collector", *["export"] * 3, "summary"]
    assert [line["status"] for line in lines[1:4]] == [200, 400, 200]
    assert lines[0]["variables"]["grpc"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == lines[0]["grpc"]
    assert (lines[-1]["items"], lines[-1]["missed"]) == ({"logs": 2}, 0)
    kept = [*messages(find([output], ""))]
    assert len([each for each in kept if isinstance(each, Message)]) == len(kept) == 2


def test_the_first_lines_say_what_to_export(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        if line == "Ctrl-C ends it.":
            raise KeyboardInterrupt

    run(Collector(), heard, web_port=None)
    text = "\n".join(lines)
    assert re.search(r"^gRPC +http://127.0.0.1:\d+$", text, re.MULTILINE)
    assert "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_ENDPOINT=http" in text
    assert "page" not in text
    assert lines[-1] == "taken    0 requests, refused 0, with something odd 0"


def test_a_signal_ends_the_command_with_a_summary() -> None:
    command = [sys.executable, "-m", "harness", "collector", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            begun = json.loads(process.stdout.readline())
            assert ask(begun["http"], "POST", "/v1/logs", logs(1))[0] == 200
            assert json.loads(process.stdout.readline())["items"] == {"user_prompt": 1}
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=DEADLINE_S)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["items"] == {"logs": 1}


def test_an_address_in_use_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Collector() as taken:
        for option, port in (("--http-port", taken.http_port), ("--grpc-port", taken.grpc_port)):
            assert cli.main(["collector", "--no-web", option, str(port)]) == cli.USAGE
            assert f"cc-harness: {option} {port} of the collector" in capsys.readouterr().err
        assert cli.main(["collector", "--web-port", str(taken.http_port)]) == cli.USAGE
    assert "cc-harness: --web-port " in capsys.readouterr().err
    with pytest.raises(UsageError, match="a file that can be written"):
        run(Collector(), print, output=tmp_path)


@pytest.fixture(scope="module")
def view() -> Iterator[View]:
    with View() as shown:
        yield shown


def entry(number: int, **facts: Any) -> Entry:
    return Entry(number, 1, "logs", "grpc", "protobuf", None, 1, 0, "", "/", "", **facts)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"host": "evil.example"}),
        ("/", {"host": "127.0.0.1"}),
        ("/entries", {"host": "127.0.0.1:1"}),
        ("/entries", {"origin": "http://evil.example"}),
        ("/entries", {"origin": "null"}),
        ("/entries", {"sec-fetch-site": "cross-site"}),
        ("/entries", {"sec-fetch-site": "same-site"}),
    ],
)
def test_others_are_refused(view: View, path: str, headers: dict[str, str]) -> None:
    status, answered, body = ask(view.url, "GET", path, headers=headers)
    assert (status, body[:8]) == (403, b"refused:")
    assert "access-control-allow-origin" not in answered


def test_the_page_is_one_file_and_allows_nothing_else(view: View) -> None:
    local = view.url.replace("127.0.0.1", "localhost")
    host = {"host": urlsplit(local).netloc, "origin": local.rstrip("/")}
    status, headers, page = ask(view.url, "GET", "/", headers=host)
    assert status == 200
    assert not re.search(rb"https?://|\bsrc=|innerHTML|insertAdjacentHTML", page)
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert ask(view.url, "HEAD", "/", headers={})[2] == b""
    assert ask(view.url, "POST", "/", b"x", headers={})[0] == 405
    assert ask(view.url, "GET", "/else", headers={})[0] == 404
    assert ask(view.url, "GET", "/entries?after=x", headers={})[0] == 400


def test_entries_are_told_in_parts(view: View) -> None:
    for number in range(1, 1205):
        view.add(entry(number))
    told = json.loads(ask(view.url, "GET", "/entries?after=0", headers={})[2])
    # The oldest are forgotten, and a page asks again for the rest.
    assert [each["number"] for each in told["entries"]] == [*range(205, 405)]
    assert told["next"] == 404
    told = json.loads(ask(view.url, "GET", "/entries?after=1204", headers={})[2])
    assert told == {"next": 1204, "entries": []}


@pytest.mark.needs("chromium")
def test_the_page_shows_markup_as_text() -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    from tests.report.browser import chromium

    markup = "<img src=x onerror=document.title='broken'>"
    with View() as shown, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(DEADLINE_S * 1000)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        shown.add(entry(1, items={markup: 2}, notes=(markup,), headers=((markup, markup),)))
        page.goto(shown.url)
        page.wait_for_selector("#rows tr")
        assert page.locator("#rows img").count() == 0
        assert f"{markup} ×2" in page.inner_text("#rows")
        page.fill("#filter", "nothing like that")
        assert page.locator("#rows tr:visible").count() == 0
        page.fill("#filter", "")
        grave = [each for each in Axe().run(page).response["violations"] if each["impact"] in GRAVE]
        assert [each["id"] for each in grave] == []
        assert (problems, page.title()) == ([], "cc-harness collector")
        browser.close()
