"""A test says which releases it is about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import UsageError
from harness.plugin.markers import left_out


def node(*markers: pytest.MarkDecorator) -> pytest.Item:
    marks = [each.mark for each in markers]
    return cast(pytest.Item, SimpleNamespace(iter_markers=lambda name: iter(marks)))


claude: Any = pytest.mark.claude


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (">=2.1.122", ("2.1.122", "2.1.240", "2.2.0"), ("2.1.121", "2.1.31")),
        (">2.1.122", ("2.1.123",), ("2.1.122",)),
        ("<=2.1.122", ("2.1.122", "2.1.9"), ("2.1.123",)),
        (" >= 2.1.31 , < 2.1.240 ", ("2.1.31", "2.1.239"), ("2.1.30", "2.1.240")),
        ("==2.1.31", ("2.1.31",), ("2.1.32",)),
        ("!=2.1.31", ("2.1.32",), ("2.1.31",)),
    ],
)
def test_releases(wanted: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    for version in inside:
        assert left_out(node(claude(version=wanted)), version) == ""
        assert left_out(node(claude(wanted)), version) == ""
    for version in outside:
        assert (
            left_out(node(claude(version=wanted)), version) == f"claude {version} is not {wanted}"
        )


def test_every_marker_counts() -> None:
    both = node(claude(version=">=2.1.31"), claude(version="<2.1.100"))
    assert left_out(both, "2.1.99") == ""
    assert left_out(both, "2.1.100") == "claude 2.1.100 is not <2.1.100"
    assert left_out(node(), "2.1.99") == ""


@pytest.mark.parametrize(
    "marker",
    [
        claude(version="2.1.122"),
        claude(version=">=2.1"),
        claude(version=""),
        claude(version=">=2.1.31,"),
        claude(version=7),
        claude(),
        claude(since="2.1.31"),
        claude(">=2.1.31", version=">=2.1.31"),
    ],
)
def test_a_marker_that_says_nothing_is_an_error(marker: pytest.MarkDecorator) -> None:
    with pytest.raises(UsageError, match=r"@pytest\.mark\.claude\(.*\): expected version="):
        left_out(node(marker), "2.1.31")


def test_it_is_told_by_one_line_in_the_session(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def cc_binary():
            from types import SimpleNamespace
            return SimpleNamespace(version="2.1.31")

        @pytest.mark.claude(version=">=2.1.122")
        def test_new(claude): raise AssertionError("it ran")

        @pytest.mark.claude(version="new")
        def test_wrong(claude): raise AssertionError("it ran")
        """
    )
    result = pytester.runpytest_inprocess("-rs", "--strict-markers", "-p", "no:cacheprovider")
    result.assert_outcomes(skipped=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*@pytest.mark.claude(version='new'): expected version=*",
            "*claude 2.1.31 is not >=2.1.122",
        ]
    )
