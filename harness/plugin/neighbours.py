"""What reporters of other makes expect of an item, and ours do not have by themselves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


def placed_for_allure(item: pytest.Item) -> None:
    """Tell allure, if it reports this session, where an item stands that no file holds.

    It takes an item's id apart at ``::``, and fails for one without. What it found is kept in the
    item's stash, so it is asked beforehand, about an id of the form that it knows: requirements
    stand under their first word.
    """
    if not item.config.getoption("allure_report_dir", None):
        return
    try:
        from allure_pytest.utils import parse_nodeid
    except ImportError:
        return
    theme = item.name.partition(".")[0]
    parse_nodeid(SimpleNamespace(nodeid=f"cc_otel/{theme}.py::{item.name}", stash=item.stash))
