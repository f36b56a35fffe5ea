"""The Prefect server that a run starts for itself: whether it is needed, and that it goes when it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.serving.temporary_server import is_probably_needed
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.processes.process_table import find_parents
from tests.support.fake_endpoint import wait_until

ROOT = Path(__file__).parents[2]
PROFILE = '[profiles.lab]\nPREFECT_API_URL = "http://prefect.example/api"\n'


def test_a_server_is_started_where_none_is_set_up(tmp_path: Path) -> None:
    """Neither by the environment nor by a profile."""
    assert is_probably_needed({"PREFECT_HOME": str(tmp_path)})


@pytest.mark.parametrize(("url", "needed"), [("http://127.0.0.1:4200/api", False), ("", True)])
def test_a_server_of_the_environment_is_used(tmp_path: Path, url: str, *, needed: bool) -> None:
    """An empty address does not count."""
    assert is_probably_needed({"PREFECT_HOME": str(tmp_path), "PREFECT_API_URL": url}) is needed


@pytest.mark.parametrize(("profiles", "needed"), [(PROFILE, False), ("[profiles.lab]\n", True)])
def test_a_server_of_a_profile_is_used(tmp_path: Path, profiles: str, *, needed: bool) -> None:
    """Prefect decides which profile counts, but is imported later."""
    (tmp_path / "profiles.toml").write_text(profiles)
    assert is_probably_needed({"PREFECT_HOME": str(tmp_path)}) is needed


def test_a_user_without_a_home_is_told_what_to_set() -> None:
    """As in a container that runs under a number that no user has."""
    with pytest.raises(UserMistake, match=r"Prefect's folder ~nobody-of-this-name/prefect .* set HOME, or PREFECT_HOME"):
        is_probably_needed({"PREFECT_HOME": "~nobody-of-this-name/prefect"})


def test_a_server_that_is_not_needed_leaves_nothing(tmp_path: Path) -> None:
    """Neither its process nor its folder, when the command ends before the server answers: after a mistake, for example."""
    code = (
        "from pathlib import Path\n"
        "from flows.serving.temporary_server import TemporaryServer\n"
        "server = TemporaryServer(Path('home'), print)\n"
        "print(server._process._process.pid, server._folder)\n"
    )
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=150, check=True)
    pid, folder = printed.stdout.split()
    wait_until(lambda: not Path(folder).exists() and int(pid) not in find_parents())
