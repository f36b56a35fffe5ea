"""A plain install, not from a checkout: the wheel holds all that the program reads, and works in any folder."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_endpoint import FakeEndpoint
from tests.support.report_pages import read_page
from tests.support.saved_runs import save_results, score_all
from tests.support.served import COUNT, Served, find_free_port, start_serve

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def mcqa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the command, installed from a wheel into an empty environment that borrows the dependencies of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    environment, pip = folder / "environment", [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(folder / "clone")], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    [wheel] = folder.glob("mcqa_flow-*.whl")
    # Before the dependencies are there: pip must not see the project that is installed beside them.
    subprocess.run([*pip, "--python", str(environment / "bin/python"), "install", "--no-deps", str(wheel)], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return environment / "bin/mcqa"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with nothing of ours in it."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which a checkout is not found by accident."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PREFECT"))}
    home = str(tmp_path_factory.mktemp("home"))
    return {**kept, "HOME": home, "PREFECT_HOME": home, "FAKE_KEY": "sk-very-secret", "PREFECT_WORKER_QUERY_SECONDS": "1"}


@pytest.fixture(scope="module")
def served(mcqa: Path, elsewhere: Path, surroundings: dict[str, str]) -> Iterator[Served]:
    """Run `mcqa serve` of the installed wheel, and end it by Ctrl-C."""
    port = find_free_port()
    with FakeEndpoint() as endpoint:
        process, log = start_serve(elsewhere, surroundings, "--port", str(port), mcqa=mcqa)
        yield Served(elsewhere, f"http://127.0.0.1:{port}", endpoint, process, log, surroundings)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=150) == 0


def test_the_quickstart_s_questions_are_found(mcqa: Path, elsewhere: Path, surroundings: dict[str, str]) -> None:
    """By the path that they have in a checkout."""
    command = [str(mcqa), "questions", "check", "deployments/quickstart/questions.json"]
    checked = subprocess.run(command, cwd=elsewhere, env=surroundings, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "Can be asked:    100" in checked.stdout


def test_the_quickstart_s_configuration_is_found(mcqa: Path, elsewhere: Path, surroundings: dict[str, str]) -> None:
    """And its questions through it."""
    command = [str(mcqa), "questions", "check", "deployments/quickstart/questions.json"]
    command += ["--config", "deployments/quickstart/config.yaml"]
    checked = subprocess.run(command, cwd=elsewhere, env=surroundings, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_report_is_written(mcqa: Path, elsewhere: Path, surroundings: dict[str, str]) -> None:
    """With the template, the style and the script that the wheel holds."""
    save_results(elsewhere / "run.json", score_all([1, 0]))
    written = subprocess.run(
        [str(mcqa), "report", "run.json"], cwd=elsewhere, env=surroundings, capture_output=True, text=True, check=False
    )
    assert written.returncode == 0, written.stderr
    page = read_page(elsewhere / "report.html")
    assert "some-model answers 50.0 % of 2 questions right" in page.head
    assert "class QuestionTable" in page.source
    assert "@media print" in page.source


def test_serve_lists_the_deployments(served: Served) -> None:
    """Which are described in a file of the wheel."""
    assert "Deployment: evaluate\nDeployment: nightly, its schedule off\nDeployment: quickstart\n" in served.printed


def test_a_run_of_the_ui_finds_the_flow(served: Served) -> None:
    """The worker's folder holds a configuration and questions, and no code."""
    run_id = served.start(config_file=served.write("installed"))
    message = served.wait_for(run_id, "Completed", "Failed", "Crashed")
    assert message == f"Accuracy 0.6667, 95 % interval 0.5783 to 0.7447 (80 of {COUNT} questions)"
