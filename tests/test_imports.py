"""The house's one rule: imports run cli → flow → tasks → evaluation, and evaluation knows no Prefect."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def find_offenders(folder: str, forbidden: tuple[str, ...]) -> list[str]:
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    return [f"{path.name} imports {name}" for path in paths for name in imported_modules(path) if name.startswith(forbidden)]


def test_evaluation_imports_neither_prefect_nor_what_stands_above_it() -> None:
    """Everything below tasks/evaluation/ runs and is tested without Prefect."""
    assert find_offenders("tasks/evaluation", ("prefect", "flows", "tasks.score", "tasks.save", "tasks.write")) == []


def test_tasks_import_no_flow() -> None:
    """A task can be used by any flow."""
    assert find_offenders("tasks", ("flows",)) == []


@pytest.mark.parametrize("package", ["flows", "tasks"])
def test_package_files_are_empty(package: str) -> None:
    """Nothing hides in an __init__.py."""
    assert [path for path in (ROOT / package).rglob("__init__.py") if path.read_text()] == []
