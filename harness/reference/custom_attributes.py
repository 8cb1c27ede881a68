"""The emitter's own parser of OTEL_RESOURCE_ATTRIBUTES.

Like :mod:`harness.reference.versions` it is independent of the model that
judges (:mod:`harness.env_lists`), so that a mistake in one of the two is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from .attributes import Scalar

_VARIABLE = "OTEL_RESOURCE_ATTRIBUTES"
_SPACE = " \t"

#: RFC 7230's token, and printable ASCII but what the documents exclude.  Of that, quotes
#: are let through: they are literal.
_PAIR = re.compile(
    r"""(?P<key>[!#$%&'*+.^_`|~0-9A-Za-z-]+) [ \t]*=[ \t]*
        (?P<value>(?:[!-$&-+\--:<-\[\]-~]|%[0-9A-Fa-f]{2})*)""",
    re.VERBOSE,
)


def custom_attributes(environ: Mapping[str, str]) -> dict[str, Scalar]:
    """Return the pairs of the variable, or none at all if one of them is malformed.

    OpenTelemetry's specification demands that ("Specifying resource information via an environment
    variable").
    """
    text = environ.get(_VARIABLE, "")
    if not text.strip(_SPACE):
        return {}
    try:
        return dict(map(pair, text.split(",")))
    except ValueError:
        return {}


def pair(member: str) -> tuple[str, str]:
    """Parse one member of the list into key and value; raise ValueError for a malformed one."""
    match = _PAIR.fullmatch(member.strip(_SPACE))
    if match is None:
        raise ValueError(member)
    return match["key"], decoded(match["value"])


def decoded(value: str) -> str:
    """Decode a percent-encoded value; raise ValueError if it is not UTF-8."""
    return unquote_to_bytes(value).decode("utf-8")
