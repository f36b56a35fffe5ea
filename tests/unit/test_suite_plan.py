"""The plan of a suite: every cell is checked before anything is asked, and what is left of each is known."""

import json
import shlex
from pathlib import Path

import pytest
from prefect.states import Completed, Failed

from flows.commands.sections import to_terminal
from flows.commands.suite_plan import describe_plan
from flows.suites.cell_ends import describe_end, end_early
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.errors import GateFailed, UserMistake
from tasks.evaluation.suites.plan import CellPlan, plan_suite
from tests.support.fake_endpoint import make_questions, write_config, write_questions

SUITE = """
config: config.yaml
models: [small, large]
questions: [exam.json]
conditions: {cold: {}, warm: {model: {generator_settings: {temperature: 1}}}}
"""


@pytest.fixture(autouse=True)
def files(folder: Path) -> None:
    write_questions(folder, make_questions(5))
    write_config(folder, "http://127.0.0.1:9/v1")
    (folder / "suite.yaml").write_text(SUITE)


def plan(**environment: str) -> list[CellPlan]:
    return plan_suite(read_suite("suite.yaml"), KeyReader({"FAKE_KEY": "sk-x", **environment}, str), is_dry=True)


def test_each_cell_says_what_is_left(folder: Path) -> None:
    """In a dry run nothing is written, and the last row adds up."""
    printed = to_terminal(describe_plan(plan()))
    assert [line.split() for line in printed.splitlines()[1:6]] == [
        ["small,exam,cold", "5", "0", "0", "0", "5", "unknown", "0", "unknown"],
        ["small,exam,warm", "5", "0", "0", "0", "5", "unknown", "0", "unknown"],
        ["large,exam,cold", "5", "0", "0", "0", "5", "unknown", "0", "unknown"],
        ["large,exam,warm", "5", "0", "0", "0", "5", "unknown", "0", "unknown"],
        ["all", "20", "0", "0", "0", "20", "unknown", "0", "unknown"],
    ]
    assert not (folder / "checkpoints").exists()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("cold: {}", "cold: {processing: {auto_resume: false}}", "#small,exam,cold: auto_resume is false, but a suite"),
        ("cold: {}", "cold: {processing: {enable_checkpointing: false}}", "enable_checkpointing is false"),
        ("cold: {}", "cold: {processing: {shard: 0/2}}", "shard is set"),
        ("cold: {}", "cold: {processing: {random_selection: 2}}", "set processing.random_seed"),
        ("cold: {}", "cold: {rag: {retrieval_topk: 2}}", "#small,exam,cold: unknown key 'retrieval_topk' in rag"),
        ("exam.json]", "exam.json, none.json]", "suite.yaml#small,none,cold: cannot read the questions file none.json"),
        ("temperature: 1", "temperature: 0", "the cells small,exam,cold and small,exam,warm are the same evaluation"),
    ],
)
def test_a_mistake_in_any_cell_is_found_first(folder: Path, before: str, after: str, message: str) -> None:
    """One message names the cell."""
    (folder / "suite.yaml").write_text(SUITE.replace(before, after))
    with pytest.raises(UserMistake) as mistake:
        plan()
    assert message in str(mistake.value)


def test_a_key_that_is_missing_is_a_mistake() -> None:
    """It would let the cell fail in the middle of the night."""
    with pytest.raises(UserMistake, match=r"small,exam,cold: .*FAKE_KEY is empty"):
        plan(FAKE_KEY="")


def test_a_cells_command_can_be_pasted_whatever_its_name(folder: Path) -> None:
    (folder / "suite.yaml").write_text(SUITE.replace("cold:", "it's cold:"))
    assert shlex.split(plan()[0].command) == ["mcqa", "score", "--config", "suite.yaml#small,exam,it's cold"]


def test_a_gate_tells_a_scored_cell_from_an_unfinished_one() -> None:
    """Only the latter is continued."""
    first = plan()[0]
    gate = GateFailed("Accuracy 0.5 is under")
    assert describe_end(first, Completed(message="Accuracy 0.5")).kind == "finished"
    assert describe_end(first, Failed(message=str(gate), data=gate)).kind == "under the gate"
    assert describe_end(first, Failed(message="2 of 5")).kind == end_early(first).kind == "unfinished"


def test_retrievers_are_conditions(folder: Path, rag: dict[str, object]) -> None:
    """Each number of chunks is an evaluation of its own, for each model."""
    retriever = rag["rag.retriever_config"]
    conditions = {"none": {"rag": {"enabled": False}}} | {
        f"k{k}": {"rag": {"retrieval_top_k": k, "retriever_config": retriever}} for k in (1, 2)
    }
    suite = {"config": "config.yaml", "models": ["small", "large"], "questions": ["exam.json"], "conditions": conditions}
    (folder / "suite.yaml").write_text(json.dumps(suite))
    assert len({each.evaluation_id for each in plan()}) == 6
