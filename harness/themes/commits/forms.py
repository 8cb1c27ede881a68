"""The forms of commits and pull requests, and what only looks like one."""

from __future__ import annotations

from dataclasses import dataclass

from ...fakes import quick_mcp_stub
from ...fakes.script import UseTool

COMMIT, PULL_REQUEST = "commit", "pull_request"

#: An MCP server that opens pull requests, as the forges' own servers call the tool.
SERVER, TOOL = "forge", "create_pull_request"

#: What such a tool and such programs print.
OPENED = "https://gitlab.com/example/project/-/merge_requests/7"


@dataclass(frozen=True, slots=True)
class Form:
    """One tool use; ``makes`` is how many commits or pull requests (``kind``) it creates."""

    name: str
    kind: str
    makes: int
    command: str = ""
    """Empty for the tool of the MCP server."""

    @property
    def use(self) -> UseTool:
        if not self.command:
            return UseTool(quick_mcp_stub.name_of(SERVER, TOOL), {"text": self.name})
        return UseTool("Bash", {"command": self.command, "description": self.name})


_EMPTY = "--allow-empty --quiet"

#: In the order in which they are used. Neighbours differ in what they make, so that what is
#: counted late for one of them is not taken for the other's.
FORMS = (
    Form(
        "heredoc",
        COMMIT,
        1,
        f"git commit {_EMPTY} -m \"$(cat <<'EOF'\nIn several lines\n\nAs asked.\nEOF\n)\"",
    ),
    Form("said", COMMIT, 0, "echo git commit --message 'Only said'"),
    Form("options", COMMIT, 1, f"git -C . -c user.name=me commit {_EMPTY} --message 'Set'"),
    Form("searched", COMMIT, 0, "git log --oneline --grep 'git commit'"),
    Form("twice", COMMIT, 2, f"git commit {_EMPTY} -m 'Once' && git commit {_EMPTY} -m 'Again'"),
    Form("dry_run", COMMIT, 0, "echo more >> README.md; git commit --all --dry-run -m 'Dry'"),
    Form("amended", COMMIT, 1, f"git commit --amend {_EMPTY} --message 'Better'"),
    Form("graph", COMMIT, 0, "git commit-graph write --reachable"),
    Form("alias", COMMIT, 1, f"git -c alias.ci=commit ci {_EMPTY} --message 'Short'"),
    Form("failed", COMMIT, 0, "git commit --message 'Nothing to commit'"),
    Form("picked", COMMIT, 1, "git cherry-pick --allow-empty HEAD"),
    Form("request_said", PULL_REQUEST, 0, "echo gh pr create --title 'Only said'"),
    Form("request", PULL_REQUEST, 1, "GH_PAGER=cat gh pr create --fill"),
    Form("merge_requests", PULL_REQUEST, 0, "glab mr list"),
    Form("merge_request", PULL_REQUEST, 1, "glab mr create --fill --yes"),
    Form("by_mcp", PULL_REQUEST, 1),
)
