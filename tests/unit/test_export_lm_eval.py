"""`mcqa export --to lm-eval`: the two files as lm-evaluation-harness leaves them."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.exporting.exports import export_run, name_export
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.support.saved_runs import describe_run, refused, save_results, scored, unusable

TIME = "2026-11-26T09-00-00.250000"


def export(folder: Path, records: Sequence[JsonObject], *, model: str = "some-model") -> Path:
    """Export the records, and return the folder of the model's files."""
    metadata = describe_run(len(records), model=model, evaluation={"timestamp": "2026-11-26T09:00:00.250000"})
    run = open_saved_run(save_results(folder / "results.json", records, metadata))
    path = name_export(run.path, "lm-eval")
    export_run(run, "lm-eval", path, overwrite=False)
    [found] = path.iterdir()
    return found


def read_samples(folder: Path) -> list[dict[str, JsonValue]]:
    lines = (folder / f"samples_exam_{TIME}.jsonl").read_text().split("\n")
    return [json.loads(line) for line in lines if line]


def test_the_files_are_named_as_lm_eval_names_them(tmp_path: Path) -> None:
    """By the model, the task and the time, so that scripts find them."""
    folder = export(tmp_path, [scored(1, 1)], model="org/model:7b")
    assert folder == tmp_path / "results.lm-eval" / "org__model__7b"
    assert sorted(path.name for path in folder.iterdir()) == [f"results_{TIME}.json", f"samples_exam_{TIME}.jsonl"]


@pytest.mark.parametrize("model", ["..", "", "/"])
def test_a_model_cannot_lead_out_of_the_folder(model: str, tmp_path: Path) -> None:
    """Whatever it is called."""
    assert export(tmp_path, [scored(1, 1)], model=model).parent == tmp_path / "results.lm-eval"


def test_pandas_reads_a_sample_for_each_scored_question(tmp_path: Path) -> None:
    """What was not scored has no place in this form; the results tell both numbers."""
    folder = export(tmp_path, [scored(1, 1), scored(2, 0.25), refused(3), unusable(4)])
    samples = pd.read_json(folder / f"samples_exam_{TIME}.jsonl", lines=True)
    assert samples["doc_id"].tolist() == [0, 1]
    assert samples["acc"].mean() == 0.625
    results = json.loads((folder / f"results_{TIME}.json").read_text())
    assert results["n-samples"] == {"exam": {"original": 4, "effective": 2}}


def test_a_sample_has_all_members(tmp_path: Path) -> None:
    """With the hashes by which lm-eval recognizes documents, prompts and targets."""
    [sample] = read_samples(export(tmp_path, [scored(1, 1, fields={"subject": "physics"})]))
    question = "Question 1?\nA) one\nB) two\nC) three\nD) four"
    document = {
        "subject": "physics",
        "question": "Question 1?",
        "choices": ["one", "two", "three", "four"],
        "labels": ["A", "B", "C", "D"],
        "answer": "A",
    }
    assert sample == {
        "doc_id": 0,
        "doc": document,
        "target": "A",
        "arguments": {"gen_args_0": {"arg_0": question, "arg_1": {}}},
        "resps": [["The answer is A."]],
        "filtered_resps": ["A"],
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": sha256(json.dumps(document, indent=2).encode()).hexdigest(),
        "prompt_hash": sha256(question.encode()).hexdigest(),
        "target_hash": sha256(b"A").hexdigest(),
        "acc": 1,
    }


def test_repeats_are_responses_to_one_request(tmp_path: Path) -> None:
    """The score is their mean; texts are kept, but half a surrogate pair has no form in UTF-8."""
    hostile = 'a"b\0\r\n\u2028🙂'
    repeats: list[JsonValue] = [{"model_answer": hostile, "score": 1}, {"model_answer": "B\ud800", "score": 0}]
    [sample] = read_samples(export(tmp_path, [scored(1, 0.5, repeats=repeats)]))
    assert (sample["resps"], sample["acc"]) == ([[hostile, "B\ufffd"]], 0.5)


def test_the_results_have_the_accuracy_and_its_error(tmp_path: Path) -> None:
    """Under the names that tables and leaderboards look for."""
    folder = export(tmp_path, [scored(1, 1), scored(2, 0), scored(3, 1)])
    results = json.loads((folder / f"results_{TIME}.json").read_text())
    assert results["results"] == {
        "exam": {"alias": "exam", "acc,none": pytest.approx(2 / 3), "acc_stderr,none": pytest.approx(1 / 3), "sample_len": 3}
    }
    hashes = (sample[name] for sample in read_samples(folder) for name in ("doc_hash", "prompt_hash", "target_hash"))
    assert results["task_hashes"] == {"exam": sha256("".join(map(str, hashes)).encode()).hexdigest()}
    assert (results["model_name"], results["higher_is_better"]) == ("some-model", {"exam": {"acc": True}})


def test_one_question_has_no_error(tmp_path: Path) -> None:
    """As lm-eval writes it."""
    folder = export(tmp_path, [scored(1, 1)])
    assert json.loads((folder / f"results_{TIME}.json").read_text())["results"]["exam"]["acc_stderr,none"] == "N/A"


def test_a_run_without_scores_leaves_nothing(tmp_path: Path) -> None:
    """Not even the folder."""
    with pytest.raises(UserMistake, match=r"nothing to export: no question in .* has a score"):
        export(tmp_path, [refused(1)])
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_file_in_the_folders_place_is_a_mistake(tmp_path: Path) -> None:
    """Two files need a folder."""
    (tmp_path / "results.lm-eval").write_text("mine")
    with pytest.raises(UserMistake, match="lm-eval needs a folder, and this is a file"):
        export(tmp_path, [scored(1, 1)])


def test_files_of_the_same_run_are_kept(tmp_path: Path) -> None:
    """Those of other runs may share the folder."""
    export(tmp_path, [scored(1, 1)])
    with pytest.raises(UserMistake, match="exists already"):
        export(tmp_path, [scored(1, 1)])
