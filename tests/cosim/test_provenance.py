import subprocess

import pytest

from cosim.provenance import git_state


@pytest.fixture
def repository(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "model.py").write_text("a = 1\n")
    git("add", ".")
    return tmp_path, git


def test_git_state_of_a_clean_and_a_changed_tree(repository):
    folder, git = repository
    assert git_state(folder) == {"sha": None, "dirty": True}
    git("commit", "-m", "first")
    assert git_state(folder) == {"sha": git("rev-parse", "HEAD"), "dirty": False}
    (folder / "model.py").write_text("a = 2\n")
    assert git_state(folder)["dirty"] is True


def test_no_state_for_installed_packages_and_outside_repositories(repository, tmp_path_factory):
    folder, git = repository
    git("commit", "-m", "first")
    installed = folder / "venv" / "site-packages"
    installed.mkdir(parents=True)
    assert git_state(installed) is None
    assert git_state(tmp_path_factory.mktemp("plain")) is None
