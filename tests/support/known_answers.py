"""A run that has come far, made without an endpoint: for measurements of runs that would take an hour."""

import asyncio
import os
from pathlib import Path

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.run import Run
from tasks.evaluation.scoring.extraction_grader import evaluate_choice
from tasks.evaluation.scoring.records import Grade
from tests.support.quick_endpoint import LETTERS, REPLY


def answer_first(folder: Path, count: int) -> None:
    """Let the run whose settings lie in the folder know the answers to its first `count` questions, as `quick_endpoint` does.

    They are in its answer log as far as no checkpoint holds them, and then in a checkpoint.
    """
    before = Path.cwd()
    os.chdir(folder)
    try:
        config = load_config("config.yaml", Overrides())
        keys = KeyReader({}, str)
        with open_run(config, config_file="config.yaml", run_id="known", keys=keys, log=lambda _, __: None) as run:
            asyncio.run(_keep_answers(run, count))
    finally:
        os.chdir(before)


async def _keep_answers(run: Run, count: int) -> None:
    """Keep an answer and its grade for each of the first questions, and save whenever a save is due."""
    usage = {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300}
    for position in range(count):
        question = run.ledger.questions[position]
        assert question
        answer = Answer(f"{REPLY}ANSWER: {LETTERS[(position + 1) % 4]}", None, dict(usage), "stop", "quick", 0.5)
        reading = read_choice(answer.text, question.choices, several=False)
        await run.ledger.keep_answer(position, answer)
        grade = Grade(evaluate_choice(question, answer, reading).to_json(), {}, 0.0)
        await run.ledger.keep_grade(position, question, answer, grade)
        if run.saver.is_due():
            run.saver.save()
    run.saver.save()
