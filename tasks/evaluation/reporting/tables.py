"""A run's results, final or so far, as short texts and tables for people.

A table is a list of rows, each a mapping from heading to text. Questions are named as in the results: by `question_id`, their
position in the selection from 1.
"""

import itertools
import re
from collections.abc import Mapping, Sequence

import numpy as np

from tasks.evaluation.endpoints.outage import Waiting
from tasks.evaluation.endpoints.traffic import Traffic, describe_latency
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.reporting.causes import Cause, find_causes, group_errors, name_questions, shorten
from tasks.evaluation.reporting.summary import describe_remarks
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.records import is_refused
from tasks.evaluation.statistics.accuracy import Accuracy
from tasks.evaluation.statistics.summary import Statistics

Row = dict[str, str]

# At most this much of a table is shown; the results file holds everything.
MOST_ROWS = 50
WRONG_ANSWERS = 10
# How much the UI's tables show of a cell, of an answer in words, and of a choice.
LONGEST_CELL, LONGEST_ANSWER, LONGEST_CHOICE = 120, 40, 30
# The signs that begin a tag, a link or an image in Markdown.
_INVITES = re.compile(r"<|\](?=\()")
RETRY = "Retry this run when the endpoint is fixed: it asks these questions alone."
FINAL = "Final, and not counted. To ask again, start a run with Retry refused."


def describe_progress(
    done: int, total: int, *, rate: float | None, accuracy: Accuracy | None, waiting: Waiting | None = None
) -> str:
    """Describe how far a run is, as briefly as the UI's cards need it: done and total, time left, and the accuracy so far.

    Args:
        done: the questions that are done.
        total: all questions of the run.
        rate: the questions that get done in a second; None once the run has ended.
        accuracy: that of the questions that are scored.
        waiting: the wait for an endpoint that gives no replies; nobody knows then how much time is left.
    """
    parts = [f"{done:,}/{total:,}"]
    if rate and done < total and not waiting:
        parts.append(f"{_describe_seconds((total - done) / rate)} left")
    if accuracy:
        parts.append(f"{accuracy.accuracy:.2f}")
    if waiting:
        parts.append(f"waiting for the {waiting.role} since {_describe_seconds(waiting.seconds)}: {shorten(waiting.reason)}")
    return ", ".join(parts)


def list_accuracies(statistics: Statistics) -> list[Row]:
    """Return the accuracy over all questions, and by format if there are several."""
    by_format = statistics.by_format if len(statistics.by_format) > 1 else {}
    return _list_measured({"All questions": statistics.overall, **by_format})


def list_groups(statistics: Statistics) -> list[Row]:
    """Return the accuracy of each group, the largest groups first; with retrieval, how often it found the right chunk."""
    largest = sorted(statistics.by_group.items(), key=lambda item: -item[1].count)[:MOST_ROWS]
    rows = _list_measured({name or "without a value": accuracy for name, accuracy in largest})
    if statistics.retrieval and statistics.retrieval.by_group:
        for row, (name, _) in zip(rows, largest, strict=True):
            recall = statistics.retrieval.by_group.get(name)
            row["Right chunk found"] = "" if recall is None or recall.hit_rate is None else f"{recall.hit_rate:.4f}"
    return rows


def list_letters(statistics: Statistics) -> list[Row]:
    """Return how often each label was right and chosen, and how often it was chosen where it was right."""
    rows = statistics.letters.rows if statistics.letters else ()
    return [
        {
            "Label": row.letter,
            "Right": f"{row.right:,}",
            "Chosen": f"{row.chosen:,}",
            "Recall": "" if row.recall is None else f"{row.recall:.4f}",
        }
        for row in rows[:MOST_ROWS]
    ]


def _list_measured(measured: Mapping[str, Accuracy | None]) -> list[Row]:
    return [
        {
            "Questions": name,
            "Scored": f"{accuracy.count:,}",
            "Accuracy": f"{accuracy.accuracy:.4f}",
            "95 % interval": f"{accuracy.interval.low:.4f} to {accuracy.interval.high:.4f}" if accuracy.interval else "",
        }
        for name, accuracy in measured.items()
        if accuracy
    ]


def list_remarks(statistics: Statistics) -> list[Row]:
    """Return what stands out in the answers, a line each: choices asked about, truncated answers, refusals."""
    return [{"Remark": remark} for remark in describe_remarks(statistics)]


def list_unscored(ledger: Ledger, failures: Mapping[int, str], stop_cause: object) -> list[Row]:
    """List why questions are unscored: each error with how often it came, where, and what to do.

    Args:
        ledger: the run's ledger.
        failures: the errors by position; those of questions that were scored after all are ignored.
        stop_cause: why the run asked nothing more; None if it did not stop.
    """
    return _list_causes(find_causes(ledger, failures, stop_cause), RETRY)


def list_refused(ledger: Ledger) -> list[Row]:
    """List why the endpoint refused questions and why entries cannot be asked: each error, how often, where, what to do."""
    unscored = np.flatnonzero(np.isnan(ledger.sheet.scores)).tolist()
    records = {position: ledger.read_result(position) for position in unscored if position in ledger.results}
    refused = {position: str(record["error"]) for position, record in records.items() if is_refused(record)}
    unusable = {position: str(record["error"]) for position, record in records.items() if not is_refused(record)}
    unusable_advice = "Fix the entry in the questions file."
    return _list_causes(group_errors(refused), FINAL) + _list_causes(group_errors(unusable), unusable_advice)


def list_other_models(ledger: Ledger) -> list[Row]:
    """Return how many questions each model has answered, the most first; empty if one model has answered all."""
    counts = ledger.usage.count_models().most_common()
    return [{"Model": name, "Answers": f"{count:,}"} for name, count in counts] if len(counts) > 1 else []


def list_traffic(traffic: Sequence[Traffic]) -> list[Row]:
    """Return what was sent to each address and what came back."""
    return [
        {
            "Address": each.url,
            "Asked as": each.role,
            "Requests": f"{each.requests:,}",
            "Failed": f"{each.failures:,}",
            "Mean time of a reply": describe_latency(each),
        }
        for each in traffic
    ]


def list_wrong_answers(ledger: Ledger) -> list[Row]:
    """List the first questions scored below 1: what was expected, what was answered, between what, and what was asked."""
    positions = np.flatnonzero(ledger.sheet.scores < 1).tolist()
    wrong = list(itertools.islice((position for position in positions if position in ledger.results), WRONG_ANSWERS))
    rows = [_describe_answer(ledger.read_result(position), ledger.questions[position]) for position in wrong]
    is_graded = any(row["Score"] != "0" for row in rows)
    return rows if is_graded else [{name: text for name, text in row.items() if name != "Score"} for row in rows]


def _describe_answer(record: JsonObject, question: Question | None) -> Row:
    """Return the row of a question: choices by their labels, beside all choices, else the words of reference and answer."""
    evaluation, choices = record.get("evaluation"), question.choices if question else {}
    read = evaluation if isinstance(evaluation, dict) else {}
    right, answered = _name_choices(read.get("reference_choice"), choices), _name_choices(read.get("model_choice"), choices)
    return {
        "No.": str(record["question_id"]),
        "Score": f"{record['score']:g}",
        "Right": right or _cut(str(record.get("reference_answer")), LONGEST_ANSWER),
        "Answered": answered or _cut(str(record.get("model_answer")), LONGEST_ANSWER),
        "Choices": " · ".join(f"{label}) {_cut(text, LONGEST_CHOICE)}" for label, text in choices.items()),
        "Question": (question.stem if question else "") or str(record.get("question")),
    }


def _name_choices(labels: object, choices: Mapping[str, str]) -> str:
    """Return the labels, such as `A, C`; empty if these are no labels of this question."""
    named = {label.strip() for label in labels.split(",")} if isinstance(labels, str) else set()
    return str(labels) if named and named <= choices.keys() else ""


def to_cells(rows: Sequence[Row]) -> list[Row]:
    """Return the rows as the UI shows them: each cell one short line of plain text.

    Version 2 of the UI shows cells as they are, on one line. Version 1 reads them as Markdown: without the invisible spaces, a
    question's text could load images from foreign servers.
    """
    return [{heading: _INVITES.sub("\\g<0>\u200b", _cut(text)) for heading, text in row.items()} for row in rows]


def _list_causes(causes: Sequence[Cause], advice: str) -> list[Row]:
    return [
        {
            "How often": f"{len(cause.positions):,}",
            "Error": cause.message,
            "What to do": advice,
            "Question ids": name_questions(cause.positions),
        }
        for cause in causes[:MOST_ROWS]
    ]


def _cut(text: str, most: int = LONGEST_CELL) -> str:
    line = " ".join(text[: 20 * most].split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _describe_seconds(seconds: float) -> str:
    minutes, hours = round(seconds / 60), round(seconds / 3600, 1)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{hours:g} h"
