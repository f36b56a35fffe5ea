"""A mistyped name of a file is answered with the names that are there."""

from pathlib import Path

import pytest

from tasks.evaluation.config.nearby_files import describe_nearby
from tasks.evaluation.config.yaml_files import read_yaml
from tasks.evaluation.errors import UserMistake

YAML = (".yaml", ".yml")


def test_the_most_similar_name_comes_first(folder: Path) -> None:
    """Only files of that kind; no folder."""
    for name in ("zz.yml", "a.yaml", "config.yaml", "exam.json"):
        (folder / name).touch()
    (folder / "folder.yaml").mkdir()
    assert describe_nearby("confg.yaml", YAML) == f"{folder} holds config.yaml, a.yaml, zz.yml"


def test_a_missing_folder_and_an_empty_one_are_named(folder: Path) -> None:
    """By their full paths, since the worker's folder is not the user's."""
    assert describe_nearby("configs/a.yaml", YAML) == f"there is no folder {folder}/configs"
    assert describe_nearby("a.yaml", YAML) == f"{folder} holds no such file (*.yaml, *.yml)"


def test_many_files_are_counted(folder: Path) -> None:
    """Eight of them are named."""
    for number in range(11):
        (folder / f"{number:02}.yaml").touch()
    assert describe_nearby("x.yaml", YAML).endswith("07.yaml and 3 more")


def test_a_mistyped_configuration_names_its_neighbours(folder: Path) -> None:
    """In the message that a run ends with."""
    (folder / "config.yaml").touch()
    with pytest.raises(
        UserMistake, match=rf"^cannot read confg\.yaml: No such file or directory; {folder} holds config\.yaml$"
    ):
        read_yaml("confg.yaml")
