"""Results in the files of lm-evaluation-harness, as its `--output_path` and `--log_samples` leave them.

    {folder}/{model}/samples_{task}_{time}.jsonl    a scored question on each line
    {folder}/{model}/results_{time}.json            the accuracy (`acc,none`, `acc_stderr,none`) and what was run

The task is called after the questions file, the time is the run's start. A question is a generated answer (`generate_until`):
`resps` has the answer of each repeat, `filtered_resps` the choice that was read from the first, `acc` the score. Questions
without a score have no place in this form: they are missing in the samples, and `n-samples` has both numbers.

The samples are written first, since readers look for the results.

Source: `loggers/evaluation_tracker.py`, `evaluator.py` and `result_schema.py` of lm-eval 0.4.13.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.exporting.lm_eval_results import Tally, describe_results
from tasks.evaluation.exporting.questions import part_record
from tasks.evaluation.exporting.run_facts import list_repeats, name_task, read_generator_settings, read_object, read_start
from tasks.evaluation.exporting.unicode_texts import replace_surrogates
from tasks.evaluation.exporting.whole_files import write_whole
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import SavedRun
from tasks.evaluation.storage.file_names import sanitize_filename
from tasks.evaluation.storage.folders import make_folder

UNFIT_IN_MODEL = re.compile(r'["<>:/|\\?*\[\]]+')


def list_lm_eval_files(run: SavedRun, folder: Path) -> list[Path]:
    """Return the samples' file and the results' file, in this order."""
    time = read_start(run).replace(tzinfo=None).isoformat().replace(":", "-")
    place = folder / name_model_folder(run.model)
    return [place / f"samples_{name_lm_eval_task(run)}_{time}.jsonl", place / f"results_{time}.json"]


def export_lm_eval(run: SavedRun, folder: Path) -> int:
    """Write both files; return the number of scored questions.

    Raises:
        OSError: they cannot be written.
        UserMistake: the results are damaged, or none is scored.
    """
    samples, results = list_lm_eval_files(run, folder)
    tally = Tally()
    with _made(samples.parent):
        write_whole(samples, lambda file: _write_samples(run, file, tally))
        document = describe_results(run, name_lm_eval_task(run), samples.parent.name, tally)
        write_whole(results, lambda file: _write_text(file, json.dumps(document, indent=2, ensure_ascii=False) + "\n"))
    return tally.scores.count


def name_model_folder(model: str) -> str:
    """Return the folder that lm-eval keeps a model's files in."""
    name = sanitize_filename(UNFIT_IN_MODEL.sub("__", replace_surrogates(model)))
    return name if name.strip(".") else "unknown"


def name_lm_eval_task(run: SavedRun) -> str:
    """Return the task's name as file names hold it."""
    return re.sub(r"\W", "_", name_task(run))


def build_sample(record: JsonObject, settings: JsonObject) -> JsonObject:
    """Return a scored record as a sample; `settings` are those that the model was asked with."""
    parts = part_record(record)
    question, target = str(record.get("question") or ""), str(record.get("reference_answer") or "")
    document: JsonObject = {
        **read_object(record, "fields"),
        "question": parts.stem or question,
        "choices": list(parts.choices.values()),
        "labels": list(parts.choices),
        "answer": target,
    }
    answers: list[JsonValue] = [str(each.get("model_answer")) for each in list_repeats(record)]
    choice = read_object(record, "evaluation").get("model_choice")
    number = record.get("question_id")
    return {
        "doc_id": number - 1 if isinstance(number, int) else number,
        "doc": document,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": question, "arg_1": settings}},
        "resps": [answers],
        "filtered_resps": [answers[0] if choice is None else str(choice)],
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": _hash(json.dumps(document, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(question),
        "target_hash": _hash(target),
        "acc": record["score"],
    }


def _write_samples(run: SavedRun, file: BinaryIO, tally: Tally) -> None:
    given = read_generator_settings(run)
    settings = {name: given[name] for name in ("temperature", "max_tokens") if given.get(name) is not None}
    for record in run.read_records():
        if not record.get("skipped"):
            sample = build_sample(record, settings)
            tally.add(sample, len(list_repeats(record)))
            _write_text(file, json.dumps(sample, ensure_ascii=False) + "\n")
    if not tally.scores.count:
        raise UserMistake(f"nothing to export: no question in {run.path} has a score, and lm-eval's files hold no others")


def _write_text(file: BinaryIO, text: str) -> None:
    file.write(replace_surrogates(text).encode())


def _hash(text: str) -> str:
    return sha256(replace_surrogates(text).encode()).hexdigest()


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the folder and the one above it; if what follows fails, remove those that were made."""
    made = [path for path in (folder, folder.parent) if not path.exists()]
    make_folder(folder)
    try:
        yield
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.rmdir()
        raise
