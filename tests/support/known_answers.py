"""A run that has come far, made without an endpoint: for measurements of runs that would take an hour."""

import os
from pathlib import Path

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.extraction.choices import ChoiceReading
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.run import Run
from tasks.evaluation.scoring.extraction_grader import evaluate_choice
from tasks.evaluation.scoring.records import Grade, build_result
from tests.support.quick_endpoint import LETTERS, REPLY


def answer_first(folder: Path, count: int) -> None:
    """Make a checkpoint for the settings in the folder, with the answers of `quick_endpoint` to the first questions."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        config = load_config("config.yaml", Overrides())
        keys = KeyReader({}, str)
        with open_run(config, config_file="config.yaml", run_id="known", keys=keys, log=lambda _, __: None) as run:
            _finish(run, count)
            run.saver.save()
    finally:
        os.chdir(before)


def _finish(run: Run, count: int) -> None:
    """Finish the first questions."""
    usage = {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300}
    for position in range(count):
        question = run.ledger.questions[position]
        assert question
        letter = LETTERS[(position + 1) % len(LETTERS)]
        answer = Answer(f"{REPLY}ANSWER: {letter}", None, dict(usage), "stop", "quick", 0.5)
        evaluation = evaluate_choice(question, answer, ChoiceReading((letter,), is_certain=True))
        result = build_result(run.ledger.roster.ids(position), question, answer, Grade(evaluation.to_json(), {}, 0.0))
        run.ledger.finish(position, result)
