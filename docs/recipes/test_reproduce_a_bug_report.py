"""Reproduce a bug report in ten lines: "the commit is not counted when git says nothing"."""

from pytest_cc_otel import Say, UseTool


def test_a_quiet_commit_is_counted(claude):
    quiet = {"command": "git add . && git commit --quiet -m 'Note'"}
    session = claude(
        prompt="Commit what is there.",
        script=[UseTool("Bash", quiet), Say("Done.")],
        files={"note.txt": "remember the milk"},
        protocol="grpc",
    )
    assert session.data_point("claude_code.commit.count").value == session.truth.commits == 1
