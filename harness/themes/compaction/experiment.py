"""The numbers of the experiment: when a context is full, and what is billed for one that is."""

from __future__ import annotations

from ...fakes.script import Usage

#: The variable that says how many tokens a context may have before it is compacted.
WINDOW_VARIABLE = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"
WINDOW = 150_000

#: What the API bills for the answer after which the context is full.
FULL = Usage(input_tokens=169_000, output_tokens=300, cache_read_tokens=2_000)

#: What a context has then.
FULL_TOKENS = 171_300
