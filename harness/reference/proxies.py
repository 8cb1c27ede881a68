"""Follow the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, in either spelling."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Mapping, MutableMapping
from urllib.parse import SplitResult, unquote, urlsplit

_HTTP, _HTTPS, _NO = "http_proxy", "https_proxy", "no_proxy"


def settle(environ: MutableMapping[str, str]) -> None:
    """Set the variables in lower case by those in upper case, for gRPC reads no others.

    A list that is separated by spaces becomes one with commas, which every exporter can read.
    """
    for name in (_HTTP, _HTTPS, _NO):
        value = _value(environ, name)
        if value:
            environ[name] = value


def proxy_for(url: SplitResult, environ: Mapping[str, str]) -> SplitResult | None:
    """Return the proxy for requests to ``url``; None if they are sent to it directly."""
    exempt = {"no": _value(environ, _NO)}
    host = url.netloc.rpartition("@")[2]
    if exempt["no"] and urllib.request.proxy_bypass_environment(host, exempt):  # type: ignore[attr-defined]
        return None
    named = _value(environ, _HTTPS if url.scheme == "https" else _HTTP)
    return urlsplit(named) if named else None


def authorization(proxy: SplitResult) -> dict[str, str]:
    """Return the header with the credentials of the proxy's URL; none if it has none."""
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _value(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name) or environ.get(name.upper(), "")
    return ",".join(value.replace(",", " ").split()) if name == _NO else value
