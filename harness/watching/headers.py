"""Tell which headers of a request are of note, without the values that may be credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MASK = "***"

#: What every request has, or what is told in a column of its own.
_USUAL = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "connection", "content-encoding"),
        *("content-length", "content-type", "expect", "grpc-accept-encoding", "grpc-encoding"),
        *("host", "keep-alive", "sec-fetch-mode", "te", "transfer-encoding"),
    }
)
#: What holds no secret by its meaning.  Anything else may: people name headers as they like.
_PLAIN = frozenset({"grpc-timeout", "origin", "traceparent", "user-agent"})
_SCHEMES = frozenset({"basic", "bearer", "digest", "negotiate", "aws4-hmac-sha256"})
_LONGEST = 200


def noted(
    headers: Iterable[tuple[str, str]], shown: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Yield the headers of note, each with its value, or a mask in its place.

    ``shown`` are names, in lower case, of which the value may be told.
    """
    for given, value in headers:
        name = given.lower()
        if name in shown:
            yield name, value[:_LONGEST]
        elif name not in _USUAL:
            yield name, value[:_LONGEST] if name in _PLAIN else _masked(value)


def _masked(value: str) -> str:
    """Return a mask, beside the scheme of authorization, which is no secret."""
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space and scheme.lower() in _SCHEMES else MASK


def without_values(path: str) -> str:
    """Return a request's target with a mask for each value in its query."""
    place, mark, query = path.partition("?")
    pairs = [each.partition("=")[:2] for each in query.split("&")]
    masked = "&".join(f"{name}={MASK}" if equals else MASK for name, equals in pairs)
    return f"{place[:_LONGEST]}{mark}{masked[:_LONGEST]}" if mark else place[:_LONGEST]
