"""Lies about bodies of the API, and about contents that are too long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.events import Edit, Lie, edited_if
from ...mutants.rewriting import instead
from ...otlp.model import Signal
from .comparing import as_text, parsed
from .experiment import units
from .measures import MARK, REQUEST, RESPONSE

Wanted = Callable[[Mapping[str, Any]], bool]

ANSWER = "assistant_response"

#: What an event of a request has, and that of its body has not.
_OF_A_REQUEST = frozenset(
    {
        *("cost_usd", "cost_usd_micros", "duration_ms", "speed", "effort", "client_request_id"),
        *("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens"),
        *("request_id", "skill.name", "mcp_server.name", "mcp_tool.name", "agent.name"),
    }
)

_MARK = "\n\n[TRUNCATED - Content exceeds 60 KB limit]"


def request_not_logged(capture: Capture, requirement: Requirement) -> Capture:
    """Log no event for one attempt of a request."""
    return _edited(capture, REQUEST, editing.remove)


def request_logged_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Log two events for one attempt of a request."""
    return _edited(capture, REQUEST, editing.repeat)


def response_not_logged(capture: Capture, requirement: Requirement) -> Capture:
    """Log no event for an answer."""
    return _edited(capture, RESPONSE, editing.remove)


def response_logged_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Log two events for one answer."""
    return _edited(capture, RESPONSE, editing.repeat)


def response_of_another_text(capture: Capture, requirement: Requirement) -> Capture:
    """Log a body in which the model said something else, of the same length."""

    def edit(ref: editing.ItemRef) -> None:
        body = parsed(_own(ref)["body"])
        content = [
            {**block, "text": "?" * units(block["text"])} if block["type"] == "text" else block
            for block in body["content"]
        ]
        _put(ref, "body", as_text({**body, "content": content}))

    return _edited(capture, RESPONSE, edit, _with("body"))


def model_of_no_body(capture: Capture, requirement: Requirement) -> Capture:
    """Tell another model than the body does."""
    return _edited(capture, REQUEST, lambda ref: _put(ref, "model", "claude-other-1"))


def request_file_elsewhere(capture: Capture, requirement: Requirement) -> Capture:
    """Name a file that is not there."""
    return _edited(capture, REQUEST, _elsewhere, _with("body_ref"))


def response_file_elsewhere(capture: Capture, requirement: Requirement) -> Capture:
    """Name a file that is not there."""
    return _edited(capture, RESPONSE, _elsewhere, _with("body_ref"))


def request_length_in_bytes(capture: Capture, requirement: Requirement) -> Capture:
    """Tell the length of a body that is sent inline in bytes."""
    return _edited(capture, REQUEST, _in_bytes, _wide)


def response_length_in_bytes(capture: Capture, requirement: Requirement) -> Capture:
    """Tell the length of a body that is sent inline in bytes."""
    return _edited(capture, RESPONSE, _in_bytes, _wide)


def request_length_in_units(capture: Capture, requirement: Requirement) -> Capture:
    """Tell the length of a file in code units: some fewer than its bytes."""
    return _edited(capture, REQUEST, _fewer, _with("body_ref"))


def response_length_in_units(capture: Capture, requirement: Requirement) -> Capture:
    """Tell the length of a file in code units: some fewer than its bytes."""
    return _edited(capture, RESPONSE, _fewer, _with("body_ref"))


def body_cut_untold(capture: Capture, requirement: Requirement) -> Capture:
    """Cut a body and do not say so."""
    event = _event(requirement)

    def edit(ref: editing.ItemRef) -> None:
        editing.drop(ref, ("attributes", "body_truncated"))

    return _edited(capture, event, edit, _with("body_truncated"))


def body_over_the_limit(capture: Capture, requirement: Requirement) -> Capture:
    """Send one character more of a body than the limit allows."""
    event = _event(requirement)
    return _edited(capture, event, _one_more("body"), _with("body_truncated"))


def answer_cut_early(capture: Capture, requirement: Requirement) -> Capture:
    """Cut an answer that is not too long."""
    return _edited(
        capture,
        ANSWER,
        lambda ref: _put(ref, "response", str(_own(ref)["response"])[:-60] + _MARK),
        lambda own: not MARK.search(str(own["response"])),
    )


def answer_over_the_limit(capture: Capture, requirement: Requirement) -> Capture:
    """Send one character more of an answer than the limit allows."""
    return _edited(capture, ANSWER, _one_more("response"), _marked)


def answer_cut_without_a_mark(capture: Capture, requirement: Requirement) -> Capture:
    """Cut an answer and put no mark there."""
    return _edited(
        capture,
        ANSWER,
        lambda ref: _put(ref, "response", MARK.sub("", str(_own(ref)["response"]))),
        _marked,
    )


def character_cut_apart(capture: Capture, requirement: Requirement) -> Capture:
    """Cut a character in two, so that a collector refuses the export."""
    for export in capture.exports:
        if export.signal is Signal.LOGS:
            return instead(capture, export, replace(export, rejected="an unpaired surrogate"))
    raise ValueError(f"{capture.run.label} exported no logs")


def thought_in_a_body(capture: Capture, requirement: Requirement) -> Capture:
    """Show in a body what the model thought."""
    thought = capture.run.truth.canaries.get("thinking")
    if thought is None:
        raise ValueError(f"{capture.run.label} hid no thought")

    def edit(ref: editing.ItemRef) -> None:
        body = parsed(_own(ref)["body"])
        content = [
            {**block, "thinking": thought} if block["type"] == "thinking" else block
            for block in body["content"]
        ]
        text = as_text({**body, "content": content})
        _put(ref, "body", text)
        _put(ref, "body_length", units(text))

    return _edited(capture, RESPONSE, edit, lambda own: '"type":"thinking"' in str(own.get("body")))


def body_without_gate(capture: Capture, requirement: Requirement) -> Capture:
    """Log a body that nobody asked for."""

    def edit(ref: editing.ItemRef) -> None:
        editing.repeat(ref)
        editing.put(ref, ("body",), f"claude_code.{REQUEST}")
        for key in _OF_A_REQUEST & _own(ref).keys():
            editing.drop(ref, ("attributes", key))
        for key, value in (("event.name", REQUEST), ("body", "{}"), ("body_length", 2)):
            _put(ref, key, value)

    return _edited(capture, "api_request", edit)


def _event(requirement: Requirement) -> str:
    """Return the event that the requirement narrows its bodies to."""
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    return str(where["event"])


def _own(ref: editing.ItemRef) -> Mapping[str, Any]:
    attributes: Mapping[str, Any] = ref.item.view["attributes"]
    return attributes


def _put(ref: editing.ItemRef, key: str, value: object) -> None:
    editing.put(ref, ("attributes", key), value)


def _elsewhere(ref: editing.ItemRef) -> None:
    _put(ref, "body_ref", "/tmp/" + str(_own(ref)["body_ref"]).rpartition("/")[2])


def _in_bytes(ref: editing.ItemRef) -> None:
    _put(ref, "body_length", len(str(_own(ref)["body"]).encode()))


def _fewer(ref: editing.ItemRef) -> None:
    _put(ref, "body_length", int(str(_own(ref)["body_length"])) - 2)


def _one_more(key: str) -> Edit:
    def edit(ref: editing.ItemRef) -> None:
        text = str(_own(ref)[key])
        mark = MARK.search(text)
        assert mark is not None
        _put(ref, key, f"{text[: mark.start()]}.{mark.group()}")

    return edit


def _with(key: str) -> Wanted:
    return lambda own: key in own


def _wide(own: Mapping[str, Any]) -> bool:
    return not str(own.get("body", "")).isascii()


def _marked(own: Mapping[str, Any]) -> bool:
    return MARK.search(str(own["response"])) is not None


def _edited(capture: Capture, event: str, edit: Edit, wanted: Wanted = lambda own: True) -> Capture:
    """Return ``capture`` with the last ``event`` edited whose attributes are ``wanted``.

    Raises ValueError if there is none.
    """

    def fits(own: Mapping[str, Any]) -> bool:
        return own.get("event.name") == event and wanted(own)

    return edited_if(capture, fits, edit, f"such {event}")


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        request_not_logged,
        request_logged_twice,
        response_not_logged,
        response_logged_twice,
        response_of_another_text,
        model_of_no_body,
        request_file_elsewhere,
        response_file_elsewhere,
        request_length_in_bytes,
        response_length_in_bytes,
        request_length_in_units,
        response_length_in_units,
        body_cut_untold,
        body_over_the_limit,
        answer_cut_early,
        answer_over_the_limit,
        answer_cut_without_a_mark,
        character_cut_apart,
        thought_in_a_body,
        body_without_gate,
    )
}
