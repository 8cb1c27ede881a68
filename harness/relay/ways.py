"""Find the ways out of a collector under test, and make the outlets at their ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from ..collector.tls import Tls
from ..errors import UsageError
from . import certificates
from .endpoint import ClientTls
from .outlets.base import Outlet
from .outlets.file import FileOutlet
from .outlets.otlp import OtlpOutlet
from .outlets.remote_write import RemoteWriteOutlet
from .outlets.scrape import ScrapeOutlet
from .target import Target

OPTION = "--cc-collector-out"
CERTIFICATE_OPTION, KEY_OPTION = "--cc-collector-out-cert", "--cc-collector-out-key"

_NONE = "none"
_EXPECTED = (
    "grpc://HOST:PORT, http://HOST:PORT, write:http://HOST:PORT/PATH (grpcs, https with TLS), "
    "file:PATH, scrape:URL or none"
)

#: The schemes of addresses at which we listen: the way out, and whether TLS is spoken there.
_LISTENING = {
    "grpc": ("grpc", False),
    "grpcs": ("grpc", True),
    "http": ("http", False),
    "https": ("http", True),
}

Make = Callable[[], Outlet]


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out of a collector under test: their names, and what makes the outlets of a run."""

    names: tuple[str, ...]
    make: Callable[[], Sequence[Outlet]]


def ways_of(
    target: Target,
    out: Sequence[str],
    folder: Path,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Ways:
    """Return the ways out that a target's places, or the option ``--cc-collector-out``, name.

    ``folder`` is for files that the collector is to write, ``certificate`` and ``key`` are those
    that we show where the option has us listen with TLS. Raises UsageError for ways of an unknown
    form, and where nothing says where anything comes out.
    """
    if out == (_NONE,):
        return Ways((), tuple)
    if not out and target.is_ours:
        named = _at_places(target, folder)
    else:
        tls = _shown(certificate, key)
        named = [_from_option(way, target, tls) for way in out]
    if not named:
        raise UsageError(
            OPTION,
            seen="nothing that says where anything comes out",
            expected="a way out, or none: only the receiving side is judged then",
        )
    # One outlet may be the end of two ways.
    makers = tuple(dict.fromkeys(make for _, make in named))
    return Ways(tuple(name for name, _ in named), lambda: tuple(make() for make in makers))


def _at_places(target: Target, folder: Path) -> list[tuple[str, Make]]:
    """Return the ways that the places of a command or a configuration name."""
    numbers = count()
    asks = "client_certificate" in target.places
    tls = certificates.server(asks=asks) if "ca" in target.places else None

    def otlp() -> Outlet:
        return OtlpOutlet(tls=tls)

    at: dict[str, tuple[str, Make]] = {
        "grpc_out": ("grpc", otlp),
        "http_out": ("http", otlp),
        "file_out": ("file", lambda: FileOutlet(folder / f"out-{next(numbers)}.json")),
        "scrape": ("scrape", ScrapeOutlet),
        "write": ("write", lambda: RemoteWriteOutlet(tls=tls)),
    }
    return [way for place, way in at.items() if place in target.places]


def _shown(certificate: Path | None, key: Path | None) -> Tls | None:
    if certificate is None or key is None:
        return None
    try:
        tls = Tls(certificate.read_bytes(), key.read_bytes())
        tls.context()
    except (OSError, UsageError) as error:
        raise UsageError(
            f"{CERTIFICATE_OPTION}={certificate} and {KEY_OPTION}={key}",
            seen=str(error),
            expected="PEM files of a certificate and its unencrypted key",
        ) from error
    return tls


def _from_option(way: str, target: Target, tls: Tls | None) -> tuple[str, Make]:
    kind, _, rest = way.partition(":")
    if kind == "file" and rest:
        return "file", lambda: FileOutlet(Path(rest))
    parts = _parts(rest if kind in ("scrape", "write") else way)
    if kind == "scrape" and parts.scheme in ("http", "https") and parts.hostname:
        trusted = (target.tls or ClientTls()) if parts.scheme == "https" else None
        headers = dict(target.headers)
        return "scrape", lambda: ScrapeOutlet(url=rest, headers=headers, tls=trusted)
    host, port = parts.hostname, parts.port
    if not host or not port or parts.scheme not in _LISTENING:
        raise _unknown(way)
    name, secured = _LISTENING[parts.scheme]
    if secured and tls is None:
        raise UsageError(
            OPTION,
            seen=way,
            expected=f"{CERTIFICATE_OPTION} and {KEY_OPTION} beside it: what we show there",
        )
    own = tls if secured else None
    if kind == "write" and name == "http":
        return "write", lambda: RemoteWriteOutlet(host=host, port=port, tls=own)
    if kind == "write":
        raise _unknown(way)
    if name == "grpc":
        return "grpc", lambda: OtlpOutlet(host=host, grpc_port=port, tls=own)
    return "http", lambda: OtlpOutlet(host=host, http_port=port, tls=own)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _unknown(url) from None
    if parts.username is not None:
        # Not shown: a password may be in it.
        raise UsageError(
            OPTION,
            seen="a URL with a user name",
            expected="credentials among --cc-collector-headers: they are sent with scrapes, too",
        )
    return parts


def _unknown(way: str) -> UsageError:
    return UsageError(OPTION, seen=repr(way), expected=_EXPECTED)
