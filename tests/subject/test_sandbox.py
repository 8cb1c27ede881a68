from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.subject import process
from harness.subject.sandbox import FAKE_API_KEY, USER_NAME, Sandbox
from tests.processes import assert_gone


def sh(sandbox: Sandbox, command: str) -> process.Completed:
    return process.run(
        ["/bin/sh", "-c", command],
        cwd=sandbox.work,
        env=sandbox.env(),
        output_dir=sandbox.output,
        deadline_s=120,
        cell=sandbox.cell,
    )


def test_nothing_is_inherited_but_path(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "ANTHROPIC_AUTH_TOKEN", "GH_TOKEN", "GIT_DIR"):
        monkeypatch.setenv(name, "foreign")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "foreign")
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", "", "relative", "/bin"]))

    env = sandbox.env({"EXTRA": "1"}, api_url="http://127.0.0.1:1", path_entries=["/node/bin"])

    assert "foreign" not in env.values()
    assert env["ANTHROPIC_API_KEY"] == FAKE_API_KEY
    assert env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:1"
    assert env["PATH"].split(os.pathsep) == [
        str(sandbox.root / "bin"),
        "/node/bin",
        "/usr/bin",
        "/bin",
    ]
    assert env["EXTRA"] == "1"
    inside = [n for n in env if n in ("HOME", "TMPDIR") or n.startswith("XDG_")]
    assert len(inside) == 6
    assert all(Path(env[name]).is_relative_to(sandbox.root) for name in inside)


def test_extra_variables_win(sandbox: Sandbox) -> None:
    assert sandbox.env({"ANTHROPIC_API_KEY": "canary"})["ANTHROPIC_API_KEY"] == "canary"


def test_commits_are_counted_on_every_branch(sandbox: Sandbox) -> None:
    assert sandbox.commits() == 0
    done = sh(
        sandbox,
        "git commit --allow-empty -qm one && git checkout -qb other"
        " && echo >a && git add a && git commit -qm two && git checkout -q main",
    )
    assert done.exit_code == 0, done.last_output
    assert sandbox.commits() == 2


def test_the_users_git_configuration_is_shut_out(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".gitconfig").write_text("[user]\n  name = Somebody Real\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sh(sandbox, "git config --get user.name").stdout == f"{USER_NAME}\n"
    listed = sh(sandbox, "git config --list --show-scope").stdout.splitlines()
    assert {line.split()[0] for line in listed} == {"local"}


def test_no_key_and_no_configuration_of_the_account_is_offered_to_another_machine(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSH takes the home folder of the account from the system, not from HOME."""
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "GIT_SSH", "GH_TOKEN", "GH_CONFIG_DIR"):
        monkeypatch.setenv(name, "/the/accounts/own")
    assert "/the/accounts/own" not in sandbox.env().values()
    for program in ("ssh", "scp", "sftp", "gh", "glab"):
        found = sh(sandbox, f"command -v {program}").stdout.strip()
        assert found == str(sandbox.root / "bin" / program)
    refused = sh(sandbox, "ssh -T -o BatchMode=yes git@github.com")
    assert refused.exit_code == 255
    assert "no keys" in refused.stderr
    assert Path(sandbox.env()["GH_CONFIG_DIR"]).is_relative_to(sandbox.home)


@pytest.mark.parametrize("scheme", ["http", "https", "ssh", "git"])
def test_git_reaches_no_other_machine(sandbox: Sandbox, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"{scheme}://git@127.0.0.1:{server.getsockname()[1]}/a.git"
        done = sh(sandbox, f"git clone --quiet {url} elsewhere")
        with pytest.raises(BlockingIOError):
            server.accept()
    assert done.exit_code != 0
    assert f"transport '{scheme}' not allowed" in done.stderr
    local = sh(sandbox, "git commit --allow-empty -qm one && git clone --quiet . ../copy")
    assert local.exit_code == 0, local.last_output


def test_no_marketplace_of_plugins_is_fetched(sandbox: Sandbox) -> None:
    """Release 2.1.332 clones one in a session at a terminal, unless it is told not to."""
    assert sandbox.env()["CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL"] == "1"


def test_pull_requests_go_to_the_stub_and_are_counted(sandbox: Sandbox) -> None:
    assert sandbox.pull_requests() == 0
    first = sh(sandbox, 'gh pr create --title "a b" --body "two\nlines"')
    second = sh(sandbox, "gh pr create --fill")
    other = sh(sandbox, "gh pr view 1")
    assert first.stdout == "https://github.com/example/project/pull/1\n"
    assert second.stdout == "https://github.com/example/project/pull/2\n"
    assert other.exit_code == 1
    assert "knows only" in other.stderr
    assert sandbox.pull_requests() == 2


def test_merge_requests_are_pull_requests_of_another_forge(sandbox: Sandbox) -> None:
    """The document of August speaks of both in one breath."""
    sh(sandbox, "gh pr create --fill")
    merge = sh(sandbox, "glab mr create --fill --yes")
    assert merge.stdout == "https://gitlab.com/example/project/-/merge_requests/2\n"
    assert sh(sandbox, "glab mr list").exit_code == 1
    assert sandbox.pull_requests() == 2


def test_it_is_gone_afterwards_even_with_read_only_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    with Sandbox() as sandbox:
        locked = sandbox.home / "a" / "b"
        locked.mkdir(parents=True)
        (locked / "file").write_text("x")
        (locked / "file").chmod(0o400)
        (locked / "link").symlink_to(outside)
        for folder in (locked, locked.parent):
            folder.chmod(0o500)
    assert not sandbox.root.exists()
    assert outside.stat().st_mode & 0o777 == 0o500


def test_it_is_gone_after_an_error() -> None:
    with pytest.raises(KeyboardInterrupt), Sandbox() as sandbox:
        raise KeyboardInterrupt
    assert not sandbox.root.exists()


def test_processes_that_left_their_group_are_ended(
    processes_of: Callable[[Sandbox], list[int]],
) -> None:
    with Sandbox() as sandbox:
        script = (
            "import subprocess as s; print(s.Popen(['sleep', '600'], start_new_session=True).pid)"
        )
        done = sh(sandbox, f'{sys.executable} -c "{script}"')
        pid = int(done.stdout)
        assert processes_of(sandbox) == [pid]
    assert_gone(pid)


def test_without_git_one_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(UsageError, match="no git on it"), Sandbox():
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_unusable_tmpdir_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="TMPDIR"), Sandbox():
        pass


def test_a_sandbox_without_repository_has_an_empty_work_folder() -> None:
    with Sandbox(repository=False) as sandbox:
        assert list(sandbox.work.iterdir()) == []
        inside = subprocess.run(
            ["git", "rev-parse"], cwd=sandbox.work, env=sandbox.env(), capture_output=True
        )
    assert inside.returncode != 0
