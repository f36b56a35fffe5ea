"""What is imported before a command does anything: each package costs everybody who types it some time."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYDANTIC = {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}
LIGHT = {"orjson", *PYDANTIC}
NUMPY = {"numpy", "cython_runtime"}
QUESTIONS = {"yaml", *NUMPY, *LIGHT}
# Each takes between a tenth of a second and a second.
HEAVY = {
    "aiohttp",
    "fastapi",
    "httpx2",
    "jinja2",
    "openai",
    "pandas",
    "pyarrow",
    "scipy",
    "sqlalchemy",
    "uvicorn",
}


def list_packages(module: str) -> set[str]:
    """Return the packages of others that a new process has loaded once it has imported the module."""
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        f"import {module}\n"
        "packages = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "ours = {'flows', 'tasks'} | set(sys.stdlib_module_names)\n"
        "print(*(name for name in packages - ours if not name.startswith('_')))\n"
    )
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=True).stdout.split())


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("flows.commands.cli", LIGHT),
        ("flows.commands.score", LIGHT),
        ("flows.serving.server_process", LIGHT),
        ("flows.commands.checkpoints", LIGHT | NUMPY),
        ("flows.commands.questions", QUESTIONS),
        ("flows.commands.compare", QUESTIONS),
        ("flows.commands.history", QUESTIONS),
        ("flows.commands.scoring", QUESTIONS | {"tqdm"}),
    ],
)
def test_a_command_loads_what_it_needs(module: str, allowed: set[str]) -> None:
    """Everything else is imported by the command that needs it, when it needs it."""
    assert list_packages(module) <= allowed


def test_the_flow_loads_prefect_and_numpy_alone() -> None:
    """What asks an endpoint, and what computes rare statistics, comes later; a finished evaluation needs neither."""
    assert list_packages("flows.score_questions") & HEAVY == set()
