"""Results as a log of Inspect, which `inspect view` shows and `inspect_ai.log.read_eval_log` reads.

    samples/{id}_epoch_{epoch}.json    a question, once for each time that it was asked
    summaries.json                     what the viewer lists
    _journal/start.json, header.json   what was run, and what came of it

It is the `.eval` form, a zip archive: a viewer reads the list and then only the samples that someone opens, while the `.json`
form is read whole. inspect-ai itself is not needed to write it. A question without a score is a sample with an error. A score
is a number; the metrics `accuracy` and `stderr` are over questions, whose repeats, Inspect's epochs, are reduced to their mean.

Downside: the viewer holds the whole list in the browser, which takes about 1 kB a question.

Source: `inspect_ai/log/_log.py` and `_recorders/eval.py` of inspect-ai 0.3, log version 2.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from tasks.evaluation.exporting.inspect_header import (
    LOG_VERSION,
    Totals,
    describe_evaluation,
    describe_outcome,
    describe_plan,
    name_model,
)
from tasks.evaluation.exporting.inspect_samples import build_samples, summarize
from tasks.evaluation.exporting.unicode_texts import replace_surrogates
from tasks.evaluation.exporting.zip_stream import ZipStream
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting


def write_inspect_log(run: SavedRun, file: BinaryIO) -> int:
    """Write the log; return the number of questions.

    Raises:
        OSError: it cannot be written.
        UserMistake: the results are damaged.
    """
    totals = Totals()
    folder = Path(file.name).parent
    with TemporaryFile(dir=folder) as directory, TemporaryFile(dir=folder) as summaries:
        archive = ZipStream(file, directory)
        for sample in _build_all(run, totals):
            archive.add(replace_surrogates(f"samples/{sample['id']}_epoch_{sample['epoch']}.json"), [_encode(sample)])
            summaries.write(_encode(summarize(sample)) + b"\n")
        summaries.seek(0)
        archive.add("summaries.json", _join_list(summaries))
        start: JsonObject = {"version": LOG_VERSION, "eval": describe_evaluation(run, totals), "plan": describe_plan(run)}
        archive.add("_journal/start.json", [_encode(start)])
        archive.add("header.json", [_encode({**start, **describe_outcome(run, totals)})])
        archive.close()
    return totals.questions


def _build_all(run: SavedRun, totals: Totals) -> Iterator[JsonObject]:
    """Yield the samples of all records, and add each record to the totals."""
    grader = read_setting(run.config, "model", "grader_shortname")
    model = name_model(run)
    for place, record in enumerate(run.read_records(), start=1):
        number = record.get("question_id")
        numbered: JsonObject = {**record, "question_id": number if isinstance(number, int | str) else place}
        samples = list(build_samples(numbered, model, model if grader == "self" else str(grader or "grader")))
        totals.add(numbered, samples)
        yield from samples


def _encode(value: JsonObject) -> bytes:
    return replace_surrogates(json.dumps(value, ensure_ascii=False)).encode()


def _join_list(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the list of values that stand on a line each."""
    separator = b"["
    for line in lines:
        yield separator + line.rstrip()
        separator = b","
    yield b"]" if separator == b"," else b"[]"
