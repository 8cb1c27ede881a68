"""OTEL_RESOURCE_ATTRIBUTES, as the emitter reads it.

Like :mod:`harness.reference.versions` this is a reading of its own, apart from the model that
judges (:mod:`harness.env_lists`), so that a slip in one of the two shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from harness.reference.attributes import Scalar

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
    """Return the pairs of the variable, or none at all where one of them is malformed.

    So OpenTelemetry's specification has it ("Specifying resource information via an environment
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
    """Key and value of one member of the list; raises ValueError for a malformed one."""
    found = _PAIR.fullmatch(member.strip(_SPACE))
    if found is None:
        raise ValueError(member)
    return found["key"], decoded(found["value"])


def decoded(value: str) -> str:
    """Decode a percent-encoded value; raises ValueError for what is no UTF-8."""
    return unquote_to_bytes(value).decode("utf-8")
