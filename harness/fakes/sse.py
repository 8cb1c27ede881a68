"""Encode an answer of the Messages API as one JSON message or as server-sent events.

Source: the public reference of the Messages API and its streaming events
(``message_start`` carries the input and cache tokens and a first output token,
``message_delta`` the final, cumulative output tokens).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from .script import Usage

#: What every thought is signed with: nobody checks it here.
_SIGNATURE = "c2lnbmF0dXJl"

#: Shown in ``message_start``: generation has begun, the true count follows in the delta.
FIRST_OUTPUT_TOKENS = 1


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """A successful answer of the model: ``block``, after a block of ``thinking``, if any."""

    message_id: str
    model: str
    block: dict[str, object]
    usage: Usage
    thinking: str = ""

    @property
    def content(self) -> list[dict[str, object]]:
        return [*([_thought(self.thinking)] if self.thinking else []), self.block]

    @property
    def stop_reason(self) -> str:
        return "tool_use" if self.block["type"] == "tool_use" else "end_turn"


def message_json(answer: ModelMessage) -> bytes:
    """Return the body of a non-streaming answer."""
    message = _message(answer, answer.content, answer.stop_reason, answer.usage.output_tokens)
    return json.dumps(message).encode()


def event_stream(answer: ModelMessage, *, frames: int = 1) -> bytes:
    """Return the body of a streaming answer.

    In ``frames`` deltas the number of output tokens grows to the total. A client must take
    each as the total so far, not add them up.
    """
    return b"".join(map(_frame, _events(answer, frames)))


def cut_stream(answer: ModelMessage) -> bytes:
    """Return the beginning of a streaming answer, up to its first piece of content."""
    beginning = []
    for data in _events(answer, 1):
        beginning.append(_frame(data))
        if data["type"] == "content_block_delta":
            break
    return b"".join(beginning)


def _frame(data: dict[str, object]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def _events(answer: ModelMessage, frames: int) -> Iterator[dict[str, object]]:
    yield {
        "type": "message_start",
        "message": _message(answer, [], None, FIRST_OUTPUT_TOKENS),
    }
    for index, block in enumerate(answer.content):
        opening, deltas = _in_pieces(block)
        yield {"type": "content_block_start", "index": index, "content_block": opening}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    for frame in range(1, frames + 1):
        output_tokens = answer.usage.output_tokens * frame // frames
        last = frame == frames
        yield {
            "type": "message_delta",
            "delta": {
                "stop_reason": answer.stop_reason if last else None,
                "stop_sequence": None,
            },
            "usage": {"output_tokens": output_tokens},
        }
    yield {"type": "message_stop"}


def _in_pieces(block: dict[str, object]) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Return how a content block opens, and the deltas that fill it."""
    if block["type"] == "tool_use":
        arguments = json.dumps(block["input"])
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": arguments}]
    if block["type"] == "thinking":
        return _thought("", signature=""), [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": block["text"]}]


def _thought(thinking: str, signature: str = _SIGNATURE) -> dict[str, object]:
    return {"type": "thinking", "thinking": thinking, "signature": signature}


def _message(
    answer: ModelMessage,
    content: list[dict[str, object]],
    stop_reason: str | None,
    output_tokens: int,
) -> dict[str, object]:
    return {
        "id": answer.message_id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": _usage(answer.usage, output_tokens),
    }


def _usage(usage: Usage, output_tokens: int) -> dict[str, object]:
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": output_tokens,
    }


def error_body(kind: str, message: str, request_id: str) -> dict[str, object]:
    """Return the body of an answer that is an error."""
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": request_id,
    }
