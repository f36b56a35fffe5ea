"""What the project imports is declared, and the versions that it was tested with fit."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONSTRAINTS = (ROOT / "deployments/constraints.txt").read_text().splitlines()
OURS = {"flows", "tasks"}
# Installed with an extra alone, so that it may be missing here.
DISTRIBUTIONS = {"xllamacpp": ["xllamacpp"], **packages_distributions()}


def normalize(name: str) -> str:
    """Return a distribution's name as it is compared. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def list_declared() -> set[str]:
    requirements = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["local"]]
    return {normalize(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements}


def list_imported() -> set[str]:
    """Return the packages that the program imports, except the standard library and our own."""
    trees = [ast.parse(path.read_text()) for folder in OURS for path in (ROOT / folder).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - OURS


@pytest.mark.parametrize("package", sorted(list_imported()))
def test_every_imported_package_is_declared(package: str) -> None:
    """Another's dependency may go with its next release."""
    assert {normalize(name) for name in DISTRIBUTIONS[package]} & list_declared()


def test_the_tested_versions_are_names_and_versions_alone() -> None:
    """No address, no digest: they are asked of whatever index the user has."""
    assert [line for line in CONSTRAINTS if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!]*", line)] == []


def test_a_version_is_tested_for_everything_that_is_declared() -> None:
    """And for certifi none: certificates that are no longer trusted must not stay."""
    constrained = {normalize(line.partition("==")[0]) for line in CONSTRAINTS}
    assert list_declared() <= constrained
    assert "certifi" not in constrained
