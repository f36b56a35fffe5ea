"""The data sets that people score on: records with their columns, and the block of settings that README.md gives for each.

The columns and the kinds of values are the data sets'; the questions are our own.
"""

from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.questions.entries import EntryReader

README = (Path(__file__).parents[2] / "tasks/README.md").read_text(encoding="utf-8")
CHOICES: list[JsonValue] = ["iron", "gold", "tin", "zinc"]
LETTERED = "Which is noble?\n\nA) iron\nB) gold\nC) tin\nD) zinc"
QUESTION: dict[str, JsonValue] = {"question": "Which is noble?"}
RECORDS: dict[str, dict[str, JsonValue]] = {
    "MMLU": {**QUESTION, "subject": "metals", "choices": CHOICES, "answer": 1},
    "MMLU-Pro": {
        "question_id": 70,
        **QUESTION,
        "options": CHOICES,
        "answer": "B",
        "answer_index": 1,
        "cot_content": "",
        "category": "chemistry",
        "src": "ours",
    },
    "ARC": {"id": "M_1", **QUESTION, "choices": {"text": CHOICES, "label": ["A", "B", "C", "D"]}, "answerKey": "B"},
    "MedMCQA": {
        "id": "e9ad",
        **QUESTION,
        "opa": "iron",
        "opb": "gold",
        "opc": "tin",
        "opd": "zinc",
        "cop": 1,
        "choice_type": "single",
        "exp": "Gold does not rust.",
        "subject_name": "metals",
        "topic_name": None,
    },
    "TruthfulQA": {
        **QUESTION,
        "mc1_targets": {"choices": ["gold", "iron", "tin"], "labels": [1, 0, 0]},
        "mc2_targets": {"choices": ["gold", "silver", "iron"], "labels": [1, 1, 0]},
    },
    "PubMedQA": {
        "pubid": 1571,
        "question": "Does gold rust?",
        "context": {
            "contexts": ["We left gold in the rain.", "It stayed as it was."],
            "labels": ["METHODS", "RESULTS"],
            "meshes": ["Gold"],
        },
        "long_answer": "Gold does not rust.",
        "final_decision": "no",
    },
}
CARRIED = {
    "MMLU": {"subject"},
    "MMLU-Pro": {"question_id", "answer_index", "category", "src"},
    "ARC": {"id"},
    "MedMCQA": {"id", "choice_type", "exp", "subject_name"},
    "TruthfulQA": {"mc2_targets"},
    "PubMedQA": {"pubid", "long_answer"},
}


def documented_fields(name: str) -> Fields:
    """Return the block in the data set's row of the README; empty if the row says that it needs none."""
    [row] = [line for line in README.splitlines() if line.startswith(f"| {name} |")]
    block = row.split("|")[3].strip().strip("`")
    return Fields.model_validate(yaml.safe_load(block)["fields"] if block.startswith("fields") else {})


@pytest.mark.parametrize("name", ["MMLU", "MMLU-Pro", "ARC", "MedMCQA"])
def test_four_lettered_choices(name: str) -> None:
    """The question with its choices below, and the letter of the right one."""
    entry = EntryReader(documented_fields(name)).read(RECORDS[name], uses_context=False)
    assert (entry.text, entry.reference, entry.fault) == (LETTERED, "B", None)


def test_truthfulqa_has_its_right_choice_anywhere() -> None:
    """Its first target is the right one, so they are shuffled."""
    entry = EntryReader(documented_fields("TruthfulQA")).read(RECORDS["TruthfulQA"], uses_context=False)
    assert set(entry.choices.values()) == {"gold", "iron", "tin"}
    assert entry.choices[entry.reference] == "gold"


def test_pubmedqa_has_three_fixed_choices_and_its_abstract() -> None:
    """Which the file itself does not offer; the context is its paragraphs."""
    entry = EntryReader(documented_fields("PubMedQA")).read(RECORDS["PubMedQA"], uses_context=True)
    assert (entry.text, entry.reference) == ("Does gold rust?\n\nA) yes\nB) no\nC) maybe", "B")
    assert entry.context == "We left gold in the rain.\n\nIt stayed as it was."


@pytest.mark.parametrize("name", RECORDS)
def test_their_other_columns_are_carried_along(name: str) -> None:
    """Ids and subjects, for a breakdown of the results."""
    entry = EntryReader(documented_fields(name)).read(RECORDS[name], uses_context=False)
    assert set(entry.metadata) == CARRIED[name]
