"""The promises of each CLI version: the emitter's own reading of the documents.

It is independent of ``schemas/`` on purpose. The contract is tested with the emitter, so a
mistake in one of the two must not be repeated in the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Self

from harness.contract.versions import Version

DEFAULT = "2.1.240"

#: The newest release that the August 2026 document speaks of.  Its facts that no
#: changelog line dates begin here, and the February facts that it contradicts end.
AUGUST = "2.1.240"


def _since(version: str) -> bool:
    promised: bool = field(metadata={"since": Version.parse(version)})
    return promised


@dataclass(frozen=True, slots=True)
class Promises:
    """The promises that hold for one version; see :meth:`of`."""

    #: ``speed`` on API events.
    event_speed: bool = _since("2.1.41")
    #: Account variables (``CLAUDE_CODE_ACCOUNT_UUID`` and others) are read.
    account_variables: bool = _since("2.1.51")
    #: Files of ``managed-settings.d`` are read.
    managed_fragments: bool = _since("2.1.83")
    #: ``tool_parameters`` of ``tool_result`` need OTEL_LOG_TOOL_DETAILS=1.
    tool_parameters_gated: bool = _since("2.1.85")
    #: ``effort`` on cost, tokens and API events.
    effort: bool = _since("2.1.117")
    #: ``tool_use_id`` on tool events, ``tool_input_size_bytes`` on results.
    tool_use_id: bool = _since("2.1.119")
    #: Numbers of API events are sent as numbers; strings before.
    api_numbers: bool = _since("2.1.122")
    #: The variables of OpenTelemetry are not handed to Bash.
    clean_bash: bool = _since("2.1.128")
    #: A headers helper may stand at a path with spaces, and the debug log tells why one
    #: failed.
    helper_reports: bool = _since("2.1.149")
    #: ``app.entrypoint``, with OTEL_METRICS_INCLUDE_ENTRYPOINT=true.
    entrypoint: bool = _since("2.1.152")
    #: ``tool_parameters`` on ``tool_decision``, with OTEL_LOG_TOOL_DETAILS=1.
    decision_parameters: bool = _since("2.1.157")
    #: Keys of OTEL_RESOURCE_ATTRIBUTES on data points.
    resource_labels: bool = _since("2.1.161")
    #: ``model`` on lines of code.
    lines_model: bool = _since("2.1.172")
    #: ``message.uuid``, ``client_request_id`` and ``tool_source``.
    message_ids: bool = _since("2.1.214")
    #: Managed variables of OTLP take away what would lead around them.
    managed_locks: bool = _since("2.1.217")
    #: No units where Prometheus is the only exporter of metrics.
    prometheus_without_units: bool = _since("2.1.216")
    #: ``user.id`` and, with an account, ``user.email`` and ``user.account_id``.
    user_ids: bool = _since(AUGUST)
    #: ``tool_result_size_bytes`` on results.
    result_size: bool = _since(AUGUST)
    #: ``prompt.id`` on events.
    prompt_id: bool = _since(AUGUST)
    #: ``tool_name`` and ``source`` on decisions about edits.
    edit_decisions: bool = _since(AUGUST)
    #: ``start_type`` on sessions.
    start_type: bool = _since(AUGUST)
    #: ``query_source`` on cost, tokens and API events, with the names of agents and servers.
    query_source: bool = _since(AUGUST)
    #: ``request_id`` on API events.
    request_id: bool = _since(AUGUST)
    #: ``cost_usd_micros`` on API requests.
    cost_micros: bool = _since(AUGUST)
    #: ``error`` of a tool needs a gate, ``error_type`` does not.
    error_type: bool = _since(AUGUST)
    #: No result of a rejected tool.
    results_of_runs: bool = _since(AUGUST)
    #: ``tool_input``, with OTEL_LOG_TOOL_DETAILS=1.
    tool_input: bool = _since(AUGUST)
    #: ``type`` on active time.
    active_type: bool = _since(AUGUST)
    #: Keys of OTEL_RESOURCE_ATTRIBUTES on events.
    event_labels: bool = _since(AUGUST)
    #: ``mcp_server_scope`` on results.
    mcp_scope: bool = _since(AUGUST)
    #: Everything else in the August document: no unit on counts, ``decision_type`` and
    #: ``decision_source`` on tool results, numbers as numbers, traces.
    august: bool = _since(AUGUST)

    @classmethod
    def of(cls, version: Version) -> Self:
        """Return the promises of ``version``: those made by it or by an earlier one."""
        return cls(
            **{promise.name: version >= promise.metadata["since"] for promise in fields(cls)}
        )
