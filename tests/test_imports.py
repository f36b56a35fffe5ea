"""The house's rules: imports go down from floor to floor, never in a circle, and Prefect stays above the evaluation."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("flows", "tasks")
# Every room, from the top floor down. A room's modules import each other and what stands below them here, nothing else of ours.
FLOORS = (
    "flows.commands",
    "flows.serving",
    "flows",
    "flows.sharding",
    "flows.suites",
    "flows.worker_runs",
    "flows.opening",
    "flows.asking",
    "flows.ending",
    "flows.stopping",
    "flows.process",
    "tasks",
    "tasks.evaluation.suites",
    "tasks.evaluation.run",
    "tasks.evaluation.resuming",
    "tasks.evaluation.leaderboard",
    "tasks.evaluation.pages",
    "tasks.evaluation.exporting",
    "tasks.evaluation.history",
    "tasks.evaluation.comparing",
    "tasks.evaluation.reporting",
    "tasks.evaluation.scoring",
    "tasks.evaluation.retrieval",
    "tasks.evaluation.statistics",
    "tasks.evaluation.local_servers",
    "tasks.evaluation.questions",
    "tasks.evaluation.endpoints",
    "tasks.evaluation.spending",
    "tasks.evaluation.processes",
    "tasks.evaluation.storage",
    "tasks.evaluation.config",
    "tasks.evaluation.extraction",
    "tasks.evaluation",
)
ABOVE_PREFECT = FLOORS[: FLOORS.index("tasks") + 1]

Imports = dict[str, set[str]]


def name_module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def list_modules() -> dict[str, Path]:
    """Return every module of ours except the packages' own files, by its dotted name."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {name_module(path): path for path in paths if path.name != "__init__.py"}


def find_imports(path: Path) -> set[str]:
    """Return the modules that a file imports, also within functions; `from a import b` counts as `a` and as `a.b`."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    sources = [(str(node.module), node.names) for node in nodes if isinstance(node, ast.ImportFrom)]
    return plain | {module for module, _ in sources} | {f"{module}.{name.name}" for module, names in sources for name in names}


def room_of(module: str) -> str:
    return module.rpartition(".")[0]


def list_own_imports() -> Imports:
    """Return the modules of ours that each module of ours imports."""
    modules = list_modules()
    return {module: find_imports(path) & modules.keys() for module, path in modules.items()}


def is_upward(module: str, imported: str) -> bool:
    return FLOORS.index(room_of(imported)) < FLOORS.index(room_of(module))


def find_upward(imports: Imports) -> list[str]:
    pairs = [(module, each) for module, imported in imports.items() for each in sorted(imported)]
    return [f"{module} imports {each}" for module, each in pairs if is_upward(module, each)]


def test_every_room_has_its_floor() -> None:
    """A new room is placed in the table above before anything lives in it."""
    assert {room_of(module) for module in list_modules()} == set(FLOORS)


def test_imports_go_down() -> None:
    """A room knows those below it and none above."""
    assert find_upward(list_own_imports()) == []


def test_no_imports_go_in_a_circle() -> None:
    """Modules can be read in an order in which everything is known before it is used."""
    TopologicalSorter(list_own_imports()).prepare()


def test_evaluation_imports_no_prefect() -> None:
    """Everything below tasks/evaluation/ runs and is tested without Prefect."""
    imports = {module: find_imports(path) for module, path in list_modules().items() if room_of(module) not in ABOVE_PREFECT}
    assert [module for module, imported in imports.items() if {name.partition(".")[0] for name in imported} & {"prefect"}] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_package_files_hold_a_docstring_alone(package: str) -> None:
    """An __init__.py says in one to five lines what lives in its folder, and nothing hides in it."""
    paths = sorted((ROOT / package).rglob("__init__.py"))
    assert paths
    assert [str(path) for path in paths if not is_short_docstring(path)] == []


def is_short_docstring(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    return len(tree.body) == 1 and ast.get_docstring(tree) is not None and len(path.read_text().splitlines()) <= 5


def test_an_upward_import_is_found() -> None:
    """The rule can fail."""
    assert find_upward({"tasks.evaluation.storage.spool": {"tasks.evaluation.run.run", "tasks.evaluation.errors"}}) == [
        "tasks.evaluation.storage.spool imports tasks.evaluation.run.run"
    ]
