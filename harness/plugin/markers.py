"""The marker ``claude``: which releases a test is about."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

LINE = (
    'claude(version): skip a test of the fixture claude on other releases, as version=">=2.1.122" '
    'or ">=2.1.31, <2.1.240" says'
)

_BOUND = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d+\.\d+\.\d+)\s*")

_COMPARES: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def left_out(node: pytest.Item, version: str) -> str:
    """Return why a test is not about this release, or an empty text if it is.

    Raises UsageError for a marker that does not say which releases.
    """
    from ..contract.versions import Version

    release = Version.parse(version)
    for marker in node.iter_markers("claude"):
        wanted = _wanted(marker)
        for sign, numbers in _BOUND.findall(wanted):
            if not _COMPARES[sign](release, Version.parse(numbers)):
                return f"claude {release} is not {wanted}"
    return ""


def _wanted(marker: pytest.Mark) -> str:
    from ..errors import UsageError

    given = marker.kwargs.get("version", marker.args[0] if marker.args else None)
    alone = len(marker.args) + len(marker.kwargs) == 1
    if alone and isinstance(given, str) and all(map(_BOUND.fullmatch, given.split(","))):
        return given
    told = [*map(repr, marker.args), *(f"{key}={value!r}" for key, value in marker.kwargs.items())]
    raise UsageError(
        f"@pytest.mark.claude({', '.join(told)})",
        seen="no releases that can be compared",
        expected='version=">=2.1.122", or several such bounds with commas between them',
    )
