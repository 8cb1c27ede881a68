"""The promises of each CLI version: the emitter's own reading of the documents.

It is independent of ``schemas/`` on purpose. The contract is tested with the emitter, so a
mistake in one of the two must not be repeated in the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Self

from ..contract.versions import Version

DEFAULT = "2.1.240"

#: The newest release that the August 2026 document speaks of.  Its facts that no
#: changelog line dates begin here, and the February facts that it contradicts end.
AUGUST = "2.1.240"

#: What the August document states and releases were measured to do from the first one on that
#: is not judged by February's alone.
SPRING = "2.1.50"


def _since(version: str) -> bool:
    promised: bool = field(metadata={"since": Version.parse(version)})
    return promised


@dataclass(frozen=True, slots=True)
class Promises:
    """The promises that hold for one version; see :meth:`of`."""

    #: ``speed`` on API events.
    event_speed: bool = _since("2.1.41")
    #: A decision that a hook made has a source of its own.
    hook_decisions: bool = _since("2.1.47")
    #: Account variables (``CLAUDE_CODE_ACCOUNT_UUID`` and others) are read.
    account_variables: bool = _since("2.1.51")
    #: Files of ``managed-settings.d`` are read.
    managed_fragments: bool = _since("2.1.83")
    #: ``tool_parameters`` of ``tool_result`` need OTEL_LOG_TOOL_DETAILS=1.
    tool_parameters_gated: bool = _since("2.1.85")
    #: Requests that failed after retries.
    exhausted_retries: bool = _since("2.1.105")
    #: Bodies of API requests and responses, with OTEL_LOG_RAW_API_BODIES.
    bodies: bool = _since("2.1.111")
    #: The same in files.
    bodies_in_files: bool = _since("2.1.116")
    #: ``effort`` on cost, tokens and API events.
    effort: bool = _since("2.1.117")
    #: ``tool_use_id`` on tool events, ``tool_input_size_bytes`` on results.
    tool_use_id: bool = _since("2.1.119")
    #: Servers of MCP that connect and disconnect are logged.
    mcp_connections: bool = _since("2.1.116")
    #: ``is_plugin`` on those events.
    plugin_servers: bool = _since("2.1.139")
    #: Skills that the model uses are logged.
    skills_activated: bool = _since("2.1.105")
    #: ``invocation_trigger`` on those events.
    skill_triggers: bool = _since("2.1.124")
    #: Subagents that are done are logged.
    subagents_completed: bool = _since("2.1.139")
    #: ``final_model`` and ``model_swapped`` on those events.
    final_model: bool = _since("2.1.212")
    #: Hooks that begin and end are logged.
    hooks_run: bool = _since("2.1.116")
    #: The hooks of a session are logged at its start.
    hooks_registered: bool = _since("2.1.139")
    #: Changes of the permission mode are logged.
    mode_changes: bool = _since("2.1.116")
    #: Compactions are logged.
    compactions: bool = _since("2.1.105")
    #: ``precompute_reuse`` on those that a person asked for.
    precomputed: bool = _since("2.1.153")
    #: Plugins are logged when they are loaded.
    plugins_loaded: bool = _since("2.1.139")
    #: ``host_owned_mcp`` on those events.
    host_mcp: bool = _since("2.1.172")
    #: ``safe_mode`` on the events of hooks and plugins.
    safe_mode: bool = _since("2.1.169")
    #: Numbers of API events are sent as numbers; strings before.
    api_numbers: bool = _since("2.1.122")
    #: The variables of OpenTelemetry are not handed to Bash.
    clean_bash: bool = _since("2.1.128")
    #: Pull requests that an MCP tool creates are counted.
    mcp_pull_requests: bool = _since("2.1.129")
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
    #: What the model answered.
    responses: bool = _since("2.1.193")
    #: ``message.uuid``, ``client_request_id`` and ``tool_source``.
    message_ids: bool = _since("2.1.214")
    #: Managed variables of OTLP take away what would lead around them.
    managed_locks: bool = _since("2.1.217")
    #: No units where Prometheus is the only exporter of metrics.
    prometheus_without_units: bool = _since("2.1.216")
    #: ``user.id`` and, with an account, ``user.email``.
    user_ids: bool = _since(SPRING)
    #: ``tool_result_size_bytes`` on results.
    result_size: bool = _since(SPRING)
    #: ``prompt.id`` on events.
    prompt_id: bool = _since(SPRING)
    #: ``tool_name`` and ``source`` on decisions about edits, beside February's ``tool``.
    edit_decisions: bool = _since(SPRING)
    #: No result of a rejected tool.
    results_of_runs: bool = _since(SPRING)
    #: ``type`` on active time.
    active_type: bool = _since(SPRING)
    #: ``user.account_id``.
    account_id: bool = _since("2.1.86")
    #: ``start_type`` on sessions.
    start_type: bool = _since("2.1.116")
    #: ``query_source`` on cost, tokens and API events.
    query_source: bool = _since("2.1.116")
    #: ``request_id`` on API events.
    request_id: bool = _since("2.1.110")
    #: ``cost_usd_micros`` on API requests.
    cost_micros: bool = _since("2.1.139")
    #: ``agent.name`` on API requests and on what they cost.
    agent_name: bool = _since("2.1.152")
    #: ``error_type`` on results.
    error_type: bool = _since("2.1.116")
    #: ``subagent_type`` among the parameters of an agent's result.
    agent_parameters: bool = _since("2.1.116")
    #: Failures of the headers helper are told on stderr.
    helper_on_stderr: bool = _since("2.1.152")
    #: The names that requests are attributed to as they are, with OTEL_LOG_TOOL_DETAILS=1.
    names_attributed: bool = _since("2.1.273")
    #: A repository's settings neither switch exports on, nor lead them anywhere, nor open a gate.
    repository_settings_closed: bool = _since("2.1.282")
    #: ``tool_input``, with OTEL_LOG_TOOL_DETAILS=1.
    tool_input: bool = _since(AUGUST)
    #: Keys of OTEL_RESOURCE_ATTRIBUTES on events.
    event_labels: bool = _since(AUGUST)
    #: ``mcp_server_scope`` on results.
    mcp_scope: bool = _since("2.1.178")
    #: Everything else in the August document: no unit on counts, ``decision_type`` and
    #: ``decision_source`` on tool results, whose ``error`` needs a gate, numbers as numbers,
    #: the names of skills and servers on API requests and what they cost, traces.
    august: bool = _since(AUGUST)

    @classmethod
    def of(cls, version: Version) -> Self:
        """Return the promises of ``version``: those made by it or by an earlier one."""
        return cls(
            **{promise.name: version >= promise.metadata["since"] for promise in fields(cls)}
        )
