"""Tags of a run: added to those that it has, once."""

import pytest

from flows.opening.run_tags import add_tags
from tasks.evaluation.config.config import Config

OWN = ["model:gpt-4.1", "questions:exam", "grader:judge"]


def configure(grader: str | None = "judge") -> Config:
    model = {"generator_settings": {"model": "gpt-4.1"}, "grader_shortname": grader}
    return Config.model_validate({"questions_file": "sets/exam.json", "model": model})


@pytest.mark.parametrize(
    ("present", "tags"),
    [
        ([], OWN),
        (["mcqa", "mine"], ["mcqa", "mine", *OWN]),
        (["mcqa", *OWN], ["mcqa", *OWN]),
        (["questions:exam"], ["questions:exam", "model:gpt-4.1", "grader:judge"]),
    ],
)
def test_tags_are_added_once(present: list[str], tags: list[str]) -> None:
    """A retry finds them there, and what others have given stays."""
    assert add_tags(present, configure()) == tags


def test_a_run_without_a_grader_has_no_tag_for_it() -> None:
    """There is nothing to find."""
    assert add_tags([], configure(None)) == OWN[:2]
