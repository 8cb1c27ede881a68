"""Follow a failing API: each error is told, and the session goes on when the API does."""

import pytest
from pytest_cc_otel import Fail, Say


def test_an_overloaded_api_is_told(claude):
    session = claude(
        script=[
            Fail(529, "Overloaded", type="overloaded_error", times=2),
            Say("Now I have time."),
        ],
    )
    assert session.completed.exit_code == 0
    assert session.event("api_request")
    failed = [call for call in session.truth.api_calls if call.status == 529]
    assert len(failed) == 2
    with pytest.raises(AssertionError, match="expected one event 'api_refusal', saw none"):
        session.event("api_refusal")  # says which events there are instead
