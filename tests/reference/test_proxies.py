"""Which proxy the conforming emitter uses for which URL."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from harness.reference.proxies import authorization, proxy_for, settle

BOTH = {"HTTP_PROXY": "http://one:1", "HTTPS_PROXY": "http://two:2"}


@pytest.mark.parametrize(
    ("url", "environ", "wanted"),
    [
        ("http://a.example", BOTH, "one:1"),
        ("https://a.example", BOTH, "two:2"),
        ("http://a.example", {"http_proxy": "http://low:3"}, "low:3"),
        ("https://a.example", {"HTTP_PROXY": "http://one:1"}, None),
        ("http://a.example", {}, None),
        ("http://a.example", {**BOTH, "NO_PROXY": "b.example,a.example"}, None),
        ("http://a.example:8080", {**BOTH, "no_proxy": "b.example a.example"}, None),
        ("http://x.a.example", {**BOTH, "NO_PROXY": ".a.example"}, None),
        ("http://a.example", {**BOTH, "NO_PROXY": "*"}, None),
        ("http://a.example", {**BOTH, "NO_PROXY": "b.example"}, "one:1"),
    ],
)
def test_the_proxy_of_a_url(url: str, environ: dict[str, str], wanted: str | None) -> None:
    found = proxy_for(urlsplit(url), environ)
    assert (found.netloc if found else None) == wanted


def test_variables_are_set_in_lower_case_for_those_who_read_no_others() -> None:
    environ = {**BOTH, "NO_PROXY": "a b,c", "https_proxy": "http://mine:9"}
    settle(environ)
    assert environ["http_proxy"] == "http://one:1"
    assert environ["https_proxy"] == "http://mine:9"
    assert environ["no_proxy"] == "a,b,c"


def test_credentials_of_the_url_are_decoded() -> None:
    header = authorization(urlsplit("http://us%40er:p%3Aw@proxy:1"))
    assert header == {"Proxy-Authorization": "Basic dXNAZXI6cDp3"}
    assert authorization(urlsplit("http://proxy:1")) == {}
